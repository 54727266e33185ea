"""The columns of a source of data in words, for people who look at them before a search."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.problems import columns as rules
from jaxsearch.problems import descriptions, features, moments
from jaxsearch.problems.descriptions import Column
from jaxsearch.problems.labelled import Examination

SHOWN = 3  # values
LONGEST = 30  # letters of a value


class Profile(NamedTuple):
    """What a column counts as, the number of its features, the rows without a value, its values, and a remark."""

    name: str
    counts_as: str
    num_features: int
    num_missing: int | None
    values: str
    note: str


def profiles(found: Examination) -> list[Profile]:
    """The target, the group and all other columns, in the order of the source."""
    about = descriptions.from_json(found.columns)
    if found.frame is None:
        return list(_of_numbers(found, about))
    rows = [_of_target(found)]
    if found.spec.group is not None:
        column = found.frame[found.spec.group]
        rows.append(Profile(found.spec.group, "group", 0, _missing(column), f"{column.nunique()} groups", ""))
    for name, column in about.items():
        if name in found.frame.columns:
            rows.append(_of_column(found.frame[name], column))
        else:
            rows.append(Profile(name, column.kind, 0, None, "", column.why))
    return rows


def _of_target(found: Examination) -> Profile:
    column = found.frame[found.spec.target]
    if found.table is None:
        return Profile(found.spec.target, "target", 0, 0, _frequent(column), "")
    y, classes = found.table.y, found.table.classes
    if classes is None:
        return Profile(found.spec.target, "target", 0, 0, _range(y), "regression")
    counts = np.bincount(y, minlength=len(classes))
    order = np.argsort(-counts, kind="stable")
    text = ", ".join(f"{_cut(classes[index])} {counts[index]}" for index in order[: 2 * SHOWN])
    more = f", {len(classes) - 2 * SHOWN} more" if len(classes) > 2 * SHOWN else ""
    return Profile(found.spec.target, "target", 0, 0, text + more, f"{len(classes)} classes")


def _of_column(column: Any, about: Column) -> Profile:
    if about.kind == "ordered category":
        values = " < ".join(map(_cut, about.categories[: 2 * SHOWN])) + " < ..." * (len(about.categories) > 2 * SHOWN)
    elif about.kind == "date":
        found, _ = features.moments(column, "date", about.order)
        values = f"{moments.iso(np.nanmin(found))} to {moments.iso(np.nanmax(found))}"
    elif about.kind in descriptions.MEASURED:
        values = _range(features.encoded(column, about)[0][:, 0])
    else:
        values = _frequent(column)
    notes = [about.why] if about.why else []
    if about.kind == "date" and about.order != descriptions.PLAIN_ORDER:
        notes.append(f"{about.order} in the text")
    if about.rest:
        notes.append("the other values together")
    if about.words_missing:
        notes.append("words are missing")
    if about.indicator:
        notes.append("missing is a feature")
    return Profile(column.name, about.kind, len(about.features), _missing(column), values, ", ".join(notes))


def _of_numbers(found: Examination, about: dict[str, Column]) -> Iterator[Profile]:
    """The columns of an examination without a frame, which are numbers."""
    table = found.usable().flat()
    counts = [] if table.classes is None else np.bincount(table.y, minlength=len(table.classes))
    classes = zip(table.classes or [], counts, strict=True)
    text = ", ".join(f"{_cut(label)} {count}" for label, count in classes) or _range(table.y)
    yield Profile(found.spec.target or "target", "target", 0, 0, text, table.task)
    for (name, column), values in zip(about.items(), table.x.T, strict=True):
        yield Profile(name, column.kind, 1, int(np.sum(np.isnan(values))), _range(values), "")


def _missing(column: Any) -> int:
    """Rows without a value; of text also those with blanks only."""
    values = column.to_numpy(object, na_value=None)
    return sum(value is None or (isinstance(value, str) and not value.strip()) for value in values)


def _range(values: np.ndarray) -> str:
    known = values[~np.isnan(values)]
    return f"{known.min():.6g} to {known.max():.6g}" if len(known) else ""


def _frequent(column: Any) -> str:
    """The most frequent values with their numbers of rows, if there are any frequent ones."""
    counts = column.dropna().map(lambda value: _cut(rules.plain(value))).value_counts()
    often = len(counts) and counts.iloc[0] > 1
    text = ", ".join(f"{value} {count}" if often else value for value, count in counts.head(SHOWN).items())
    return f"{text}, {len(counts) - SHOWN} more" if len(counts) > SHOWN else text


def _cut(value: str) -> str:
    value = " ".join(str(value).split())
    return value if len(value) <= LONGEST else f"{value[: LONGEST - 3]}..."
