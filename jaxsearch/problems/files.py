"""Files of tables as data frames or arrays; their contents are judged elsewhere."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.problems.packages import optional

SEPARATORS = {".csv": ",", ".tsv": "\t"}


class Reading(NamedTuple):
    """What a file holds.

    frame: a data frame whose columns are text, numbers or booleans; a missing value is NA.
    notes: a line for each choice that was made for the user.
    faults: for each column that cannot be read with certainty what is in doubt, and the remedy;
        such a column stays text.
    """

    frame: Any
    notes: list[str]
    faults: dict[str, str]


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
) -> Reading:
    """The data frame of a file.

    Args:
        path: a CSV, TSV or Parquet file.
        text: columns that are text, spelled as in the file, whatever they hold; only an empty cell
            and the words `missing` are missing values there.
        target: a column that is text in the same way, unless all of its values are numbers. Types
            of the other columns are decided by the rows that have a target.
        drop: columns that nobody will use; nothing is said about them.
        separator: between the fields of a line; None to find it.
        decimal: the decimal mark, "." or ","; None to find it.
        encoding: of text, such as "cp1252"; None to find it.
        missing: words that stand for a missing value, beside those that always do.

    Raises:
        ValueError: if the file is damaged or something else, or if it can be read in two ways.
    """
    if path.suffix.lower() in SEPARATORS:
        own = SEPARATORS[path.suffix.lower()]
        return Reading(_read_csv(path, separator or own, text), [], {})
    optional("pandas")
    open_file = optional("pyarrow.parquet").ParquetFile
    with _reading(path, "a Parquet file"), open_file(path) as file:
        table = file.read()
        table.validate(full=True)  # pyarrow itself finds out only when a damaged text is used
        # Integers, booleans and text stay what they are where values are missing.
        return Reading(table.to_pandas(integer_object_nulls=True), [], {})


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file by name, without pickle. Raises ValueError if it is no such file."""
    with (
        _reading(path, "an NPZ file without pickled objects"),
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as arrays,
    ):
        return {name: np.asarray(arrays[name]) for name in arrays.files}


def _read_csv(path: Path, separator: str, text: Sequence[str]) -> Any:
    read = functools.partial(
        optional("pandas").read_csv, path, sep=separator, encoding="utf-8-sig", skipinitialspace=True
    )
    with _reading(path, "a table in UTF-8 text with a header line"):
        header = read(header=None, nrows=1, dtype=str, keep_default_na=False).iloc[0].tolist()
    if len(header) == 1 and (others := [mark for mark in ",;\t|" if mark != separator and mark in header[0]]):
        raise ValueError(
            f"{path.suffix} files have fields separated by {separator!r}; the header of {path} has {others[0]!r}. "
            f"Save it with {separator!r}."
        )
    with _reading(path, "a table in UTF-8 text with a header line"):
        types = dict.fromkeys(text, "string")
        frame = read(header=0, low_memory=False, dtype_backend="numpy_nullable", dtype=types)
    if not frame.index.equals(optional("pandas").RangeIndex(len(frame))):
        raise ValueError(f"{path} must have one name per column; its rows have more fields than its header. Add names.")
    return frame.set_axis([name.strip() for name in header], axis=1)  # pandas would rename columns of the same name


@contextlib.contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a damaged file may raise anything in the libraries that read it
        reason = " ".join(str(error).split()).split(". ")[0][:200].rstrip(".") or type(error).__name__
        raise ValueError(f"{path} must be {what}; reading it failed: {reason}. Check the file.") from None
