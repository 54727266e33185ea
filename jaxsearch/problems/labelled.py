"""Rows with a target: the table that a search learns from."""

from typing import Any, NamedTuple

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import columns as rules
from jaxsearch.problems.packages import optional

MOST_WHOLE_CLASSES = 20


class Table(NamedTuple):
    """Features and target, as numbers.

    x: `[n, F]`, or images `[n, H, W, C]`, float32, NaN for missing. y: `[n]`, int32 classes or float32 targets.
    columns: for each column of the source the categories that became its features, `[]` for a number; the pixels of an
    image are numbers, row by row. With them `load_rows` brings new rows into the same form; they are plain JSON.
    classes: the label of each class, None for regression. notes: what was done that the user should know.
    groups: `[n]` int32, equal for rows that must not be split, or None.
    """

    name: str
    task: str
    x: np.ndarray
    y: np.ndarray
    columns: dict[str, list[str]]
    classes: list[str] | None
    notes: list[str]
    groups: np.ndarray | None = None

    def flat(self) -> "Table":
        """The same table with `x` `[n, F]`, for models that take no images."""
        return self._replace(x=self.x.reshape(len(self.x), -1))


def from_frame(frame: Any, name: str, target: str, task: str | None, drop: tuple[str, ...], group: str | None) -> Table:
    """The table of a data frame, by the rules that `load` states."""
    frame = rules.named(frame)
    used = [target, *([] if group is None else [group]), *drop]
    for column in used:
        check_name("column", column, list(frame.columns))
    if len(set(used)) < len(used):
        raise ValueError(f"Target, group and dropped columns must differ; got {used}. Name others.")
    if "" in frame.columns and "" not in used:
        place = list(frame.columns).index("") + 1
        raise ValueError(f"Every column needs a name; column {place} has none, as an index. Name it, or drop ''.")
    frame, notes = _with_target(frame.drop(columns=list(drop)), target)
    features = frame.drop(columns=used[:1] if group is None else used[:2])
    if not all(features.shape):
        rows, columns = features.shape
        raise ValueError(
            f"{name!r} needs rows and a column beside target and group; it has {rows} rows and {columns} columns. "
            "Add some."
        )
    task, y, classes, target_notes = labels(frame[target], task)
    groups = None if group is None else grouped(frame[group])
    columns, column_notes = rules.learned(features)
    x, _ = rules.encoded(features, columns)
    names = [column for column, categories in columns.items() for _ in categories or [""]]
    rounded = rules.float32(x, names)
    notes += target_notes + column_notes + rules.examined(x, names)
    return Table(name, task, rounded, y, columns, classes, notes, groups)


def from_arrays(arrays: dict[str, np.ndarray], name: str, target: str, task: str | None, group: str | None) -> Table:
    """The table of the arrays `x`, `target` and, if given, `group`, by the rules that `load` states."""
    used = ["x", target, *([] if group is None else [group])]
    for array in used:
        check_name("array", array, list(arrays))
    if len(set(used)) < len(used):
        raise ValueError(f"x, target and group must be different arrays; got {used}. Name others.")
    flat, names, shape = pixels(arrays["x"])
    vectors = {array: _vector(arrays[array], array, len(flat)) for array in used[1:]}
    frame, notes = _with_target(optional("pandas").DataFrame(vectors), target)
    if frame.empty:
        raise ValueError(f"{name!r} needs rows with a target; it has none. Add some.")
    flat = flat[frame.index]
    task, y, classes, target_notes = labels(frame[target], task)
    groups = None if group is None else grouped(frame[group])
    rounded = rules.float32(flat, names)
    notes += target_notes + rules.examined(flat, names)
    return Table(name, task, rounded.reshape(-1, *shape), y, {n: [] for n in names}, classes, notes, groups)


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


def _vector(values: np.ndarray, name: str, count: int) -> np.ndarray:
    """The array of a target or of groups, as pandas likes it."""
    if values.shape != (count,):
        raise ValueError(f"{name!r} must be [{count}], an entry per row of x; its shape is {values.shape}. Reshape it.")
    if values.dtype.kind not in "biufU":
        raise ValueError(f"{name!r} must hold numbers, booleans or text; it is {values.dtype}. Convert it.")
    return values.astype(float if values.dtype.kind == "f" else values.dtype.newbyteorder("="))


def _with_target(frame: Any, target: str) -> tuple[Any, list[str]]:
    """The rows that have a target, and a note if some have none."""
    rules.kind(frame[target])
    missing = rules.coded(frame[target])[0] < 0
    if not np.any(missing):
        return frame, []
    return frame[~missing], [f"left out {int(np.sum(missing))} rows without a value of {target!r}"]


def labels(column: Any, task: str | None) -> tuple[str, np.ndarray, list[str] | None, list[str]]:
    """The task, `y` `[n]`, the classes' labels or None, and notes."""
    name, text = column.name, rules.kind(column) == "text"
    codes, values = rules.coded(column)
    numbers = np.empty((0, 1)) if text else rules.number(column)[:, None]
    if task is None:
        whole = bool(np.all(numbers == np.round(numbers))) and len(values) <= MOST_WHOLE_CLASSES
        task = "classification" if text or whole else "regression"
    check_name("task", task, ("classification", "regression"))
    if len(values) < 2:
        need = "Classification needs two classes or more" if task == "classification" else "Regression needs variation"
        raise ValueError(f"{need}; the target {name!r} has {len(values)} value. Use another target.")
    y = rules.float32(numbers, [name])
    if task == "classification":
        return task, codes.astype(np.int32), values, rules.text_notes(name, values) if text else []
    if text:
        raise ValueError(
            f"Regression needs numbers in the target; {name!r} has text such as {rules.strange(values)!r}. "
            "Use classification, or another target."
        )
    if np.ptp(y) == 0:
        raise ValueError(f"Regression needs a target that varies in float32; {name!r} does not. Subtract an offset.")
    return task, y[:, 0], None, rules.examined(numbers, [name])


def grouped(column: Any) -> np.ndarray:
    """The groups `[n]` int32 of a column of any values but lists; every row must have one."""
    rules.kind(column, also=(*rules.DATES, "bytes"))
    codes, _ = rules.coded(column)
    if missing := int(np.sum(codes < 0)):
        raise ValueError(f"Every row needs a group; {missing} rows have no {column.name!r}. Fill them in.")
    return codes.astype(np.int32)
