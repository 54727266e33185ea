"""What new rows have beside their features: what tells them apart, and perhaps the target."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import columns as rules
from jaxsearch.problems import descriptions, files
from jaxsearch.problems.cells import PLAIN, Dialect
from jaxsearch.problems.packages import optional
from jaxsearch.problems.refusals import UnusableColumnError


class Beside(NamedTuple):
    """ids: `[n]` texts, as the file has them; None if not asked for.

    target: `[n]`, int classes, -1 for unknown ones, or floats, NaN for missing ones; None if the
    rows have no target. notes: what the user should know.
    """

    ids: list[str] | None
    target: np.ndarray | None
    notes: list[str]


def read_beside(
    path: Path,
    columns: Mapping[str, Any],
    target: str | None,
    classes: list[str] | None,
    ids: str | None = None,
    dialect: Dialect = PLAIN,
    *,
    names: Collection[str],
    signs: Mapping[str, str] | None = None,
) -> Beside:
    """What a CSV, TSV, Parquet or NPZ file has beside the features of its n rows.

    Args:
        path: the file.
        columns: those of training, as in `load_rows`, by which a header is found.
        target: the name of the column, or array, that training predicted; it need not be there.
        classes: the labels of the classes; None for a regression.
        ids: the name of the column, or array, that tells the rows apart.
        dialect: how the file is written.
        names: of the columns, or arrays, that the file has, see `new_rows.rows_and_names`; it is read
            only if one of them is needed.
        signs: those of numbers in training, as `Table.reading` has them, None if they are not known.

    Raises:
        ValueError: if the column `ids` is not there, and as `files.read_frame` does.
    """
    if ids is not None:
        check_name("column", ids, names)
    if ids is None and target not in names:
        return Beside(None, None, [])
    asked = [] if ids is None else [ids]
    if files.suffix(path) == ".npz":
        arrays = files.read_arrays(path)
        wanted = [name for name in (*asked, target) if name in arrays]
        frame, notes = optional("pandas").DataFrame({name: arrays[name] for name in wanted}), []
    else:
        known = [name for name, column in descriptions.from_json(columns).items() if column.features]
        frame, notes = _frame(path, known, asked, target if target in names else None, dialect, signs)
    texts = None if ids is None else ["" if value is None else str(value) for value in _values(frame[ids])]
    if target not in frame.columns:
        return Beside(texts, None, notes)
    try:
        found, unknown = _target(frame[target], classes)
    except UnusableColumnError as error:
        return Beside(texts, None, [*notes, f"no score: {error}"])
    if unknown:
        notes = [*notes, f"rows without a score: training had no {rules.listed(unknown)} in {target!r}"]
    return Beside(texts, found, notes)


def _frame(
    path: Path,
    known: list[str],
    text: list[str],
    target: str | None,
    dialect: Dialect,
    signs: Mapping[str, str] | None,
) -> tuple[Any, list[str]]:
    """The table of a file that has the target, and a note if that cannot be read with certainty, and is left out.

    It is read once more than for the features: there all rows count, and none is left out for its target.
    """
    read = files.read_frame(path, text, target, names=known, **dialect._asdict())
    frame = rules.named(read.frame)
    if target is None:
        return frame, []
    fault = read.faults.get(target, "")
    try:
        files.check_signs(read, signs, [] if fault else [target])
    except ValueError as error:
        fault = str(error)
    return (frame.drop(columns=[target]), [f"no score: {fault}"]) if fault else (frame, [])


def _values(column: Any) -> np.ndarray:
    return column.to_numpy(object, na_value=None)


def _target(column: Any, classes: list[str] | None) -> tuple[np.ndarray, list[str]]:
    """The classes or numbers `[n]`, and values that are neither."""
    if classes is None:
        return rules.numbers_among(column)
    codes, values = rules.coded(column, rules.plain)
    place = {rules.plain(label): index for index, label in enumerate(classes)}
    index = np.array([place.get(value, -1) for value in values] + [-1])  # the last for a code of -1
    return index[codes], [value for value in values if value not in place]
