"""Tables to learn from: sets that ship with scikit-learn, and CSV files. Needs the extra `cli`."""

import importlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.core.names import check_name

BUILT_IN = {
    "digits": "classification",
    "iris": "classification",
    "wine": "classification",
    "breast_cancer": "classification",
    "diabetes": "regression",
}
MOST_CATEGORIES = 100


class Table(NamedTuple):
    """Features and target, as numbers.

    x: `[n, F]` float32, NaN for missing. y: `[n]`, int32 classes or float32 targets.
    columns: for each column of the source the features it became, `[]` categories for a number.
    classes: the label of each class, None for regression. notes: what was done that the user should know.
    """

    name: str
    task: str
    x: np.ndarray
    y: np.ndarray
    columns: dict[str, list[str]]
    classes: list[str] | None
    notes: list[str]


def load_built_in(name: str) -> Table:
    """One of the sets in `BUILT_IN`."""
    check_name("data set", name, BUILT_IN)
    bunch = getattr(_optional("sklearn.datasets"), f"load_{name}")()
    classes = [str(label) for label in bunch.target_names] if BUILT_IN[name] == "classification" else None
    y = np.asarray(bunch.target, np.int32 if classes else np.float32)
    columns: dict[str, list[str]] = {str(column): [] for column in bunch.feature_names}
    return Table(name, BUILT_IN[name], np.asarray(bunch.data, np.float32), y, columns, classes, [])


def read_csv(path: str | Path, target: str, task: str | None = None, drop: tuple[str, ...] = ()) -> Table:
    """A CSV file with a header line.

    Numbers stay numbers; a text column becomes one 0/1 feature per value, its missing values 0 everywhere, an unseen
    value later likewise. Missing numbers become NaN, which training replaces by the mean of its rows. Rows without a
    target are left out. Without a task, a text target and integers of at most 20 values mean classification.

    Raises ValueError, with the remedy, for a file, a column or a value that cannot be used.
    """
    frame = _frame(Path(path))
    for column in (target, *drop):
        check_name("column", column, list(frame.columns))
    frame = frame.drop(columns=[column for column in drop if column != target])
    notes = []
    if missing := int(frame[target].isna().sum()):
        notes.append(f"left out {missing} rows without a value of {target}")
        frame = frame[frame[target].notna()]
    if frame.empty or frame.shape[1] < 2:
        raise ValueError(f"{path} needs rows and at least one column beside {target}; it has none. Add some.")
    task, y, classes = _target(frame[target], task)
    features = frame.drop(columns=[target])
    columns = {str(name): _categories(features[name]) for name in features.columns}
    x = np.concatenate([_numbers(features[name], columns[str(name)]) for name in features.columns], axis=1)
    constant = [str(name) for name in features.columns if features[name].nunique() == 1]
    if constant:
        notes.append(f"constant columns say nothing and are ignored: {', '.join(constant)}")
    return Table(Path(path).stem, task, x, y, columns, classes, notes)


def _optional(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        package = {"sklearn.datasets": "scikit-learn"}.get(module, module)
        raise ValueError(f"Reading data needs {package}. Install it: pip install 'jaxsearch[cli]'") from None


def _frame(path: Path) -> Any:
    pandas = _optional("pandas")
    if not path.is_file():
        raise ValueError(
            f"Data must be a CSV file or one of {', '.join(BUILT_IN)}; there is no file {path}. Check the path."
        )
    try:
        frame = pandas.read_csv(path, low_memory=False)
    except (pandas.errors.EmptyDataError, pandas.errors.ParserError, UnicodeDecodeError, OSError) as error:
        raise ValueError(
            f"{path} must be a CSV file with a header line; {str(error).strip()}. Check the file."
        ) from None
    if not frame.index.equals(pandas.RangeIndex(len(frame))):
        raise ValueError(f"{path} must have one name per column; its rows have more fields than its header. Add names.")
    if frame.empty:
        raise ValueError(f"{path} must have rows below its header; it has none. Add data.")
    return frame


def _is_number(column: Any) -> bool:
    return np.issubdtype(getattr(column.dtype, "type", object), np.number) or column.dtype == bool


def _target(column: Any, task: str | None) -> tuple[str, np.ndarray, list[str] | None]:
    number, values = _is_number(column), column.nunique()
    if task is None:
        whole = number and np.all(np.asarray(column) == np.round(np.asarray(column, float)))
        task = "classification" if not number or (whole and values <= 20) else "regression"
    if task == "regression":
        if not number:
            raise ValueError(
                f"Regression needs numbers in the target column; {column.name} has text such as {column.iloc[0]!r}. "
                "Use --task classification or another --target."
            )
        if values < 2:
            raise ValueError(f"Regression needs a target that varies; {column.name} is constant. Use another --target.")
        if not np.all(np.isfinite(y := _float32(column))):
            raise ValueError(f"Regression needs finite targets in the range of float32; {column.name} has others.")
        return task, y, None
    if values < 2:
        raise ValueError(f"Classification needs two classes or more; {column.name} has {values}. Use another --target.")
    labels, y = np.unique(np.asarray(column if number else column.astype(str)), return_inverse=True)
    return task, y.astype(np.int32), [str(label) for label in labels]


def _categories(column: Any) -> list[str]:
    """The values of a text column; [] for a column of numbers."""
    if column.isna().all():
        raise ValueError(f"Every column needs values; {column.name} has none. Leave it out: --drop {column.name!r}.")
    if _is_number(column):
        return []
    categories = sorted(column.dropna().astype(str).unique())
    if len(categories) > MOST_CATEGORIES:
        raise ValueError(
            f"A text column may have at most {MOST_CATEGORIES} values; {column.name} has {len(categories)}. "
            f"Group them, or leave it out: --drop {column.name!r}."
        )
    return categories


def _numbers(column: Any, categories: list[str]) -> np.ndarray:
    if categories:
        text = column.astype(object).where(column.notna(), None)
        return np.array([[value is not None and str(value) == c for c in categories] for value in text], np.float32)
    values = _float32(column)[:, None]
    if np.any(np.isinf(values)):
        raise ValueError(
            f"Columns must be finite, in the range of float32; {column.name} has infinite values. Leave them empty."
        )
    return values


def _float32(column: Any) -> np.ndarray:
    with np.errstate(over="ignore"):  # too large becomes infinite, which the callers tell
        return np.asarray(column, float).astype(np.float32)
