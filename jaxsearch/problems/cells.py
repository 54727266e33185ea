"""Columns of text from a file as what they mean: missing values, numbers, booleans, or text."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.problems.columns import listed
from jaxsearch.problems.numerals import NAMES, Numerals, grouping, numerals, values
from jaxsearch.problems.packages import optional

# Words for a missing value in any column but those that keep their words.
MISSING = frozenset(
    "? NA N/A n/a #N/A #NA <NA> n.a. N.A. NaN nan -NaN -nan NULL Null null None #NULL! #DIV/0! #VALUE! #REF! #NAME? "
    "#NUM!".split()
)
# Marks for a missing value where all else is numbers; they mean something among text.
MARKS = frozenset("- -- --- . .. ... * \N{EN DASH} \N{EM DASH} na none".split())
TRUTHS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
COMMA = "numbers have a decimal comma"
BLANKS = " \t\n\v\f\r\N{NO-BREAK SPACE}"


class Reading(NamedTuple):
    """What a file holds.

    frame: a data frame whose columns are text, numbers or booleans; a missing value is NA.
    notes: a line for each choice that was made for the user.
    faults: for each column that cannot be read with certainty what is in doubt, and the remedy;
        such a column stays text.
    decimals: the decimal marks that its numbers prove.
    """

    frame: Any
    notes: list[str]
    faults: dict[str, str]
    decimals: frozenset[str] = frozenset()


class Wishes(NamedTuple):
    """What is known about the columns and cells of a file before it is read; see `files.read_frame`.

    likely: the decimal mark of files of the same origin, which decides where this one leaves it open.
    """

    text: Collection[str] = ()
    target: str | None = None
    drop: Collection[str] = ()
    decimal: str | None = None
    missing: Sequence[str] = ()
    likely: str = ""


class Cells(NamedTuple):
    """A column of text: the place of each of its values among the distinct ones, -1 where it is empty.

    words: `[d]` bool, which of the distinct ones stand for a missing value. found: the rest as numbers.
    """

    codes: np.ndarray
    distinct: Any
    words: np.ndarray
    found: Numerals | None


def cells(column: Any, relevant: np.ndarray, missing: Collection[str]) -> Cells:
    """Takes a column of text apart; `relevant` `[n]` bool: the rows that decide what it is."""
    pandas = optional("pandas")
    stripped = column.astype("str").str.strip(BLANKS)
    stripped = stripped.mask(stripped.isin(["", *missing]) | ~relevant)
    codes, distinct = pandas.factorize(stripped)
    distinct = pandas.Series(distinct, dtype="str")
    words = distinct.isin(MISSING)
    found = numerals(distinct[~(words | distinct.isin(MARKS))])
    if found is not None:
        words |= distinct.isin(MARKS)
    return Cells(codes, distinct, words.to_numpy(bool), found)


def is_text(column: Any) -> bool:
    """Whether a column of a frame has text."""
    return optional("pandas").api.types.is_string_dtype(column.dtype)


def sampled(rows: Sequence[Sequence[str]], names: Sequence[str], wishes: Wishes) -> dict[int, Cells]:
    """The columns of some rows, which may be too short or too long, as text taken apart."""
    pandas = optional("pandas")
    relevant = np.ones(len(rows), bool)
    return {
        place: cells(
            pandas.Series([row[place] if place < len(row) else "" for row in rows], dtype="str"),
            relevant,
            wishes.missing,
        )
        for place, name in enumerate(names)
        if name not in (*wishes.text, *wishes.drop)
    }


def evidence(of: Mapping[Any, Cells]) -> set[str]:
    """The decimal marks that columns prove."""
    return {cell.found.evidence for cell in of.values() if cell.found is not None} - {""}


def judged(
    frame: Any,
    names: Sequence[str],
    wishes: Wishes,
    seen: set[str] | frozenset[str] = frozenset(),
    words: Mapping[str, list[str]] | None = None,
    commas: Sequence[str] = (),
) -> Reading:
    """The frame with a type for each of its columns of text.

    Args:
        frame: columns 0, 1, ...; a column that is not text stays as it is.
        names: of its columns.
        wishes: what is known about them.
        seen: decimal marks that columns prove which are numbers already.
        words: for each word that was read as missing the names of the columns that had it.
        commas: names of columns of numbers that had a decimal comma.
    """
    pandas = optional("pandas")
    name_of = dict(zip(frame, names, strict=True))
    text = [place for place, name in name_of.items() if is_text(frame[place]) and name not in wishes.drop]
    relevant, target = (
        np.ones(len(frame), bool),
        next((place for place in text if name_of[place] == wishes.target), None),
    )
    if target is not None:
        relevant = _target_rows(frame[target], wishes)
    taken = {place: cells(frame[place], relevant, wishes.missing) for place in text}
    free = {place: cell for place, cell in taken.items() if name_of[place] not in wishes.text}
    marks = {wishes.decimal} if wishes.decimal else evidence(free) | seen
    notes, faults, columns = _Notes(words or {}, commas), {}, {}
    for place, cell in taken.items():
        name = name_of[place]
        keeps = name in wishes.text or (place == target and (cell.found is None or _has_zeros(cell)))
        if keeps:
            columns[place] = _spelled(cell)
            if place == target and np.any(cell.words):
                labels = listed([str(word) for word in cell.distinct[cell.words]])
                notes.add(f"{labels} in {name!r} is a class; if it stands for missing, say so by --missing")
            continue
        for word in cell.distinct[cell.words]:
            notes.missing.setdefault(str(word), []).append(name)
        if cell.found is None:
            columns[place] = _text(cell)
            continue
        decimal, doubt = _decimal(cell.found, wishes, marks)
        if doubt:
            faults[name] = f"Numbers must be written in one way; {name!r} {doubt}."
            columns[place] = _text(cell)
            continue
        columns[place] = _numbers(cell, decimal, wishes.missing)
        notes.numbers(name, cell.found, decimal, _has_zeros(cell))
    parts = [columns.get(place, frame[place]).set_axis(frame.index).rename(place) for place in frame]
    typed = pandas.concat(parts, axis=1) if parts else frame
    return Reading(typed, notes.lines(), faults, frozenset(marks))


def _target_rows(column: Any, wishes: Wishes) -> np.ndarray:
    """`[n]` bool: the rows with a target."""
    cell = cells(column, np.ones(len(column), bool), wishes.missing)
    present = cell.codes >= 0
    if cell.found is not None and not _has_zeros(cell) and wishes.target not in wishes.text:
        present &= ~np.append(cell.words, False)[cell.codes]
    return present


def _has_zeros(cell: Cells) -> bool:
    """Whether a number begins with a 0 that numbers do not have."""
    return cell.found is not None and bool(cell.found.texts.str.match("[+-]?0[0-9]").any())


def _decimal(found: Numerals, wishes: Wishes, marks: set[str]) -> tuple[str, str]:
    """The decimal mark of a column, and a doubt.

    The user decides; else what the column proves; else what the other columns prove, if they agree; else what is
    likely. Where nothing decides, a point is read as a decimal mark unless numbers below 1000 without one are among
    those of three decimals, which is how thousands look; a comma is in doubt.
    """
    if found.doubt:
        return "", f"{found.doubt}. Correct it"
    if wishes.decimal:
        if wishes.decimal in found.decimals:
            return wishes.decimal, ""
        return (
            "",
            f"has {found.texts.iloc[0]!r}, which has no decimal {NAMES[wishes.decimal]}. Correct it, or --decimal",
        )
    if not found.marked or found.evidence:
        return found.evidence or ".", ""
    decides = marks or {wishes.likely} - {""}
    if len(decides) == 1:
        return next(iter(decides)), ""
    has_mark = found.texts.str.contains("[.,]")
    example = found.texts[has_mark].iloc[0]
    bare = found.texts[~has_mark]
    small = bool(len(bare)) and bool((bare.str.len() <= 3).all())
    if not marks and not small and not found.texts.str.contains(",").any():
        return ".", ""
    return "", (
        f"has {example!r}, which may have a decimal mark or one of thousands. Say which by --decimal . or --decimal ,"
    )


def _spelled(cell: Cells) -> Any:
    """The column with its words."""
    return optional("pandas").Series([*cell.distinct, None], dtype="str").take(cell.codes)


def _text(cell: Cells) -> Any:
    """The column without the words for missing, as booleans if all of it is true and false."""
    pandas = optional("pandas")
    distinct = cell.distinct.mask(cell.words)
    rest = distinct.dropna()
    if len(rest) and rest.isin(TRUTHS).all():
        truths = [TRUTHS.get(word) for word in distinct] + [None]
        return pandas.Series(truths, dtype="boolean").take(cell.codes)
    return pandas.Series([*distinct, None], dtype="str").take(cell.codes)


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
        self.by_kind: dict[str, list[str]] = {COMMA: list(commas)} if commas else {}

    def add(self, note: str) -> None:
        self.other.append(note)

    def numbers(self, name: str, found: Numerals, decimal: str, zeros: bool) -> None:
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
            self.by_kind.setdefault(f"the sign {found.sign} is left out", []).append(name)
        if found.negative:
            self.by_kind.setdefault("numbers in parentheses are negative", []).append(name)
        if zeros:
            kind = "numbers lose leading zeros; --categorical keeps them as words"
            self.by_kind.setdefault(kind, []).append(name)

    def lines(self) -> list[str]:
        """All of the notes."""
        missing = [
            f"{word!r} counts as missing: {listed(list(dict.fromkeys(names)))}" for word, names in self.missing.items()
        ]
        kinds = [f"{kind}: {listed(names)}" for kind, names in self.by_kind.items()]
        return missing + kinds + self.other
