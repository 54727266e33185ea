"""Columns of text from a file taken apart: their distinct values, words for missing ones, and numbers."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.problems.headers import BLANKS, count
from jaxsearch.problems.numerals import Numerals, numerals
from jaxsearch.problems.packages import optional

# Words for a missing value in any column but those that keep their words.
MISSING = frozenset(
    "? NA N/A n/a #N/A #NA <NA> n.a. N.A. NaN nan -NaN -nan NULL Null null None #NULL! #DIV/0! #VALUE! #REF! #NAME? "
    "#NUM!".split()
)
# Marks for a missing value where all else is numbers; they mean something among text.
MARKS = frozenset("- -- --- . .. ... * \N{EN DASH} \N{EM DASH} na none".split())


class Reading(NamedTuple):
    """What a file holds.

    frame: a data frame whose columns are text, numbers or booleans; a missing value is NA.
    notes: a line for each choice that was made for the user.
    faults: for each column that cannot be read with certainty what is in doubt, and the remedy;
        such a column stays text.
    decimals: the decimal marks that its numbers prove.
    signs: for each column whose numbers had one, a percent or currency sign.
    separator: what was found between the fields of a text, in words, "" if nobody had to find it.
    """

    frame: Any
    notes: list[str]
    faults: dict[str, str]
    decimals: frozenset[str] = frozenset()
    signs: Mapping[str, str] = MappingProxyType({})
    separator: str = ""

    def remembered(self, missing: Sequence[str]) -> dict[str, Any]:
        """What new rows are read by, as plain JSON; missing: the words that the user named."""
        decimal = next(iter(self.decimals)) if len(self.decimals) == 1 else ""
        return {"decimal": decimal, "missing": list(missing), "signs": dict(self.signs)}


class Dialect(NamedTuple):
    """How a file is written, as far as somebody says so; see `files.read_frame`."""

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = ()
    likely: str = ""

    def like(self, reading: Mapping[str, Any] | None) -> "Dialect":
        """The same for a file of new rows; reading: `Table.reading` of training."""
        known = reading or {}
        missing = (*known.get("missing", ()), *self.missing)
        return self._replace(missing=missing, likely=known.get("decimal", ""))


PLAIN = Dialect()


class Hints(NamedTuple):
    """What is known about the columns and cells of a file before it is read; see `files.read_frame`.

    likely: the decimal mark of files of the same origin, which decides where this one leaves it open.
    local: whether the file comes from where a point may separate thousands, as semicolons suggest.
    known: for new rows the columns that the model has, of which alone notes tell; None in training.
    """

    text: Collection[str] = ()
    target: str | None = None
    drop: Collection[str] = ()
    decimal: str | None = None
    missing: Sequence[str] = ()
    likely: str = ""
    regression: bool = False
    local: bool = False
    known: Collection[str] | None = None

    def tells(self, name: str) -> bool:
        """Whether notes tell of the column."""
        return name not in self.drop and (self.known is None or name in self.known)


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
    stripped = column.astype("string").str.strip(BLANKS)
    stripped = stripped.mask(stripped.isin(["", *missing]) | ~relevant)
    codes, distinct = pandas.factorize(stripped)
    return _cells(codes, pandas.Series(distinct, dtype="string"))


def _cells(codes: np.ndarray, distinct: Any) -> Cells:
    words = np.array([text in MISSING for text in distinct], bool)
    marks = np.array([text in MARKS for text in distinct], bool)
    found = numerals(distinct[~(words | marks)])
    return Cells(codes, distinct, words if found is None else words | marks, found)


def is_text(column: Any) -> bool:
    """Whether a column of a frame has text."""
    return optional("pandas").api.types.is_string_dtype(column.dtype)


def sampled(rows: Sequence[Sequence[str]], names: Sequence[str], hints: Hints) -> dict[int, Cells]:
    """The distinct values of the columns of some rows, which may be too short or too long, without their places."""
    taken = {}
    for place, name in enumerate(names):
        if name not in (*hints.text, *hints.drop):
            found = {row[place].strip(BLANKS) for row in rows if place < len(row)} - {"", *hints.missing}
            taken[place] = _cells(np.empty(0, int), optional("pandas").Series(sorted(found), dtype="string"))
    return taken


def evidence(of: Mapping[Any, Cells]) -> set[str]:
    """The decimal marks that columns prove."""
    return {cell.found.evidence for cell in of.values() if cell.found is not None} - {""}


def without_unnamed(frame: Any, names: Sequence[str]) -> tuple[Any, list[str]]:
    """The columns without those that have neither a name nor a value, as spreadsheets write them, and a note."""
    empty = [place for place in frame if not names[place] and frame[place].isna().all()]
    if not empty or len(empty) == frame.shape[1]:
        return frame, []
    return frame.drop(columns=empty), [f"left out {count(len(empty), 'column')} without a name and without a value"]


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def without_words(frame: Any, words: Collection[str]) -> Any:
    """A data frame with a missing value where a text is one of the words, or a number is one that they name."""
    numbers = [number for word in words if (number := _number(word)) is not None]
    types = optional("pandas").api.types

    def masked(column: Any) -> Any:
        if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
            return column.mask(column.isin(numbers)) if numbers else column
        return column.mask(column.isin([*words, *numbers]))

    return optional("pandas").concat([masked(frame.iloc[:, place]) for place in range(frame.shape[1])], axis=1)
