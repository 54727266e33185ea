"""Files of tables as data frames or arrays; their contents are judged elsewhere."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems.cells import Dialect, Hints, Reading, without_words
from jaxsearch.problems.delimited import read_delimited
from jaxsearch.problems.encodings import packed_suffix, reading
from jaxsearch.problems.packages import optional
from jaxsearch.problems.workbooks import read_workbook

TEXTS = (".csv", ".tsv", ".tab", ".txt")
WORKBOOKS = (".xlsx", ".xlsm")
TABLES = (".parquet", ".pq")
SUFFIXES = (*TEXTS, *WORKBOOKS, *TABLES, ".npz")
SEPARATORS = {"tab": "\t", "\\t": "\t", "tabs": "\t", "blank": " ", "blanks": " ", "space": " ", "comma": ","}
SEPARATORS |= {"semicolon": ";", "pipe": "|"}


def read_frame(
    path: Path,
    text: Sequence[str] = (),
    target: str | None = None,
    *,
    drop: Sequence[str] = (),
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str] = (),
    names: Sequence[str] = (),
    likely: str = "",
    regression: bool = False,
    known: Sequence[str] | None = None,
) -> Reading:
    """The data frame of a file.

    Args:
        path: a CSV, TSV, XLSX or Parquet file; text may be packed.
        text: columns that are text, spelled as in the file, whatever they hold; only an empty cell
            and the words `missing` are missing values there.
        target: a column that is text in the same way, unless all of its values are numbers. Types
            of the other columns are decided by the rows that have a target.
        drop: columns that nobody will use; nothing is said about them.
        separator: between the fields of a line; None to find it.
        decimal: the decimal mark, "." or ","; None to find it.
        encoding: of text, such as "cp1252"; None to find it.
        missing: words that stand for a missing value, beside those that always do.
        names: more columns that the file must have, by which its header and separator are found.
        likely: the decimal mark where the file leaves it open, such as the one of training.
        regression: whether the target is a number although it has leading zeros.
        known: for new rows the columns of the model, which the file must have, and of which alone
            notes tell; None in training.

    Raises:
        ValueError: if the file is damaged or something else, or if it can be read in two ways.
    """
    if decimal not in (None, ".", ","):
        raise ValueError(f"--decimal must be . or a comma; got {decimal!r}. Leave it out to find it.")
    hints = Hints(text, target, drop, decimal, missing, likely, regression, known=known)
    required = [*names, *(known or ()), *text, *([] if target is None else [target]), *drop]
    optional("pandas")
    if suffix(path) in TEXTS:
        return read_delimited(path, hints, required, _separator(separator), encoding)
    if suffix(path) in WORKBOOKS:
        refuse_dialect(path, Dialect(separator, None, encoding))
        return read_workbook(path, hints, required)
    refuse_dialect(path, Dialect(separator, decimal, encoding))
    open_file = optional("pyarrow.parquet").ParquetFile
    with reading(path, "a Parquet file"), open_file(path) as file:
        table = file.read()
        table.validate(full=True)  # pyarrow itself finds out only when a damaged text is used
        # Integers, booleans and text stay what they are where values are missing.
        frame = table.to_pandas(integer_object_nulls=True)
        frame, notes = _with_categories(frame, table.schema.pandas_metadata or {})
    return Reading(without_words(frame, missing) if missing else frame, notes, {})


def _with_categories(frame: Any, metadata: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """The frame of a Parquet file whose categories that are numbers are categories again, and notes.

    Parquet keeps the numbers, pandas' metadata that they were categories, and nothing their order.
    """
    pandas, notes = optional("pandas"), []
    for about in metadata.get("columns", ()):
        name = about.get("field_name")
        if about.get("pandas_type") != "categorical" or list(frame.columns).count(name) != 1:
            continue
        # With missing values it is a column of objects.
        if pandas.api.types.infer_dtype(frame[name], skipna=True) in ("integer", "floating", "boolean"):
            is_ordered = bool((about.get("metadata") or {}).get("ordered"))
            frame[name] = pandas.Categorical(frame[name], ordered=is_ordered)
            if is_ordered:
                notes.append(f"the categories of {name!r} are numbers, and count in the order of these")
    return frame, notes


def of_frame(frame: Any, dialect: Dialect) -> Reading:
    """A data frame as if it had been read; only words for missing values may be told of it."""
    refuse_dialect("A data frame", dialect._replace(missing=()))
    return Reading(without_words(frame, dialect.missing) if dialect.missing else frame, [], {})


def refuse_dialect(what: object, dialect: Dialect) -> None:
    """Raises ValueError if something is told of the writing of what is not written."""
    options = dialect._replace(likely="")._asdict()
    if told := [f"--{name}" for name, value in options.items() if value]:
        raise ValueError(f"{' and '.join(told)} must go with text; {what} is none. Leave it out.")


def check_signs(found: Reading, trained: Mapping[str, str] | None, names: Collection[str]) -> None:
    """Raises ValueError if numbers had a percent or currency sign in training and none here, or another.

    A column without any value fits.
    """
    for name in names if trained is not None else ():
        here, there = found.signs.get(name, ""), (trained or {}).get(name, "")
        if here != there and found.frame[name].notna().any():
            raise ValueError(
                f"New rows must be written as those of training; {name!r} has the sign {here or 'none'!r} here and "
                f"{there or 'none'!r} there. Write it in the same unit and way."
            )


def _separator(typed: str | None) -> str | None:
    """The character that the user means."""
    if typed is None:
        return None
    mark = SEPARATORS.get(typed.lower(), typed)
    if len(mark) != 1 or not mark.isascii() or mark.isalnum() or mark in "\"'\n\r.#+-\0":
        raise ValueError(
            f"--separator must be one character between fields, e.g. a semicolon, or tab; got {typed!r}. "
            "Leave it out to find it."
        )
    return mark


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file by name, without pickle. Raises ValueError if it is no such file."""
    with (
        reading(path, "an NPZ file without pickled objects"),
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return {name: np.asarray(arrays[name]) for name in arrays.files}


def suffix(path: Path) -> str:
    """The suffix of a file, packed or not, in lower case."""
    return (path.with_suffix("") if packed_suffix(path) else path).suffix.lower()


def stem(path: Path) -> str:
    """The name of a file without its suffixes."""
    return (path.with_suffix("") if packed_suffix(path) else path).stem


def is_known(path: Path) -> bool:
    """Whether the suffix of a file is one that can be read."""
    return suffix(path) in TEXTS or path.suffix.lower() in (*WORKBOOKS, *TABLES, ".npz")


def path_of(source: Any, names: Collection[str] = ()) -> Path | None:
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
    if not is_known(path):
        known = ", ".join(SUFFIXES)
        raise ValueError(f"A file of data must end in {known}; got {path.name}. Convert it.")
    return path
