"""Files of tables as data frames or arrays; their contents are judged elsewhere."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxsearch.problems.cells import Hints, Reading
from jaxsearch.problems.delimited import read_delimited
from jaxsearch.problems.encodings import packed_suffix, reading
from jaxsearch.problems.packages import optional

TEXTS = (".csv", ".tsv", ".tab", ".txt")
TABLES = (".parquet", ".pq")
SUFFIXES = (*TEXTS, *TABLES, ".npz")


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
        names: more columns that the file must have, by which its header and separator are found.
        likely: the decimal mark where the file leaves it open, such as the one of training.

    Raises:
        ValueError: if the file is damaged or something else, or if it can be read in two ways.
    """
    if suffix(path) in TEXTS:
        hints = Hints(text, target, drop, decimal, missing, likely)
        required = [*names, *text, *([] if target is None else [target]), *drop]
        optional("pandas")
        return read_delimited(path, hints, required, separator, encoding)
    optional("pandas")
    open_file = optional("pyarrow.parquet").ParquetFile
    with reading(path, "a Parquet file"), open_file(path) as file:
        table = file.read()
        table.validate(full=True)  # pyarrow itself finds out only when a damaged text is used
        # Integers, booleans and text stay what they are where values are missing.
        return Reading(table.to_pandas(integer_object_nulls=True), [], {})


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
    return suffix(path) in TEXTS or path.suffix.lower() in (*TABLES, ".npz")
