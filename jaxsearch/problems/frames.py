"""Data frames as tables to learn from."""

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import column_kinds, descriptions, suspicions, targets
from jaxsearch.problems import columns as rules
from jaxsearch.problems.descriptions import Column
from jaxsearch.problems.files import Reading
from jaxsearch.problems.labelled import Table, UnusableTableError, Wishes, chosen_labels, with_target
from jaxsearch.problems.refusals import complaint, option


def from_frame(reading: Reading, name: str, wishes: Wishes) -> Table:
    """The table of a data frame, by the rules that `load` states.

    Raises:
        UnusableTableError: with all that is wrong with its columns, and the notes.
    """
    frame = rules.named(reading.frame)
    order = list(frame.columns)
    _check_names(order, wishes)
    target = wishes.target
    frame, notes = with_target(frame.drop(columns=list(wishes.drop)), target)
    used = [target] if wishes.group is None else [target, wishes.group]
    if not len(frame) or len(frame.columns) == len(used):
        raise ValueError(
            f"{name!r} needs rows and a column beside target and group; it has {len(frame)} rows and "
            f"{len(frame.columns) - len(used)} columns. Add some."
        )
    notes = [*reading.notes, *notes]
    found, problem = None, reading.faults.get(target, "")
    try:
        rows, found = chosen_labels(frame[target], wishes)
        frame = frame[rows]
        notes += found.notes
    except ValueError as error:  # told together with what is wrong with the columns
        problem = problem or str(error)
    features = frame.drop(columns=used)
    columns = column_kinds.described(features, wishes.categorical, wishes.number, reading.faults)
    if found is not None:
        notes += _suspicions(columns, found.y, wishes)
    notes += columns.notes
    x, names = _together(columns, len(frame))
    if columns.problems:
        problem = f"{problem} {complaint(columns.problems)}".strip()
    elif not problem and not x.shape[1]:
        problem = f"{name!r} needs a column that tells something; all are left out. Keep one, or add some."
    dropped = {column: descriptions.unused("dropped by the user", "dropped") for column in wishes.drop}
    described = columns.columns | dropped
    about = {column: described[column].to_json() for column in order if column in described}
    if problem or found is None:
        raise UnusableTableError(problem, notes, about)
    notes += rules.examined(x, names)
    groups = None if wishes.group is None else targets.grouped(frame[wishes.group])
    rounded = rules.float32(x, names)
    return Table(name, found.task, rounded, found.y, about, found.classes, notes, groups)


def _check_names(known: list[str], wishes: Wishes) -> None:
    """Raises ValueError for columns that are not there, or named twice, or have no name."""
    used = [wishes.target, *([] if wishes.group is None else [wishes.group]), *wishes.drop]
    for column in (*used, *wishes.categorical, *wishes.number):
        check_name("column", column, known)
    if len(set(used)) < len(used):
        raise ValueError(f"Target, group and dropped columns must differ; got {used}. Name others.")
    both = [*used, *wishes.categorical, *wishes.number]
    if len(set(both)) < len(both):
        twice = next(column for column in both if both.count(column) > 1)
        raise ValueError(
            f"A column counts as one thing; {twice!r} is named twice among target, group, dropped, categorical and "
            "number. Name it once."
        )
    if "" in known and "" not in used:
        place = known.index("") + 1
        raise ValueError(f"Every column needs a name; column {place} has none, as an index. Name it, or drop ''.")


def _suspicions(columns: column_kinds.Described, y: np.ndarray, wishes: Wishes) -> list[str]:
    """Leaves out columns that count the rows, and gives notes on what a model should perhaps not learn from."""
    notes = []
    for name, about in list(columns.columns.items()):
        x, drop = columns.features[name], option("drop", [name])
        if about.kind == "number" and suspicions.is_row_number(x[:, 0]):
            others = sum(len(other.features) for other in columns.columns.values()) - len(about.features)
            if suspicions.counts_rows(x[:, 0]) and name not in wishes.number and others:
                columns.columns[name] = descriptions.unused("counts the rows")
                columns.features[name] = x[:, :0]
                keep = option("number", [name])
                notes.append(f"left out {name!r}, a row number: {drop}, or keep it by {keep}")
                continue
            notes.append(f"{name!r} looks like a row number; {drop} unless it says something about new rows")
        if not about.features:
            continue
        if how := suspicions.decides(_values(x, about), y, about.kind in descriptions.MEASURED):
            notes.append(suspicions.spoken(name, how, wishes.target, drop))
    return notes


def _values(x: np.ndarray, about: Column) -> np.ndarray:
    """The column `[n]` as one number a row: its value, or the place of its category; NaN if it is missing."""
    if about.kind in descriptions.MEASURED:
        return x[:, len(about.parts) - 1 if about.parts else 0]
    return np.where(x.any(axis=1), x.argmax(axis=1), np.nan)


def _together(columns: column_kinds.Described, count: int) -> tuple[np.ndarray, list[str]]:
    """All features `[n, F]` float64, and for each the name of its column."""
    x = np.concatenate([np.empty((count, 0)), *columns.features.values()], axis=1)
    return x, [name for name, values in columns.features.items() for _ in range(values.shape[1])]
