"""Rows with a target: the table that a search learns from."""

from typing import Any, NamedTuple

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import columns as rules
from jaxsearch.problems import descriptions, targets
from jaxsearch.problems.cells import Dialect
from jaxsearch.problems.packages import optional

MOST_CHANNELS = 4  # of usual images: gray, gray and opacity, red green blue, and opacity


class UnusableTableError(ValueError):
    """A table that cannot be used. notes: what the user should know besides."""

    def __init__(self, message: str, notes: list[str]):
        super().__init__(message)
        self.notes = notes


class Table(NamedTuple):
    """Features and target, as numbers.

    x: `[n, F]`, or images `[n, H, W, C]`, float32, NaN for missing. y: `[n]`, int32 classes or float32 targets.
    columns: what each column of the source counts as, in its order, as plain JSON (see `descriptions.Column`): "kind",
    "features", the names of its features in the order of `x`, and what else `load_rows` needs to bring new rows into
    the same form; columns without features have "why". The pixels of an image are columns of numbers, row by row.
    classes: the label of each class, None for regression. notes: what was done that the user should know.
    groups: `[n]` int32, equal for rows that must not be split, or None. reading: how numbers were written, by which
    `load_rows` reads new files, plain JSON; None where there was no frame.
    """

    name: str
    task: str
    x: np.ndarray
    y: np.ndarray
    columns: dict[str, dict[str, Any]]
    classes: list[str] | None
    notes: list[str]
    groups: np.ndarray | None = None
    reading: dict[str, Any] | None = None

    def flat(self) -> "Table":
        """The same table with `x` `[n, F]`, for models that take no images."""
        return self._replace(x=self.x.reshape(len(self.x), -1))


class TableSpec(NamedTuple):
    """What the user says of the columns of a table, as in `load`."""

    target: str = ""
    task: str | None = None
    drop: tuple[str, ...] = ()
    group: str | None = None
    categorical: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    rare_classes: str | None = None
    least_class_rows: int = targets.LEAST_ROWS
    dialect: Dialect = Dialect()


class Examination(NamedTuple):
    """What a source of data is, whether it can be used or not.

    frame: the rows that have a target, as they were read; None for sets and arrays, which have none. columns, notes: as
    in `Table`. table: None if there is a problem, a line that says what it is.
    """

    name: str
    frame: Any
    spec: TableSpec
    columns: dict[str, dict[str, Any]]
    notes: list[str]
    table: Table | None
    problem: str = ""

    def usable(self) -> Table:
        """The table. Raises UnusableTableError, with the notes, if there is a problem."""
        if self.table is None:
            raise UnusableTableError(self.problem, self.notes)
        return self.table


def from_arrays(arrays: dict[str, np.ndarray], name: str, spec: TableSpec) -> Table:
    """The table of the arrays `x`, `target` and, if given, `group`, by the rules that `load` states."""
    target, group = spec.target, spec.group
    used = ["x", target, *([] if group is None else [group])]
    for array in used:
        check_name("array", array, list(arrays))
    if len(set(used)) < len(used):
        raise ValueError(f"x, target and group must be different arrays; got {used}. Name others.")
    flat, names, shape = pixels(arrays["x"])
    vectors = {array: _vector(arrays[array], array, len(flat)) for array in used[1:]}
    frame, notes = with_target(optional("pandas").DataFrame(vectors), target)
    if frame.empty:
        raise ValueError(f"{name!r} needs rows with a target; it has none. Add some.")
    rows, found = chosen_labels(frame[target], spec)
    flat = flat[frame.index[rows]]
    groups = None if group is None else targets.grouped(frame[group][rows])
    rounded = rules.float32(flat, names)
    notes += _doubtful_axes(shape) + found.notes + rules.examined(flat, names)
    x = rounded.reshape(-1, *shape)
    return Table(name, found.task, x, found.y, descriptions.all_numbers(names), found.classes, notes, groups)


def pixels(x: np.ndarray) -> tuple[np.ndarray, list[str], tuple[int, ...]]:
    """The array `x` as `[n, F]` float64, the names of its features, and the shape of a row: `(F,)` or `(H, W, C)`."""
    if x.ndim not in (2, 3, 4) or 0 in x.shape:
        raise ValueError(
            f"x must be [n, F], [n, H, W] or [n, H, W, C], and not empty; its shape is {x.shape}. Reshape it."
        )
    if x.dtype.kind not in "biuf":
        raise ValueError(f"x must hold numbers; it is {x.dtype}. Convert it, e.g. by x.astype('float32').")
    with np.errstate(over="ignore"):
        flat = x.reshape(len(x), -1).astype(float)
    if x.ndim == 2:
        return flat, [f"x{i}" for i in range(x.shape[1])], x.shape[1:]
    shape = x.shape[1:] if x.ndim == 4 else (*x.shape[1:], 1)
    parts = shape if shape[2] > 1 else shape[:2]
    return flat, ["_".join(map(str, ("pixel", *index))) for index in np.ndindex(parts)], shape


def _doubtful_axes(shape: tuple[int, ...]) -> list[str]:
    """A note where the first axis of an image looks like that of channels, as other libraries order them."""
    if len(shape) < 3 or shape[0] > MOST_CHANNELS or min(shape[1:]) <= MOST_CHANNELS:
        return []
    height, width, channels = shape
    return [
        f"x counts as images of height {height}, width {width} and {channels} channels; if its axes are "
        "channels, height and width, write x.transpose(0, 2, 3, 1)"
    ]


def _vector(values: np.ndarray, name: str, count: int) -> np.ndarray:
    """The array of a target or of groups, as pandas likes it."""
    if values.shape != (count,):
        raise ValueError(f"{name!r} must be [{count}], an entry per row of x; its shape is {values.shape}. Reshape it.")
    if values.dtype.kind not in "biufU":
        raise ValueError(f"{name!r} must hold numbers, booleans or text; it is {values.dtype}. Convert it.")
    return values.astype(float if values.dtype.kind == "f" else values.dtype.newbyteorder("="))


def chosen_labels(column: Any, spec: TableSpec) -> tuple[np.ndarray, targets.Labels]:
    """The rows `[n]` bool that stay, and their labels, with rare classes as the user wishes."""
    if spec.rare_classes is None:
        found = targets.labels(column, spec.task)
        notes = targets.rare_notes(found, column.name, spec.least_class_rows)
        return np.ones(len(column), bool), found._replace(notes=found.notes + notes)
    found = targets.labels(column, spec.task, repeated=False)
    return targets.without_rare(found, column.name, spec.rare_classes, spec.least_class_rows)


def with_target(frame: Any, target: str) -> tuple[Any, list[str]]:
    """The rows that have a target, and a note if some have none."""
    rules.kind(frame[target])
    missing = rules.coded(frame[target])[0] < 0
    if not np.any(missing):
        return frame, []
    return frame[~missing], [f"left out {int(np.sum(missing))} rows without a value of {target!r}"]
