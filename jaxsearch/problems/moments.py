"""Dates and durations of data frames as numbers, and the parts of a date that a network can use."""

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxsearch.problems.packages import optional

PARTS = ("year", "month", "weekday", "hour", "days")


def days_of(column: Any) -> np.ndarray:
    """The days `[n]` float64 since 1970 of a pandas column of dates, times or periods; NaN for missing ones.

    The clock on the wall counts, whatever its time zone.
    """
    pandas = optional("pandas")
    if isinstance(column.dtype, pandas.PeriodDtype):
        column = column.dt.to_timestamp()
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_localize(None)
    if column.dtype.kind == "M":
        moments = column.to_numpy("datetime64[us]")
        return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 86_400e6)
    return np.array([_days_of_object(value) for value in column], float)


def durations(column: Any) -> np.ndarray:
    """The days `[n]` float64 that the time differences of a pandas column last; NaN for missing ones."""
    found = column.to_numpy("timedelta64[us]")
    return np.where(np.isnat(found), np.nan, found.astype(np.int64) / 86_400e6)


def varying_parts(moments: np.ndarray, has_days: bool) -> list[str]:
    """The parts that differ between the moments `[n]`; none of days where only months are known."""
    values = parts(moments, PARTS)
    known = values[~np.isnan(moments)]
    skipped = () if has_days else ("weekday", "hour")
    varies = np.any(known != known[:1], axis=0)
    return [part for part, true in zip(PARTS, varies, strict=True) if true and part not in skipped]


def parts(moments: np.ndarray, names: Sequence[str], reference: float = 0.0) -> np.ndarray:
    """The parts `[n, K]` float64 of moments `[n]`, in days since 1970; NaN where those are.

    year; month 1 .. 12; weekday 0 (Monday) .. 6; hour [0, 24); days since the `reference`.
    """
    missing = np.isnan(moments)
    whole = np.floor(np.where(missing, 0, moments))
    months = whole.astype("datetime64[D]").astype("datetime64[M]").astype(int)
    found = {
        "year": 1970 + months // 12,
        "month": 1 + months % 12,
        "weekday": (whole + 3) % 7,  # 1970 began on a Thursday
        "hour": np.where(missing, 0, moments - whole) * 24,
        "days": np.where(missing, 0, moments) - reference,
    }
    values = np.stack([found[name].astype(float) for name in names], axis=1)
    return np.where(missing[:, None], np.nan, values)


def iso(day: float) -> str:
    """The date of a number of days since 1970, in the form of ISO 8601."""
    return str(np.datetime64(int(np.floor(day)), "D"))


def from_iso(text: str) -> float:
    """The days since 1970 of a date from `iso`."""
    return float(np.datetime64(text, "D").astype(int))


def _days_of_object(value: Any) -> float:
    """Of a date or a time stamp from Python, pandas or NumPy; NaN for what is missing."""
    pandas = optional("pandas")
    if pandas.isna(value):
        return np.nan
    if isinstance(value, pandas.Period):
        value = value.to_timestamp()
    if isinstance(value, datetime.datetime):
        value = value.replace(tzinfo=None)
    return np.datetime64(value, "us").astype(np.int64) / 86_400e6
