"""Data to learn from: well-known sets by name, and tables in files. Needs the extra `data`, or `cli`."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import columns as rules
from jaxsearch.problems import descriptions, features, files, frames, labelled
from jaxsearch.problems.cells import Dialect
from jaxsearch.problems.features import Rows
from jaxsearch.problems.labelled import Examination, Table, TableSpec
from jaxsearch.problems.named_sets import BUILT_IN, load_built_in
from jaxsearch.problems.packages import optional
from jaxsearch.problems.targets import LEAST_ROWS


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
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str] = (),
) -> Table:
    """A table to learn from: a set of `BUILT_IN`, a CSV, TSV, XLSX, Parquet or NPZ file, or a pandas data frame.

    Text files may be packed (.gz, .bz2, .xz, .zip). Their first line without a comment or a title has the names of the
    columns. What separates fields, the encoding, and the marks of numbers are found, with a note for each that is not
    the usual one; a file that can be read in two ways is an error that names the option which decides. A number has the
    decimal mark that its column proves, or else the other columns; thousands may be separated by the other mark, blanks
    or apostrophes. `?`, NA, None, null and their like are missing, as are - and . among numbers; a target of text keeps
    all of its words but the empty one. Types are told from the rows that have a target.

    Columns become features by these rules:

    * Numbers and booleans stay numbers, rounded to float32. A missing one (empty, NA, NaN, null, ...) is NaN, which
      training replaces by the mean of its rows; where five rows or more are missing, and as many are not, a 0/1 feature
      says which, one for all columns that are missing together. A column that float32 cannot resolve, such as a large
      number with small changes, is noted; infinite or larger than float32 is an error.
    * One value or missing is one 0/1 feature: a flag.
    * Text and categories become one 0/1 feature per value; blanks around a value do not count. A missing or empty value
      is 0 in all of them, and so is one that only new rows have. Of more than 20 values those in fewer than 3 rows, and
      all but the 99 most frequent ones, have one feature together, with a note, and values that only new rows have go
      there. Ordered categories of a frame are one number, their place from 0.
    * Dates, also as text in the formats that people use, become year, month (1 .. 12), weekday (Monday is 0), hour and
      the days since the first one, as far as these vary. Of 1/2/2020 the month comes first, and of 1.2.2020 and
      1-2-2020 the day, unless another date of the column shows the order. Durations are days, times of day hours.
      Other words among dates count as missing, with a note, if they are at most a fifth of the values.
    * Text that differs in most rows, as names do, is left out with a note, and so is a column that counts the rows (0,
      1, 2, ... or 1, 2, 3, ...) beside others. Other whole numbers that rise with the rows, and columns that decide
      the target exactly, are noted.
    * Numbers with other text among them are text, with a note, or an error if they have more than 20 values.
    * A constant column stays, without effect, and is noted. A column without any value is an error.
    * Bytes, complex numbers, lists and mixtures of types are errors, unless the column is dropped.
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
        categorical: columns that are categories whatever they hold, such as codes and ZIP codes.
        number: columns that are numbers whatever they hold; words in them are missing.
        rare_classes: what to do with classes of fewer than `least_class_rows` rows, which no folds can hold: "drop"
            their rows, "merge" them into one class, other, or None to only note them.
        least_class_rows: at least 1.
        separator: between the fields of a text file, such as ";" or "tab"; None to find it.
        decimal: the decimal mark of its numbers, "." or ","; None to find it.
        encoding: of a text file, such as "cp1252"; None to find it.
        missing: words that stand for a missing value, in every column, beside those that always do.

    Raises:
        ValueError: in one line the rule, the value and the remedy, for whatever cannot be used.
    """
    spec = TableSpec(
        target or "", task, tuple(drop), group, tuple(categorical), tuple(number), rare_classes, least_class_rows
    )
    spec = spec._replace(dialect=Dialect(separator, decimal, encoding, tuple(missing)))
    return examine(source, spec, seed).usable()


def examine(source: Any, spec: TableSpec, seed: int | None = None) -> Examination:
    """What the columns of a source count as, by the rules of `load`, and the table if it can be used.

    Args:
        source: a name, a path, or a frame.
        spec: the other arguments of `load`.
        seed: for generated sets.

    Raises:
        ValueError: as `load`, but not for columns that cannot be used, nor for a target that cannot.
    """
    if isinstance(source, str) and source in BUILT_IN:
        if spec._replace(least_class_rows=0) != TableSpec(least_class_rows=0):
            raise ValueError(f"Target, task, drop and group are for files; {source} is built in. Leave them out.")
        return _examined(load_built_in(source, seed), spec)
    path = _path(source, BUILT_IN)
    if path and path.suffix.lower() == ".npz":
        if spec.drop or spec.categorical or spec.number:
            names = [*spec.drop, *spec.categorical, *spec.number]
            raise ValueError(
                f"An NPZ file has no columns to drop or to count as something; got {names}. Leave them out."
            )
        files.refuse_dialect(path, spec.dialect)
        spec = spec._replace(target=spec.target or "y")
        return _examined(labelled.from_arrays(files.read_arrays(path), path.stem, spec), spec)
    if not spec.target:
        raise ValueError(
            f"A table needs a target, the column to predict; {path or 'the frame'} came without. Name one."
        )
    if path is None:
        return frames.examine(files.of_frame(source, spec.dialect), "frame", spec)
    reading = files.read_frame(
        path,
        spec.categorical,
        spec.target,
        drop=spec.drop,
        names=[*spec.number, *([] if spec.group is None else [spec.group])],
        regression=spec.task == "regression",
        **spec.dialect._asdict(),
    )
    return frames.examine(reading, files.stem(path), spec)


def _examined(table: Table, spec: TableSpec) -> Examination:
    return Examination(table.name, None, spec, table.columns, table.notes, table)


def load_rows(
    source: Any,
    columns: Mapping[str, Any],
    reading: Mapping[str, Any] | None = None,
    *,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str] = (),
) -> Rows:
    """New rows in the form of the table whose `Table.columns` are given.

    Columns are found by name, others ignored, and missing ones an error; in an NPZ file `x` must have as many features.
    Categories are those of training: other values count as missing, with a note. Images come flat, row by row.

    Args:
        source: a CSV, TSV, XLSX, Parquet or NPZ file, or a pandas data frame; a target is not needed.
        columns: as `Table.columns`, also after a journey through JSON, e.g. `portable.load(path).about["columns"]`.
        reading: as `Table.reading`, in the same way: its words for missing values hold, and its decimal mark where the
            file leaves it open.
        separator: as in `load`; a file of new rows may be written in another way than that of training.
        decimal: as in `load`.
        encoding: as in `load`.
        missing: as in `load`.

    Raises:
        ValueError: for rows that do not fit, with the remedy.
    """
    about = descriptions.from_json(columns)
    used = {name: column for name, column in about.items() if column.features}
    path, dialect = _path(source), Dialect(separator, decimal, encoding, tuple(missing))
    if path and path.suffix.lower() == ".npz":
        files.refuse_dialect(path, dialect)
        return _rows_of_arrays(files.read_arrays(path), used)
    dialect = dialect.like(reading)
    if path:
        text = [name for name, column in used.items() if column.kind != "number"]
        read = files.read_frame(path, text, names=list(used), **dialect._asdict())
        files.check_signs(read, (reading or {}).get("signs"), used)
    else:
        read = files.of_frame(source, dialect)
    if faults := [fault for name, fault in read.faults.items() if name in used]:
        raise ValueError(" ".join(faults))
    frame = rules.named(read.frame)
    if absent := [name for name in used if name not in frame.columns]:
        raise ValueError(f"The rows need the columns of training; {rules.listed(absent)} is missing. Add it.")
    found = {name: features.encoded(frame[name], column) for name, column in used.items()}
    x = np.concatenate([np.empty((len(frame), 0)), *(values for values, _ in found.values())], axis=1)
    names = [name for name, column in used.items() for _ in column.features]
    notes = [note for _, notes in found.values() for note in notes]
    return Rows(rules.float32(x, names), read.notes + notes)


def _without_missing_words(frame: Any, columns: dict[str, descriptions.Column]) -> Any:
    """The frame without the words for a missing value in the columns of text, unless they are categories there."""
    words_of = {name: frame[name].isin(MISSING - set(column.categories)) for name, column in columns.items()}
    return frame.assign(**{name: frame[name].mask(words) for name, words in words_of.items() if words.any()})


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
