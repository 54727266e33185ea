"""Columns of text as what they mean: numbers, booleans or text, and what is said about the choice."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxsearch.problems.cells import Cells, Hints, Reading, cells, evidence, is_text
from jaxsearch.problems.columns import listed
from jaxsearch.problems.numerals import NAMES, Numerals, grouping, values
from jaxsearch.problems.packages import optional

TRUTHS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
COMMA = "numbers have a decimal comma"


def judged(
    frame: Any,
    names: Sequence[str],
    hints: Hints,
    seen: set[str] | frozenset[str] = frozenset(),
    words: Mapping[str, list[str]] | None = None,
    commas: Sequence[str] = (),
) -> Reading:
    """The frame with a type for each of its columns of text.

    Args:
        frame: columns 0, 1, ...; a column that is not text stays as it is.
        names: of its columns.
        hints: what is known about them.
        seen: decimal marks that columns prove which are numbers already.
        words: for each word that was read as missing the names of the columns that had it.
        commas: names of columns of numbers that had a decimal comma.
    """
    pandas = optional("pandas")
    name_of = dict(zip(frame, names, strict=True))
    text = [place for place, name in name_of.items() if is_text(frame[place]) and name not in hints.drop]
    target = next((place for place in text if name_of[place] == hints.target), None)
    relevant, none = np.ones(len(frame), bool), []
    if target is not None:
        relevant, none = _target_rows(frame[target], hints)
    # What is text whatever it holds keeps all of its rows, such as the names of new rows of which some have no target.
    decide = {place: relevant | (name_of[place] in hints.text) for place in text}
    taken = {place: cells(frame[place], decide[place], hints.missing) for place in text}
    free = {place: cell for place, cell in taken.items() if name_of[place] not in hints.text}
    marks = {hints.decimal} if hints.decimal else evidence(free) | seen
    notes, faults, columns = _Notes(words or {}, commas), {}, {}
    for word in none:
        notes.missing.setdefault(word, []).append(str(hints.target))
    for place, cell in taken.items():
        name = name_of[place]
        keeps = name in hints.text or (place == target and not _is_numeric_target(cell, hints))
        if keeps:
            columns[place] = _spelled(cell)
            if place == target and np.any(cell.words):
                labels = listed([str(word) for word in cell.distinct[cell.words]])
                notes.add(f"{labels} in {name!r} is a class; if it stands for missing, say so by --missing")
            continue
        for word in cell.distinct[cell.words] if hints.tells(name) else ():
            notes.missing.setdefault(str(word), []).append(name)
        if cell.found is None:
            columns[place] = _text(cell)
            continue
        decimal, doubt = _decimal(cell.found, hints, marks)
        if doubt:
            faults[name] = f"Numbers must be written in one way; {name!r} {doubt}."
            columns[place] = _text(cell)
            continue
        columns[place] = _numbers(cell, decimal, hints.missing)
        if hints.tells(name):
            notes.numbers(name, cell.found, decimal)
        if hints.tells(name) and place != target and _has_zeros(cell):
            notes.zeros(name, hints.known is None)
    parts = [columns.get(place, frame[place]).set_axis(frame.index).rename(place) for place in frame]
    typed = pandas.concat(parts, axis=1) if parts else frame
    return Reading(typed, notes.lines(), faults, frozenset(marks), notes.signs)


def _target_rows(column: Any, hints: Hints) -> tuple[np.ndarray, list[str]]:
    """`[n]` bool: the rows with a target; and the words that stand for none."""
    cell = cells(column, np.ones(len(column), bool), hints.missing)
    present = cell.codes >= 0
    if not _is_numeric_target(cell, hints):
        return present, []
    words = np.append(cell.words, False)
    return present & ~words[cell.codes], [str(word) for word in cell.distinct[cell.words]]


def _is_numeric_target(cell: Cells, hints: Hints) -> bool:
    """Whether the values of the target are numbers, and not labels that look like some."""
    if cell.found is None or hints.target in hints.text:
        return False
    return hints.regression or not _has_zeros(cell)


def _has_zeros(cell: Cells) -> bool:
    """Whether a number begins with a 0 that numbers do not have."""
    return cell.found is not None and bool(cell.found.texts.str.match("[+-]?0[0-9]").any())


def _decimal(found: Numerals, hints: Hints, marks: set[str]) -> tuple[str, str]:
    """The decimal mark of a column, and a doubt.

    The user decides; else what the column proves; else what the other columns prove, if they agree; else what is
    likely. Where nothing decides, a point is read as a decimal mark unless numbers below 1000 without one are among
    those of three decimals, which is how thousands look, or the file is likely from where they look so; a comma is in
    doubt.
    """
    if found.doubt:
        return "", f"{found.doubt}. Correct it"
    if hints.decimal:
        if hints.decimal in found.decimals:
            return hints.decimal, ""
        return (
            "",
            f"has {found.texts.iloc[0]!r}, which has no decimal {NAMES[hints.decimal]}. Correct it, or --decimal",
        )
    if not found.marked or found.evidence:
        return found.evidence or ".", ""
    decides = marks or {hints.likely} - {""}
    if len(decides) == 1:
        return next(iter(decides)), ""
    has_mark = found.texts.str.contains("[.,]")
    example = found.texts[has_mark].iloc[0]
    bare = found.texts[~has_mark]
    small = bool(len(bare)) and bool((bare.str.len() <= 3).all())
    if not (marks or small or hints.local or found.texts.str.contains(",").any()):
        return ".", ""
    what = "may be that of decimals or of thousands. Give the mark of decimals by --decimal"
    return "", f"has {example!r}, whose mark {what}"


def _spelled(cell: Cells) -> Any:
    """The column with its words."""
    return optional("pandas").Series([*cell.distinct, None], dtype="string").take(cell.codes)


def _text(cell: Cells) -> Any:
    """The column without the words for missing, as booleans if all of it is true and false."""
    pandas = optional("pandas")
    distinct = cell.distinct.mask(cell.words)
    rest = distinct.dropna()
    if len(rest) and rest.isin(TRUTHS).all():
        truths = [TRUTHS.get(word) for word in distinct] + [None]
        return pandas.Series(truths, dtype="boolean").take(cell.codes)
    return pandas.Series([*distinct, None], dtype="string").take(cell.codes)


def _numbers(cell: Cells, decimal: str, missing: Sequence[str]) -> Any:
    pandas = optional("pandas")
    assert cell.found is not None
    parsed = values(cell.found, decimal)
    for word in missing:
        try:
            parsed = parsed.mask(parsed == float(word))
        except ValueError:
            continue
    nullable = {"int64": "Int64", "uint64": "UInt64"}.get(parsed.dtype.name, "Float64")
    distinct = pandas.Series(pandas.NA, range(len(cell.distinct) + 1), dtype=nullable)
    distinct[parsed.index] = parsed.astype(nullable)
    return distinct.take(cell.codes)


class _Notes:
    """What is said about several columns in one line."""

    def __init__(self, words: Mapping[str, list[str]], commas: Sequence[str]):
        self.missing = {word: list(names) for word, names in words.items()}
        self.other: list[str] = []
        self.signs: dict[str, str] = {}
        self.by_kind: dict[str, list[str]] = {COMMA: list(commas)} if commas else {}

    def add(self, note: str) -> None:
        self.other.append(note)

    def numbers(self, name: str, found: Numerals, decimal: str) -> None:
        """Notes how a column of numbers was read, where that is not plain."""
        if decimal == "," and found.texts.str.contains(",").any():
            self.by_kind.setdefault(COMMA, []).append(name)
        if mark := grouping(found, decimal):
            self.by_kind.setdefault(f"{mark!r} separates thousands", []).append(name)
        elif decimal == "." and found.marked and not found.evidence:
            example = found.texts[found.texts.str.contains(".", regex=False)].iloc[0]
            kind = f"numbers such as {example} have a decimal point, not thousands"
            self.by_kind.setdefault(kind, []).append(name)
        if found.sign:
            self.signs[name] = found.sign
            self.by_kind.setdefault(f"the sign {found.sign} is left out", []).append(name)
        if found.negative:
            self.by_kind.setdefault("numbers in parentheses are negative", []).append(name)

    def zeros(self, name: str, in_training: bool) -> None:
        """Notes that a column loses its leading zeros, and in training how it keeps them."""
        remedy = "; --categorical keeps them as words" if in_training else ""
        self.by_kind.setdefault(f"numbers lose leading zeros{remedy}", []).append(name)

    def lines(self) -> list[str]:
        """All of the notes."""
        missing = [
            f"{word!r} counts as missing: {listed(list(dict.fromkeys(names)))}" for word, names in self.missing.items()
        ]
        kinds = [f"{kind}: {listed(names)}" for kind, names in self.by_kind.items()]
        return missing + kinds + self.other
