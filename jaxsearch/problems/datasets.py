"""Data to learn from: well-known sets by name, and tables in files. Needs the extra `data`, or `cli`."""

from collections.abc import Sequence
from typing import Any

from jaxsearch.problems import files, frames, labelled
from jaxsearch.problems.cells import Dialect
from jaxsearch.problems.labelled import Examination, Table, TableSpec
from jaxsearch.problems.named_sets import BUILT_IN, load_built_in
from jaxsearch.problems.new_rows import load_rows
from jaxsearch.problems.targets import LEAST_ROWS

__all__ = ["BUILT_IN", "Table", "examine", "load", "load_built_in", "load_rows"]


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
      training replaces by the mean of its rows; where at least 1 % of the rows, and five, are missing, and as many are
      not, a 0/1 feature says which, one for all columns that are missing together. A column that float32 cannot
      resolve, such as a large number with small changes, is noted; infinite or larger than float32 is an error.
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
    path = files.path_of(source, BUILT_IN)
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
