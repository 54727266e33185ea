"""The values of a data frame's columns: what type they are of, and how they are read as numbers or as text."""

import collections
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxsearch.problems.packages import optional
from jaxsearch.problems.refusals import UnusableColumnError, listed, option

NUMBERS = ("boolean", "integer", "floating", "mixed-integer-float", "decimal")
TEXTS = ("string", "categorical")
DATES = ("datetime64", "datetime", "date", "period")
SPANS = ("timedelta64", "timedelta")
MOST_NAMED = 5  # words in an option
STEPS = 1000  # that float32 must have between the least and the largest value of a column
_WHOLE = re.compile(r"([+-]?(?:0|[1-9]\d*))\.0*")


def named(frame: Any) -> Any:
    """The frame with the text of its column names as names, without blanks around them, which must differ."""
    names = [str(name).strip() for name in frame.columns]
    if twice := [name for name, count in collections.Counter(names).items() if count > 1]:
        raise ValueError(f"Column names must differ; {listed(twice)} comes more than once. Rename its columns.")
    return frame.set_axis(names, axis=1)


def kind(column: Any, also: tuple[str, ...] = ()) -> str:
    """Tells "number", "text", "ordered", "date", "span", "time" or, where `also` has such kinds, "other".

    Booleans and decimals are numbers, categories are text. Raises ValueError for bytes, lists and mixtures.
    """
    infer = optional("pandas").api.types.infer_dtype
    found = infer(column, skipna=True)
    if found == "categorical":
        inner = infer(column.cat.categories)
        if inner in (*TEXTS, *NUMBERS) and column.cat.ordered:
            return "ordered"
        found = found if inner in (*TEXTS, *NUMBERS, "empty") else inner
    if found in NUMBERS or found == "empty":
        return "number"
    for name, types in (("text", TEXTS), ("date", DATES), ("span", SPANS), ("time", ("time",)), ("other", also)):
        if found in types:
            return name
    types = sorted({type(value).__name__.replace("ndarray", "list") for value in column.dropna()})
    remedy = {"bytes": "Decode them to text", "complex": "Give real and imaginary parts a column each"}.get(
        found, "Make them all numbers or all text" if len(types) > 1 else "Give every number in them a column"
    )
    what = f"has values of type {' and '.join(types)}"
    raise UnusableColumnError("A column holds numbers, text or dates", column.name, what, remedy)


def coded(column: Any, text: Callable[[Any], str] = str) -> tuple[np.ndarray, list[str]]:
    """The index `[n]` of every value among the distinct ones, -1 if missing, and their text, in their order.

    Blanks around a text do not count; one without anything else is missing.
    """
    values = column.to_numpy(object, na_value=None)
    codes, distinct = optional("pandas").factorize(values, sort=True)
    texts = [text(value).strip() for value in distinct]
    kept = dict.fromkeys(texts)
    if len(distinct) and isinstance(distinct[0], str):
        kept = dict.fromkeys(sorted(found for found in kept if found))
    if list(kept) == texts:
        return codes, texts
    place = {found: index for index, found in enumerate(kept)}
    index = np.array([place.get(found, -1) for found in texts] + [-1])  # the last for a code of -1
    return index[codes], list(kept)


def plain(value: Any) -> str:
    """The text of a value that may be a number: whole ones without a decimal point, as 1 and 1.0 are the same."""
    match = _WHOLE.fullmatch(str(value).strip())
    return match[1] if match else str(value)


def number(column: Any) -> np.ndarray:
    """A column of numbers `[n]` float64, NaN for missing."""
    if kind(column) != "number":
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


def numbers_among(column: Any) -> tuple[np.ndarray, list[str]]:
    """The numbers `[n]` float64 of a column that also has words, which are NaN, and those words.

    Raises:
        UnusableColumnError: for words with digits, which may be numbers written in another way.
    """
    if kind(column) == "number":
        return number(column), []
    codes, values = coded(column)
    words = [value for value in values if not is_number(value)]
    if doubtful := with_digits(words):
        raise UnusableColumnError(
            "Words among numbers count as missing if they have no digit",
            column.name,
            f"has {listed(doubtful)}",
            as_missing(doubtful),
        )
    found = np.array([float(value) if is_number(value) else np.nan for value in values] + [np.nan])
    return found[codes], words


def with_digits(words: list[str]) -> list[str]:
    """Those of the words that have digits, which may be numbers in another form, such as <5."""
    return [word for word in words if any(map(str.isdigit, word))]


def as_missing(words: list[str]) -> str:
    """What helps where words with digits stand among numbers."""
    it = "it" if len(words) == 1 else "them"
    few = len(words) <= MOST_NAMED
    return f"Correct {it}, or count {it} as missing: {option('missing', words)}" if few else f"Correct {it}"


def is_number(value: str) -> bool:
    """Whether a text is a number, as Python reads it."""
    try:
        float(value)
    except ValueError:
        return False
    return True


def text_notes(name: str, values: list[str]) -> list[str]:
    """Notes if text looks as if it was meant to be numbers, or the same words."""
    others = [value for value in values if not is_number(value)]
    if values and not others:
        return [f"{name!r} counts as text, although all of its values are numbers"]
    if 0 < len(others) < len(values) / 2:
        return [f"{name!r} counts as text, because not all of its values are numbers: {others[0]!r}"]
    alike = collections.defaultdict(list)
    for value in values:
        alike[value.casefold()].append(value)
    if several := [words for words in alike.values() if len(words) > 1]:
        more = f" and {len(several) - 1} more such" if len(several) > 1 else ""
        words = listed(several[0])
        return [f"{name!r} has values that differ in case only, and stay apart: {words}{more}; write them alike"]
    return []


def float32(x: np.ndarray, names: list[str]) -> np.ndarray:
    """`x` `[n, F]` rounded to float32; raises ValueError where it is infinite or becomes so. NaN stays."""
    with np.errstate(over="ignore"):
        rounded = x.astype(np.float32)
    if np.any(infinite := np.any(np.isinf(rounded), axis=0)):
        which = distinct_names(names, infinite)
        raise ValueError(
            f"Columns must be finite, in the range of float32 (3.4e38); {listed(which)} has infinite or larger values. "
            "Leave them empty, or rescale the column."
        )
    return rounded


def examined(x: np.ndarray, names: list[str]) -> list[str]:
    """Notes on the columns of `x` `[n, F]` that say nothing; raises ValueError for those without any value."""
    low, high = np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)
    if np.any(empty := np.isnan(low)):
        which = distinct_names(names, empty)
        raise ValueError(f"Every column needs values; {listed(which)} has none. Drop it.")
    largest = np.maximum(np.abs(low), np.abs(high))
    coarse = (high - low < STEPS * np.spacing(largest.astype(np.float32)).astype(float)) & (
        (high > low) | (largest >= 2**53)
    )
    notes = []
    varied = set(distinct_names(names, (high > low) | coarse))
    if constant := [name for name in dict.fromkeys(names) if name not in varied]:
        notes.append(f"constant columns say nothing and are ignored: {listed(constant)}")
    if near := distinct_names(names, coarse):
        notes.append(f"float32 hardly tells the values apart; subtract an offset or rescale them: {listed(near)}")
    return notes


def distinct_names(names: list[str], which: np.ndarray) -> list[str]:
    """The names where `which` `[F]` is true, each once."""
    return list(dict.fromkeys(name for name, true in zip(names, which, strict=True) if true))


def strange(values: list[str]) -> str:
    """The first of the values that is no number, if there is one."""
    return next((value for value in values if not is_number(value)), values[0])
