"""Text that is numbers: marks of decimals and thousands, percent and currency signs.

A text is a number under a decimal mark d, "." or ",", if it has a sign or none, digits with at most one d
among them, and groups of three digits that blanks, apostrophes or the other mark separate. `1.5` is a
number under "." only, `1.234.567` under "," only, and `1.234` under both: 1.234, or 1234.
"""

import re
from typing import Any, NamedTuple

from jaxsearch.problems.packages import optional

OTHER = {".": ",", ",": "."}
NAMES = {".": "point", ",": "comma"}
SIGNS = ("%", "€", "$", "£", "¥", "₹", "EUR", "USD", "GBP", "CHF")
LOOKALIKES = {"\N{MINUS SIGN}": "-", "\N{RIGHT SINGLE QUOTATION MARK}": "'"}
LOOKALIKES |= dict.fromkeys("\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}", " ")
ENDLESS = "(?:[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)"
LONG = "[+-]?[0-9]{20,}"  # beyond 64 bits, and likely a name


def _pattern(decimal: str) -> str:
    mark, other = re.escape(decimal), re.escape(OTHER[decimal])
    groups = "|".join(f"(?:{blank}[0-9]{{3}})+" for blank in (other, " ", "'"))
    grouped = f"[1-9][0-9]{{0,2}}(?:{groups})"
    if decimal == ".":
        grouped += "|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"  # as in India
    digits = f"(?:{grouped}|[0-9]+)(?:{mark}[0-9]*)?|{mark}[0-9]+"
    return f"[+-]?(?:(?:{digits})(?:[eE][+-]?[0-9]+)?|{ENDLESS})"


ANY_SIGN = "|".join(map(re.escape, SIGNS))
LOOKALIKE = f"[{''.join(LOOKALIKES)}]"
# What every number is like, and most other text is not.
_MINUS = "[-+\N{MINUS SIGN}]?"
_DIGITS = "[0-9.,' \N{RIGHT SINGLE QUOTATION MARK}\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}]+"
LIKELY = re.compile(
    rf"\(?{_MINUS}\s*(?:(?:{ANY_SIGN})\s*)?{_MINUS}(?:{_DIGITS}(?:[eE][+-]?[0-9]+)?|{ENDLESS})\s*(?:{ANY_SIGN})?\)?"
)
# The usual numbers, which a few of need no more thought.
PLAIN = re.compile(r"[+-]?(?P<whole>[0-9]{1,18})(?:\.(?P<fraction>[0-9]*))?(?:[eE][+-]?[0-9]+)?")
GROUP = re.compile("[1-9][0-9]{0,2}")
SEVERAL = 500
PATTERNS = {decimal: _pattern(decimal) for decimal in OTHER}


class Numerals(NamedTuple):
    """Texts that are numbers under at least one decimal mark each.

    texts: a series of text, without the sign that all of them have. decimals: the marks under which all
    are numbers. marked: whether there is a point or a comma among them, so that the mark matters.
    sign: that all have, "" for none. negative: whether parentheses were taken for a minus. doubt: what
    speaks against reading them as numbers.
    """

    texts: Any
    decimals: tuple[str, ...]
    marked: bool
    sign: str = ""
    negative: bool = False
    doubt: str = ""

    @property
    def evidence(self) -> str:
        """The decimal mark that these texts prove, "" if they leave it open."""
        return self.decimals[0] if self.marked and len(self.decimals) == 1 else ""


def numerals(texts: Any) -> Numerals | None:
    """What a series of distinct texts, stripped and not empty, is as numbers; None for other text."""
    if texts.empty or not all(LIKELY.fullmatch(text) for text in texts.iloc[:SEVERAL]):
        return None
    if len(texts) <= SEVERAL and all(plain := [PLAIN.fullmatch(text) for text in texts]):
        fractions = [match for match in plain if match and match["fraction"] is not None]
        proven = not all(GROUP.fullmatch(match["whole"]) and len(match["fraction"]) == 3 for match in fractions)
        return Numerals(texts, (".",) if proven else (".", ","), bool(fractions))
    if texts.str.contains(LOOKALIKE).any():
        for strange, usual in LOOKALIKES.items():
            texts = texts.str.replace(strange, usual, regex=False)
    texts, sign, doubt = _without_sign(texts)
    brackets = texts.str.fullmatch(r"\([^()+-]+\)")
    if negative := bool(brackets.any() and not brackets.all()):
        texts = texts.str.replace(r"^\((.*)\)$", r"-\1", regex=True)
    fits = {decimal: texts.str.fullmatch(pattern) for decimal, pattern in PATTERNS.items()}
    if not (fits["."] | fits[","]).all() or texts.str.fullmatch(LONG).any():
        return None
    decimals = tuple(decimal for decimal, fitting in fits.items() if fitting.all())
    if not decimals:
        one, other = texts[~fits[","]].iloc[0], texts[~fits["."]].iloc[0]
        doubt = f"has {one!r} and {other!r}, so that its decimal mark is a point and a comma"
    return Numerals(texts, decimals, bool(texts.str.contains("[.,]").any()), sign, negative, doubt)


def values(found: Numerals, decimal: str) -> Any:
    """The numbers of the texts, integers if none has a fraction."""
    texts = found.texts.str.replace(f"[ '{OTHER[decimal]}]", "", regex=True)
    if decimal == ",":
        texts = texts.str.replace(",", ".", regex=False)
    if texts.str.fullmatch("[+-]?[0-9]{1,18}").all():
        return texts.astype("int64")
    return optional("pandas").to_numeric(texts.astype(object))


def grouping(found: Numerals, decimal: str) -> str:
    """The mark between thousands, "" if there is none."""
    for mark in (OTHER[decimal], " ", "'"):
        if found.texts.str.contains(mark, regex=False).any():
            return mark
    return ""


def _without_sign(texts: Any) -> tuple[Any, str, str]:
    """The texts without a percent or currency sign, the sign, and a doubt if only some have it."""
    for sign in SIGNS if texts.str.contains(ANY_SIGN).any() else ():
        pattern = re.escape(sign)
        first = texts.str.match(rf"[(+-]?\s*{pattern}")
        last = texts.str.contains(rf"{pattern}\)?$")
        if not (either := first | last).any():
            continue
        bare = texts.str.replace(rf"^([(+-]?)\s*{pattern}\s*", r"\1", regex=True)
        bare = bare.str.replace(rf"\s*{pattern}(\)?)$", r"\1", regex=True)
        doubt = "" if either.all() else f"has {texts[either].iloc[0]!r} and {texts[~either].iloc[0]!r}"
        return bare, sign, doubt
    return texts, "", ""
