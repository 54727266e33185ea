"""What a column counts as: one description for the rows of training and for new rows."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from jaxsearch.problems import moments as calendar

KINDS = (
    "number",
    "flag",
    "category",
    "ordered category",
    "date",
    "duration",
    "time of day",
    "left out",
    "dropped",
    "unusable",
)
PLAIN_ORDER = "year first"  # of dates that leave no doubt
UNUSED = ("left out", "dropped", "unusable")
MEASURED = ("number", "ordered category", "date", "duration", "time of day")  # NaN where they are missing


@dataclasses.dataclass(frozen=True)
class Column:
    """What a column counts as, one of `KINDS`, and all that makes its features of new values.

    features: their names. categories: the values of a flag (one) or of categories, in their order; each is a 0/1
    feature, except that ordered ones are one number, their place. rest: whether one more 0/1 feature is for all other
    values. order, parts, reference: of dates, how they are written, what becomes of them, and the day, in ISO 8601,
    that their days count from. words_missing: whether words among numbers count as missing. indicator: whether the
    last feature is 1 where the value is missing. why: the reason why it has no features.
    """

    kind: str
    features: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    rest: bool = False
    order: str = ""
    parts: tuple[str, ...] = ()
    reference: str = ""
    words_missing: bool = False
    indicator: bool = False
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """The description as plain JSON, without what it does not have."""
        facts = {field.name: (getattr(self, field.name), field.default) for field in dataclasses.fields(self)}
        plain = {name: value for name, (value, default) in facts.items() if name == "features" or value != default}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def from_json(columns: Mapping[str, Any]) -> dict[str, Column]:
    """The descriptions that `Column.to_json` wrote, or that version 0.1 wrote: the list of categories of each column.

    Raises:
        ValueError: for what is neither.
    """
    try:
        return {name: _from_json(name, facts) for name, facts in columns.items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"The columns of a model must be as this version describes them; got others: {error}. "
            "Use the version that wrote the model, or train it again."
        ) from None


def _from_json(name: str, facts: Any) -> Column:
    if isinstance(facts, list):
        return category(name, facts) if facts else number(name)
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
    column = Column(**given)
    if column.kind not in KINDS:
        raise ValueError(f"{name!r} counts as {column.kind!r}")
    return column


def number(name: str, words_missing: bool = False) -> Column:
    """A column of numbers."""
    return Column("number", (name,), words_missing=words_missing)


def all_numbers(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Columns of numbers, as plain JSON."""
    return {name: number(name).to_json() for name in names}


def category(name: str, categories: list[str], rest: bool = False) -> Column:
    """A column of text: a 0/1 feature for each category, and one for the rest."""
    features = [f"{name}={value}" for value in categories] + [f"{name}=..."] * rest
    return Column("category", tuple(features), tuple(categories), rest=rest)


def flag(name: str, value: str) -> Column:
    """A column that has one value or is missing, which says as much as yes and no."""
    return Column("flag", (f"{name}={value}",), (value,))


def ordered(name: str, categories: list[str]) -> Column:
    """Categories with an order: the place of the value among them, from 0."""
    return Column("ordered category", (name,), tuple(categories))


def date(name: str, moments: np.ndarray, has_days: bool, order: str) -> Column:
    """Dates, of which the parts that differ between the moments `[n]`, in days since 1970, become features."""
    parts = calendar.varying_parts(moments, has_days) or ["days"]
    reference = calendar.iso(np.nanmin(moments))
    return Column(
        "date", tuple(f"{name} {part}" for part in parts), order=order, parts=tuple(parts), reference=reference
    )


def duration(name: str) -> Column:
    """Time differences, in days."""
    return Column("duration", (f"{name} days",))


def time_of_day(name: str) -> Column:
    """Times without a date, in hours since midnight."""
    return Column("time of day", (f"{name} hour",))


def with_indicator(name: str, about: Column) -> Column:
    """The column with one more feature, 1 where it is missing."""
    return dataclasses.replace(about, features=(*about.features, f"{name} is missing"), indicator=True)


def unused(why: str, kind: str = "left out") -> Column:
    """A column without features."""
    return Column(kind, why=why)
