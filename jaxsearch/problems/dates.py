"""Dates, durations and times of day in text, as people write them, as numbers."""

import datetime
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

MONTHS = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "jan feb mrz apr mai jun jul aug sept okt nov dez",
)
SEVERAL = 5  # numbers of eight digits that must all be valid dates before they count as dates
LEAST_SHARE = 0.8  # of the different texts of a column, that must be dates
# How the numbers of a date are written.
ORDERS = ("year first", "month first", "day first")

_NAME = r"(?P<name>[^\W\d_]{3,9})\.?"
_PATTERNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})(?P<sign>[-/. ])(?P<month>\d{1,2})(?P=sign)(?P<day>\d{1,2})",
        r"(?P<first>\d{1,2})(?P<sign>[-/. ])(?P<second>\d{1,2})(?P=sign)(?P<year>\d{4}|\d{2})",
        r"(?P<year>(?:18|19|20|21)\d{2})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<year>\d{4})[-/](?P<month>\d{1,2})",
        r"(?P<month>\d{1,2})[-/](?P<year>\d{4})",
        r"(?P<year>\d{4})[- ]?Q(?P<quarter>[1-4])",
        r"Q(?P<quarter>[1-4])[- /]?(?P<year>\d{4})",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-/. ]*{_NAME}[-/., ]*(?P<year>\d{{4}}|\d{{2}})",
        rf"{_NAME}[-/ ]*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:[-/ ]|, ?)(?P<year>\d{{4}})",
        rf"{_NAME}[-/, ]*(?P<year>\d{{4}}|'?\d{{2}})",
        rf"(?P<year>\d{{4}})[-/ ]?{_NAME}(?:[-/ ]?(?P<day>\d{{1,2}}))?",
    )
]
_CLOCK = r"(?P<hours>\d{1,2}):(?P<minutes>\d{2})(?::(?P<seconds>\d{2}(?:[.,]\d+)?))?(?: ?(?P<half>[ap]\.?m\.?))?"
_WEEKDAY = re.compile(r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? +", re.IGNORECASE)
_TIME = re.compile(rf"(?:T|,? +){_CLOCK}(?: ?(?:Z|UTC|GMT|[+-]\d{{2}}:?(?:\d{{2}})?))?$", re.IGNORECASE)
_TIME_OF_DAY = re.compile(_CLOCK, re.IGNORECASE)
_DURATION = re.compile(r"(?P<days>-?\d+) days?(?: (?P<sign>[+-])?(?P<clock>\d{1,2}:\d{2}:\d{2}(?:\.\d+)?))?")


class MixedOrderError(ValueError):
    """Some dates of a column have the day first and others the month."""


class Format(NamedTuple):
    """How the dates of a column are written.

    order: one of `ORDERS`. certain: whether a date shows it. has_days: whether they name the day, or the month only.
    strange: texts of the column that are no dates.
    """

    order: str
    certain: bool
    has_days: bool
    strange: list[str]


def recognize(texts: Sequence[str]) -> Format | None:
    """How the different `texts` of a column are written, if they are dates and, at most, a few other words.

    Raises:
        MixedOrderError: with words such as "has dates with ...".
    """
    fields = [_fields(text) for text in texts]
    found = [field for field in fields if field is not None]
    if len(found) < max(LEAST_SHARE * len(texts), 1):
        return None
    if all(re.fullmatch(r"\d+", text) for text in texts) and len(texts) < SEVERAL:
        return None
    order, certain = _order(found)
    strange = [text for text, field in zip(texts, fields, strict=True) if field is None or _days(field, order) is None]
    if len(texts) - len(strange) < max(LEAST_SHARE * len(texts), 1):
        return None
    has_days = any("first" in field or field.get("day") for field in found)
    return Format(order, certain, has_days, strange)


def days(texts: Iterable[str], order: str) -> np.ndarray:
    """The days `[n]` float64 since 1970 of dates in text, with the time as a fraction; NaN for what is no date."""
    found = [_days(fields, order) if (fields := _fields(text)) else None for text in texts]
    return np.array([np.nan if day is None else day for day in found], float)


def durations_in(texts: Iterable[str]) -> np.ndarray:
    """The days `[n]` float64 of texts such as "2 days 03:00:00"; NaN for others."""
    found = [_DURATION.fullmatch(text) for text in texts]
    return np.array([np.nan if match is None else _duration(match) for match in found], float)


def hours_in(texts: Iterable[str]) -> np.ndarray:
    """The hours `[n]` float64 since midnight of texts such as 18:30 or 6:30 pm; NaN for others."""
    found = [_TIME_OF_DAY.fullmatch(text) for text in texts]
    return np.array([_hours(match.groupdict()) if match else np.nan for match in found], float)


def _fields(text: str) -> dict[str, str] | None:
    """The numbers and words of a date, by what they are; None if it is no date."""
    text = _WEEKDAY.sub("", text.strip(), count=1)
    clock = _TIME.search(text)
    date = text[: clock.start()] if clock else text
    for pattern in _PATTERNS:
        match = pattern.fullmatch(date)
        if match and ("name" not in match.groupdict() or _month(match["name"])):
            return match.groupdict() | (clock.groupdict() if clock else {})
    return None


def _month(name: str) -> int | None:
    for names in MONTHS:
        for number, full in enumerate(names.split(), 1):
            if full.startswith(name.lower()):
                return number
    return None


def _order(found: list[dict[str, str]]) -> tuple[str, bool]:
    """The order of day and month where both are numbers and the year comes last; and whether a date shows it."""
    numeric = [fields for fields in found if "first" in fields]
    if not numeric:
        return ORDERS[0], True
    month_first, day_first = ORDERS[1:]
    fits = {order: [_days(fields, order) is not None for fields in numeric] for order in (month_first, day_first)}
    only_day_first = [b and not a for a, b in zip(*fits.values(), strict=True)]
    only_month_first = [a and not b for a, b in zip(*fits.values(), strict=True)]
    if any(only_day_first) and any(only_month_first):
        shown = [numeric[which.index(True)] for which in (only_day_first, only_month_first)]
        one, other = ("{first}{sign}{second}{sign}{year}".format(**fields) for fields in shown)
        raise MixedOrderError(f"has dates with the day first, {one!r}, and with the month first, {other!r}")
    if any(only_day_first) or any(only_month_first):
        return (day_first if any(only_day_first) else month_first), True
    # Of the firsts of months the day is the number that does not change.
    if len(numeric) > 2:
        firsts, seconds = ({fields[name] for fields in numeric} for name in ("first", "second"))
        if len(firsts) == 1 < len(seconds):
            return day_first, True
        if len(seconds) == 1 < len(firsts):
            return month_first, True
    return (month_first if numeric[0]["sign"] == "/" else day_first), False


def _days(fields: dict[str, str], order: str) -> float | None:
    """The days since 1970, None if there is no such date."""
    year = int(fields["year"].strip("'"))
    if len(fields["year"].strip("'")) == 2:
        year += 2000 if year < 69 else 1900  # as in POSIX
    if "first" in fields:
        first, second = int(fields["first"]), int(fields["second"])
        month, day = (second, first) if order == ORDERS[2] else (first, second)
    else:
        day = int(fields.get("day") or 1)
        if "name" in fields:
            month = _month(fields["name"])
        else:
            month = int(fields["month"]) if "month" in fields else 3 * int(fields["quarter"]) - 2
    hours = _hours(fields) if fields.get("hours") else 0.0
    try:
        whole = datetime.date(year, month or 0, day).toordinal() - datetime.date(1970, 1, 1).toordinal()
    except ValueError:
        return None
    return None if np.isnan(hours) else whole + hours / 24


def _hours(fields: dict[str, Any]) -> float:
    texts = [fields[name] or "0" for name in ("hours", "minutes", "seconds")]
    hours, minutes, seconds = (float(text.replace(",", ".")) for text in texts)
    if fields["half"]:
        if not 1 <= hours <= 12:
            return np.nan
        hours = hours % 12 + (12 if fields["half"].lower().startswith("p") else 0)
    return hours + minutes / 60 + seconds / 3600 if hours < 24 and minutes < 60 and seconds < 61 else np.nan


def _duration(match: re.Match) -> float:
    clock = 0.0
    if match["clock"]:
        hours, minutes, seconds = map(float, match["clock"].split(":"))
        clock = hours / 24 + minutes / 1440 + seconds / 86_400
    return float(match["days"]) + (-clock if match["sign"] == "-" else clock)
