"""Columns of a data frame as features, by their descriptions: the same for rows of training and for new rows."""

from typing import Any, NamedTuple

import numpy as np

from jaxsearch.problems import columns as values_of
from jaxsearch.problems import dates
from jaxsearch.problems import moments as calendar
from jaxsearch.problems.descriptions import UNUSED, Column


class Rows(NamedTuple):
    """Features `[n, F]` float32, NaN for missing, and what was done to them that the user should know."""

    x: np.ndarray
    notes: list[str]


def encoded(column: Any, about: Column) -> tuple[np.ndarray, list[str]]:
    """The features `[n, K]` float64 of a column of a data frame, NaN if missing, and notes.

    A missing value is 0 in every feature of a flag and of categories, and so is one that is not among them, unless
    there is a feature for the rest.
    """
    if about.kind in UNUSED:
        return np.empty((len(column), 0)), []
    if about.kind in ("category", "flag"):
        return _categories(column, about)
    if about.kind == "number" and not about.words_missing:
        found, words = values_of.number(column)[:, None], []
    elif about.kind == "number":
        found, words = values_of.numbers_among(column)
        found = found[:, None]
    elif about.kind == "ordered category":
        codes, values = values_of.coded(column, values_of.plain)
        place = {category: index for index, category in enumerate(about.categories)}
        words = [value for value in values if value not in place]
        found = np.array([place.get(value, np.nan) for value in values] + [np.nan])[codes][:, None]
    else:
        found, words = moments(column, about.kind, about.order)
        found = (
            calendar.parts(found, about.parts, calendar.from_iso(about.reference))
            if about.kind == "date"
            else found[:, None]
        )
    notes = [_unseen(words, str(column.name))] if words else []
    if about.indicator:
        found = np.concatenate([found, np.isnan(found[:, :1])], axis=1)
    return found, notes


def moments(column: Any, kind: str, order: str) -> tuple[np.ndarray, list[str]]:
    """Dates, durations or times of day as numbers `[n]` float64, NaN for missing, and words that are none."""
    type_ = values_of.kind(column)
    if kind == "date" and type_ == "date":
        return calendar.days_of(column), []
    if kind == "duration" and type_ == "span":
        return calendar.durations(column), []
    codes, values = values_of.coded(column, values_of.plain)
    if kind == "date":
        known = dates.days(values, order)
    elif kind == "duration":
        known = dates.durations_in(values)
    else:
        known = dates.hours_in(values)
    words = [value for value, moment in zip(values, known, strict=True) if np.isnan(moment)]
    return np.append(known, np.nan)[codes], words


def _categories(column: Any, about: Column) -> tuple[np.ndarray, list[str]]:
    values_of.kind(column, also=("datetime64", "datetime", "date"))
    codes, values = values_of.coded(column, values_of.plain)
    place = {category: index for index, category in enumerate(about.categories)}
    others = len(place) if about.rest else -1
    index = np.array([place.get(value, others) for value in values] + [-1])  # the last for a code of -1
    found = (index[codes][:, None] == np.arange(len(about.features))).astype(float)
    unseen = [] if about.rest else [value for value in values if value not in place]
    return found, [_unseen(unseen, str(column.name))] if unseen else []


def _unseen(values: list[str], name: str) -> str:
    return f"values that training had not count as missing: {values_of.listed(values)} in {name!r}"
