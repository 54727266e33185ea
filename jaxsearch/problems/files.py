"""Files of tables as data frames or arrays; their contents are judged elsewhere."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxsearch.problems.packages import optional

SEPARATORS = {".csv": ",", ".tsv": "\t"}


def read_frame(path: Path, text: Sequence[str] = ()) -> Any:
    """The data frame of a CSV, TSV or Parquet file; the columns `text` are text whatever a CSV has in them.

    Types are such that integers, booleans and text stay what they are where values are missing.
    Raises ValueError if the file is damaged or something else.
    """
    if path.suffix.lower() in SEPARATORS:
        return _read_csv(path, SEPARATORS[path.suffix.lower()], text)
    optional("pandas")
    open_file = optional("pyarrow.parquet").ParquetFile
    with _reading(path, "a Parquet file"), open_file(path) as file:
        table = file.read()
        table.validate(full=True)  # pyarrow itself finds out only when a damaged text is used
        return table.to_pandas(integer_object_nulls=True)


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
    return frame.set_axis(header, axis=1)  # pandas would rename columns of the same name


@contextlib.contextmanager
def _reading(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a damaged file may raise anything in the libraries that read it
        reason = " ".join(str(error).split()).split(". ")[0][:200].rstrip(".") or type(error).__name__
        raise ValueError(f"{path} must be {what}; reading it failed: {reason}. Check the file.") from None
