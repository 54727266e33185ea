"""New rows in the form of the table that a model was trained on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import columns as rules
from jaxsearch.problems import descriptions, features, files, labelled
from jaxsearch.problems.cells import MARKS, MISSING, Dialect, is_text
from jaxsearch.problems.features import Rows
from jaxsearch.problems.refusals import misread


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
    rows, _ = rows_and_names(source, columns, reading, Dialect(separator, decimal, encoding, tuple(missing)))
    return rows


def rows_and_names(
    source: Any, columns: Mapping[str, Any], reading: Mapping[str, Any] | None, dialect: Dialect
) -> tuple[Rows, list[str]]:
    """New rows, and the names of all columns, or arrays, that their source has.

    The arguments are those of `load_rows`; dialect: how a text file is written.
    """
    about = descriptions.from_json(columns)
    used = {name: column for name, column in about.items() if column.features}
    path = files.path_of(source)
    if path and path.suffix.lower() == ".npz":
        files.refuse_dialect(path, dialect)
        arrays = files.read_arrays(path)
        return _rows_of_arrays(arrays, used), list(arrays)
    dialect = dialect.like(reading)
    # Flags may be numbers, of which one value came; they are read as in training, where nobody called them text.
    text = [name for name, column in used.items() if column.kind not in ("number", "flag")]
    if path:
        read = files.read_frame(path, text, known=list(used), **dialect._asdict())
    else:
        read = files.of_frame(source, dialect)
    if faults := [fault for name, fault in read.faults.items() if name in used]:
        raise ValueError(" ".join(faults))
    frame = rules.named(read.frame)
    if absent := [name for name in used if name not in frame.columns]:
        why = misread(read.separator, absent[0], list(frame.columns))
        remedy = "is missing. Add it." if len(absent) == 1 else "are missing. Add them."
        raise ValueError(f"The rows need the columns of training; {rules.listed(absent)} {remedy}{why}")
    if path:
        frame = _without_missing_words(frame, used)
        files.check_signs(read._replace(frame=frame), (reading or {}).get("signs"), used)
    found = {name: features.encoded(frame[name], column) for name, column in used.items()}
    x = np.concatenate([np.empty((len(frame), 0)), *(values for values, _ in found.values())], axis=1)
    names = [name for name, column in used.items() for _ in column.features]
    notes = [note for _, notes in found.values() for note in notes]
    return Rows(rules.float32(x, names), read.notes + notes), list(frame.columns)


def _without_missing_words(frame: Any, columns: dict[str, descriptions.Column]) -> Any:
    """The frame without the words for a missing value in its columns of text, unless they are categories there.

    Where training had numbers, marks such as - are such words, also if a few new rows have nothing else.
    """
    masked = {}
    for name, column in columns.items():
        words = (MISSING | MARKS if column.kind == "number" else MISSING) - set(column.categories)
        may_be_text = column.kind != "number" or is_text(frame[name])
        if may_be_text and (found := frame[name].isin(words)).any():
            masked[name] = frame[name].mask(found)
    return frame.assign(**masked)


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
