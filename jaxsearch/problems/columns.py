"""Columns of a data frame as numbers: one rule for the rows of training and for new rows."""

import collections
import re
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.problems.packages import optional

MOST_CATEGORIES = 100
NUMBERS = ("boolean", "integer", "floating", "mixed-integer-float", "decimal")
TEXTS = ("string", "categorical")
DATES = ("datetime64", "datetime", "date", "timedelta64", "timedelta", "time", "period")
DATE = re.compile(r"(\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{1,2}([-/.])\d{1,2}\3\d{4})([T ].*)?")
STEPS = 1000  # that float32 must have between the least and the largest value of a column


class Rows(NamedTuple):
    """Features `[n, F]` float32, NaN for missing, and what was done to them that the user should know."""

    x: np.ndarray
    notes: list[str]


def named(frame: Any) -> Any:
    """The frame with the text of its column names as names, which must differ."""
    names = [str(name) for name in frame.columns]
    if twice := [name for name, count in collections.Counter(names).items() if count > 1]:
        raise ValueError(f"Column names must differ; {listed(twice)} comes more than once. Rename its columns.")
    return frame.set_axis(names, axis=1)


def kind(column: Any, also: tuple[str, ...] = ()) -> str:
    """Tells "number", "text" or, where `also` has such kinds, "other".

    Booleans and decimals are numbers, categories are text. Raises ValueError for dates, bytes, lists and mixtures.
    """
    infer = optional("pandas").api.types.infer_dtype
    found = infer(column, skipna=True)
    if found == "categorical" and (inner := infer(column.cat.categories)) not in (*TEXTS, *NUMBERS, "empty"):
        found = inner
    if found in NUMBERS or found == "empty":
        return "number"
    if found in TEXTS:
        return "text"
    if found in also:
        return "other"
    if found in DATES:
        raise ValueError(_date(column.name, next(iter(column.dropna()), "no values")))
    types = sorted({type(value).__name__.replace("ndarray", "list") for value in column.dropna()})
    remedy = {"bytes": "Decode them to text", "complex": "Give real and imaginary parts a column each"}.get(
        found, "Make them all numbers or all text" if len(types) > 1 else "Give every number in them a column"
    )
    raise ValueError(
        f"A column holds numbers, booleans or text; {column.name!r} has values of type {' and '.join(types)}. "
        f"{remedy}, or drop {column.name!r}."
    )


def coded(column: Any) -> tuple[np.ndarray, list[str]]:
    """The index `[n]` of every value among the distinct ones, -1 if missing, and their text, in their order.

    An empty text is missing.
    """
    values = column.to_numpy(object, na_value=None)
    codes, distinct = optional("pandas").factorize(values, sort=True)
    if len(distinct) and isinstance(distinct[0], str) and distinct[0] == "":  # sorts before all other text
        codes, distinct = np.maximum(codes - 1, -1), distinct[1:]
    return codes, [str(value) for value in distinct]


def number(column: Any) -> np.ndarray:
    """A column of numbers `[n]` float64, NaN for missing."""
    if kind(column) == "text":
        _, values = coded(column)
        if values:
            raise ValueError(
                f"{column.name!r} holds numbers in training; here it has {strange(values)!r}. Leave that empty."
            )
        return np.full(len(column), np.nan)
    try:
        return column.to_numpy(float, na_value=np.nan)
    except OverflowError:  # an integer of more than 308 digits
        return np.full(len(column), np.inf)


def learned(frame: Any) -> tuple[dict[str, list[str]], list[str]]:
    """For each column the categories of its text, none for numbers; and notes."""
    columns, notes = {}, []
    for name, column in frame.items():
        categories = columns[name] = coded(column)[1] if kind(column) == "text" else []
        if categories and all(DATE.fullmatch(value) for value in categories):
            raise ValueError(_date(name, categories[0]))
        doubt = text_notes(name, categories)
        if len(categories) > MOST_CATEGORIES:
            raise ValueError(
                f"A text column may have at most {MOST_CATEGORIES} values; {name!r} has {len(categories)}"
                f"{''.join(f' ({note})' for note in doubt)}. Group them, or drop {name!r}."
            )
        notes += doubt
    return columns, notes


def text_notes(name: str, values: list[str]) -> list[str]:
    """A note if text looks as if it was meant to be numbers."""
    others = _not_numbers(values)
    if values and not others:
        return [f"{name!r} counts as text, although all of its values are numbers"]
    if 0 < len(others) < len(values) / 2:
        return [f"{name!r} counts as text, because not all of its values are numbers: {others[0]!r}"]
    return []


def encoded(frame: Any, columns: dict[str, list[str]]) -> tuple[np.ndarray, list[str]]:
    """The features `[n, F]` float64 of the columns, and notes.

    A number is one feature, NaN if missing. Text is one feature per category, 1 where the row has it; a missing value
    and one that is not among the categories are 0 in all of them.
    """
    parts, notes = [np.empty((len(frame), 0))], []
    for name, categories in columns.items():
        if not categories:
            parts.append(number(frame[name])[:, None])
            continue
        kind(frame[name])
        codes, values = coded(frame[name])
        place = {category: index for index, category in enumerate(categories)}
        index = np.array([place.get(value, -1) for value in values] + [-1])  # the last for a code of -1
        parts.append((index[codes][:, None] == np.arange(len(categories))).astype(np.float32))
        if unseen := [value for value in values if value not in place]:
            notes.append(f"values that training had not count as missing: {listed(unseen)} in {name!r}")
    return np.concatenate(parts, axis=1), notes


def float32(x: np.ndarray, names: list[str]) -> np.ndarray:
    """`x` `[n, F]` rounded to float32; raises ValueError where it is infinite or becomes so. NaN stays."""
    with np.errstate(over="ignore"):
        rounded = x.astype(np.float32)
    if np.any(infinite := np.any(np.isinf(rounded), axis=0)):
        which = [name for name, bad in zip(names, infinite, strict=True) if bad]
        raise ValueError(
            f"Columns must be finite, in the range of float32 (3.4e38); {listed(which)} has infinite or larger values. "
            "Leave them empty, or rescale the column."
        )
    return rounded


def examined(x: np.ndarray, names: list[str]) -> list[str]:
    """Notes on the columns of `x` `[n, F]` that say nothing; raises ValueError for those without any value."""
    low, high = np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)
    if np.any(empty := np.isnan(low)):
        which = _distinct(names, empty)
        raise ValueError(f"Every column needs values; {listed(which)} has none. Drop it.")
    largest = np.maximum(np.abs(low), np.abs(high))
    coarse = (high - low < STEPS * np.spacing(largest.astype(np.float32)).astype(float)) & (
        (high > low) | (largest >= 2**53)
    )
    notes = []
    varied = set(_distinct(names, (high > low) | coarse))
    if constant := [name for name in dict.fromkeys(names) if name not in varied]:
        notes.append(f"constant columns say nothing and are ignored: {listed(constant)}")
    if near := _distinct(names, coarse):
        notes.append(f"float32 hardly tells the values apart; subtract an offset or rescale them: {listed(near)}")
    return notes


def listed(names: list[str], most: int = 5) -> str:
    """The first of the names, and how many there are beside them."""
    text = ", ".join(map(repr, names[:most]))
    return f"{text} and {len(names) - most} more" if len(names) > most else text


def _distinct(names: list[str], which: np.ndarray) -> list[str]:
    return list(dict.fromkeys(name for name, true in zip(names, which, strict=True) if true))


def strange(values: list[str]) -> str:
    """The first of the values that is no number, if there is one."""
    return (_not_numbers(values) or values)[0]


def _not_numbers(values: list[str]) -> list[str]:
    def is_number(value: str) -> bool:
        try:
            float(value)
        except ValueError:
            return False
        return True

    return [value for value in values if not is_number(value)]


def _date(name: Any, value: Any) -> str:
    return (
        f"Dates must become numbers first; {name!r} has {str(value)!r}. "
        f"Use e.g. the year or the days since an event, or drop {name!r}."
    )
