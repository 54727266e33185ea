"""Data frames as tables to learn from."""

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import column_kinds, descriptions, suspicions, targets
from jaxsearch.problems import columns as rules
from jaxsearch.problems.descriptions import Column
from jaxsearch.problems.files import Reading
from jaxsearch.problems.labelled import Examination, Table, TableSpec, chosen_labels, with_target
from jaxsearch.problems.refusals import complaint, listed, misread, option

AS_ROW_NUMBER = "it counts the rows"


def examine(reading: Reading, name: str, spec: TableSpec) -> Examination:
    """What the columns of a data frame are, by the rules that `load` states, and the table if they make one.

    Raises:
        ValueError: where there is nothing to examine, such as no rows or no such target.
    """
    frame = rules.named(reading.frame)
    order = list(frame.columns)
    _check_names(order, spec, reading.separator)
    frame, notes = with_target(frame.drop(columns=list(spec.drop)), spec.target)
    used = [spec.target] if spec.group is None else [spec.target, spec.group]
    if not len(frame) or len(frame.columns) == len(used):
        raise ValueError(
            f"{name!r} needs rows and a column beside target and group; it has {len(frame)} rows and "
            f"{len(frame.columns) - len(used)} columns. Add some."
        )
    notes = [*reading.notes, *notes]
    found, problem = None, reading.faults.get(spec.target, "")
    try:
        rows, found = chosen_labels(frame[spec.target], spec)
        frame = frame[rows]
        notes += found.notes
    except ValueError as error:  # told together with what is wrong with the columns
        problem = problem or str(error)
    features = frame.drop(columns=used)
    columns = column_kinds.described(features, spec.categorical, spec.number, reading.faults)
    if found is not None:
        notes += _suspicions(columns, found.y, spec)
    notes += _left_out(columns.columns) + columns.notes
    x, names = _together(columns, len(frame))
    if columns.problems:
        problem = f"{problem} {complaint(columns.problems)}".strip()
    elif not problem and not x.shape[1]:
        problem = f"{name!r} needs a column that tells something; all are left out. Keep one, or add some."
    unused = {column: descriptions.unused("dropped by the user", "dropped") for column in spec.drop}
    unused |= {column: descriptions.unused("see below", "unusable") for column in columns.problems}
    described = columns.columns | unused
    about = {column: described[column].to_json() for column in order if column in described}
    if problem or found is None:
        return Examination(name, frame, spec, about, notes, None, problem)
    notes += rules.examined(x, names)
    groups = None if spec.group is None else targets.grouped(frame[spec.group])
    rounded = rules.float32(x, names)
    table = Table(name, found.task, rounded, found.y, about, found.classes, notes, groups)
    table = table._replace(reading=reading.remembered(spec.dialect.missing))
    return Examination(name, frame, spec, about, notes, table)


def _check_names(known: list[str], spec: TableSpec, separator: str) -> None:
    """Raises ValueError for columns that are not there, or named twice, or have no name.

    separator: that was found, see `Reading`.
    """
    used = [spec.target, *([] if spec.group is None else [spec.group]), *spec.drop]
    for column in (*used, *spec.categorical, *spec.number):
        try:
            check_name("column", column, known)
        except ValueError as error:
            raise ValueError(f"{error}{misread(separator, column, known)}") from None
    if len(set(used)) < len(used):
        raise ValueError(f"Target, group and dropped columns must differ; got {used}. Name others.")
    both = [*used, *spec.categorical, *spec.number]
    if len(set(both)) < len(both):
        twice = next(column for column in both if both.count(column) > 1)
        raise ValueError(
            f"A column counts as one thing; {twice!r} is named twice among target, group, dropped, categorical and "
            "number. Name it once."
        )
    if "" in known and "" not in used:
        place = known.index("") + 1
        raise ValueError(
            f"Every column needs a name; column {place} has none, as an index. Name it, or drop it: --drop ''."
        )


def _suspicions(columns: column_kinds.Described, y: np.ndarray, spec: TableSpec) -> list[str]:
    """Leaves out columns that count the rows, and gives notes on what a model should perhaps not learn from."""
    notes = []
    for name, about in list(columns.columns.items()):
        x, drop = columns.features[name], option("drop", [name])
        if about.kind == "number" and suspicions.is_row_number(name, x[:, 0]):
            others = sum(len(other.features) for other in columns.columns.values()) - len(about.features)
            if suspicions.counts_rows(x[:, 0]) and name not in spec.number and others:
                columns.columns[name] = descriptions.unused(AS_ROW_NUMBER)
                columns.features[name] = x[:, :0]
                continue
            notes.append(f"{name!r} looks like a row number; {drop} unless it says something about new rows")
        if not about.features:
            continue
        if how := suspicions.decides(_values(x, about), y, about.kind in descriptions.MEASURED):
            note = f"{name!r} may tell the answer: {how} {spec.target!r}; {drop} if it is not known when you predict"
            if about.kind == "number" and how == suspicions.EACH_VALUE and _are_codes(x[:, 0]):
                note += f", or {option('categorical', [name])} if its numbers are codes"
            notes.append(note)
    return notes


def _left_out(columns: dict[str, Column]) -> list[str]:
    """Notes on columns that were left out for the user, and how to keep them."""
    notes = []
    for why, what, keep in (
        (AS_ROW_NUMBER, "row numbers", "number"),
        (column_kinds.AS_NAME, "names, a text of its own in most rows", "categorical"),
    ):
        if names := [name for name, about in columns.items() if about.why == why]:
            ways = f"{option('drop', names)}, or keep one by --{keep}"
            notes.append(f"left out what looks like {what}: {listed(names)}; {ways}")
    return notes


def _are_codes(values: np.ndarray) -> bool:
    """Whether numbers `[n]` may be codes: a few whole ones."""
    known = np.unique(values[~np.isnan(values)])
    return 2 < len(known) <= column_kinds.FEW and bool(np.all(known == np.round(known)))


def _values(x: np.ndarray, about: Column) -> np.ndarray:
    """The column `[n]` as one number a row: its value, or the place of its category; NaN if it is missing."""
    if about.kind in descriptions.MEASURED:
        return x[:, len(about.parts) - 1 if about.parts else 0]
    return np.where(x.any(axis=1), x.argmax(axis=1), np.nan)


def _together(columns: column_kinds.Described, count: int) -> tuple[np.ndarray, list[str]]:
    """All features `[n, F]` float64, and for each the name of its column."""
    x = np.concatenate([np.empty((count, 0)), *columns.features.values()], axis=1)
    return x, [name for name, values in columns.features.items() for _ in range(values.shape[1])]
