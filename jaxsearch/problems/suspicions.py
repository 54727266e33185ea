"""Columns that are probably not what a model should learn from: row numbers, and what decides the target exactly.

Each is only noted, as a program cannot know what will be known of new rows.
"""

import re
from math import lgamma, log

import numpy as np

LEAST_ROWS = 20  # below them anything may happen by chance
EACH_VALUE = "each of its values has one value of"
_ID = re.compile(r"(.*[ ._-])?(id|idx|index|row|rownames|row[ _]?(number|name)s?|unnamed: \d+|key)|", re.IGNORECASE)
SOME = 1000  # rows that are looked at first
CHANCE = log(1e-9)  # that a column decides the target although it has nothing to do with it


def is_row_number(name: str, values: np.ndarray) -> bool:
    """Whether whole numbers `[n]` rise with the rows, are n consecutive ones, or differ and have the name of an id."""
    if len(values) < LEAST_ROWS or not np.all(np.isfinite(values)) or np.any(values != np.round(values)):
        return False
    if np.all(np.diff(values) > 0):
        return True
    if len(np.unique(values)) < len(values):
        return False
    return bool(np.ptp(values) + 1 == len(values) or _ID.fullmatch(name))


def counts_rows(values: np.ndarray) -> bool:
    """Whether numbers `[n]` are those that a program gives rows: 0, 1, 2, ... or 1, 2, 3, ..., a few left out."""
    steps = np.diff(values)
    return bool(len(values) >= LEAST_ROWS and values[0] in (0, 1) and np.all(steps > 0) and np.mean(steps == 1) > 0.5)


def decides(values: np.ndarray, y: np.ndarray, has_order: bool) -> str | None:
    """How a column decides the target exactly, in words, if that cannot be by chance.

    Args:
        values: `[n]` float64; numbers, or the codes of categories; NaN for missing.
        y: `[n]`, classes or numbers.
        has_order: whether the values are numbers.
    """
    if len(values) < LEAST_ROWS:
        return None
    # What does not hold for some rows does not hold for all; those of many rows are quickly told.
    if len(values) > 2 * SOME and not _decides(values[:SOME], y[:SOME], has_order, chance=np.inf):
        return None
    return _decides(values, y, has_order, CHANCE)


def _decides(values: np.ndarray, y: np.ndarray, has_order: bool, chance: float) -> str | None:
    _, y = np.unique(y, return_inverse=True)
    counts = np.bincount(y)
    missing = np.isnan(values)
    _, groups = np.unique(np.where(missing, np.inf, values), return_inverse=True)
    if np.any(missing) and _pure(missing.astype(int), y, counts, chance):
        return "whether it is missing decides"
    if has_order and not np.any(missing) and _ordered(values, groups, y, counts, chance):
        return "its order is that of" if len(counts) > 2 else "a limit in it decides"
    return EACH_VALUE if _pure(groups, y, counts, chance) else None


def _pure(groups: np.ndarray, y: np.ndarray, counts: np.ndarray, chance: float) -> bool:
    """Whether y `[n]` is one value in every group `[n]`, which is improbable where it is by chance."""
    sizes = np.bincount(groups)
    first = np.zeros(len(sizes), y.dtype)
    first[groups] = y
    if np.any(first[groups] != y):
        return False
    shares = counts / len(y)
    found, times = np.unique(sizes[sizes > 1], return_counts=True)
    return sum(count * log(np.sum(shares**size)) for size, count in zip(found, times, strict=True)) < chance


def _ordered(values: np.ndarray, groups: np.ndarray, y: np.ndarray, counts: np.ndarray, chance: float) -> bool:
    """Whether rows in the order of the values have equal y `[n]` beside each other, or y in its own order."""
    order = np.lexsort((y, values))
    sorted_y, sorted_groups = y[order], groups[order]
    changes = np.diff(sorted_y) != 0
    if np.any(changes & (np.diff(sorted_groups) == 0)):  # one value has two values of y
        return False
    if np.sum(changes) != len(counts) - 1:
        return False
    # The orders of n rows that differ are n! / (n1! n2! ...), of which those where equals lie together are few.
    kinds = lgamma(len(counts) + 1)
    steps = np.diff(sorted_y)
    if np.all(steps >= 0) or np.all(steps <= 0):
        kinds = log(2)
    return kinds + sum(map(lgamma, (counts + 1).tolist())) - lgamma(len(y) + 1) < chance
