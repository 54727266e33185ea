"""The target of a table: its task, classes and groups."""

from typing import Any, NamedTuple

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import columns as rules

MOST_WHOLE_CLASSES = 20
LEAST_ROWS = 8  # of a class: five folds need five for training beside those of the test
MANY_ROWS = 20  # with which it is strange that a class has only one
OTHER = "other"


class Labels(NamedTuple):
    """The task, `y` `[n]`, int32 classes or float32 numbers, the label of each class or None, and notes."""

    task: str
    y: np.ndarray
    classes: list[str] | None
    notes: list[str]


def labels(column: Any, task: str | None, repeated: bool = True) -> Labels:
    """What a target without missing values is. repeated: whether classes must mostly have more rows than one."""
    name = column.name
    text = _kind(column) == "text"
    codes, values = rules.coded(column)
    numbers = np.empty((0, 1)) if text else rules.number(column)[:, None]
    notes = []
    if task is None:
        whole = bool(np.all(numbers == np.round(numbers))) and len(values) <= MOST_WHOLE_CLASSES
        task = "classification" if text or whole else "regression"
        if not text and whole and len(values) > 2:
            notes.append(
                f"whole numbers in {name!r} count as {len(values)} classes; --task regression if they are amounts"
            )
    check_name("task", task, ("classification", "regression"))
    if len(values) < 2:
        need = "Classification needs two classes or more" if task == "classification" else "Regression needs variation"
        raise ValueError(f"{need}; the target {name!r} has {len(values)} value. Use another target.")
    y = rules.float32(numbers, [name])
    if task == "classification":
        if repeated:
            _check_repeated(name, codes, text)
        if text and all(map(rules.is_number, values)):
            notes.append(f"the classes of {name!r} are spelled as in the data: {rules.listed(values)}")
        elif text:
            notes += rules.text_notes(name, values)
        return Labels(task, codes.astype(np.int32), values, notes)
    if text:
        raise ValueError(
            f"Regression needs numbers in the target; {name!r} has text such as {rules.strange(values)!r}. "
            "Use classification, or another target."
        )
    if np.ptp(y) == 0:
        raise ValueError(f"Regression needs a target that varies in float32; {name!r} does not. Subtract an offset.")
    return Labels(task, y[:, 0], None, rules.examined(numbers, [name]))


def _kind(column: Any) -> str:
    """Tells "number" or "text"; ordered categories are classes, too."""
    found = rules.kind(column)
    if found in ("text", "ordered", "number"):
        return "text" if found == "ordered" else found
    example = str(next(iter(column.dropna()), ""))
    raise ValueError(
        f"A target holds numbers or text; {column.name!r} has {example!r}, a {found}. "
        "Use e.g. the days since an event, or another target."
    )


def _check_repeated(name: str, codes: np.ndarray, text: bool) -> None:
    """Raises ValueError where most rows have a class of their own."""
    rows = np.bincount(codes)
    alone = int(np.sum(rows == 1))
    if len(codes) >= MANY_ROWS and alone > len(codes) / 2:
        ways = ["Use another target"] if text else ["Use --task regression", "another target"]
        if np.sum(rows >= LEAST_ROWS) >= 2:
            ways.append("leave rare classes out by --rare-classes drop")
        what = f"{alone} of {len(codes)} rows have their own in {name!r}"
        raise ValueError(f"A class needs several rows; {what}. {', or '.join(ways)}.")


def without_rare(found: Labels, name: str, how: str, least: int) -> tuple[np.ndarray, Labels]:
    """The rows `[n]` bool that stay, and their labels, when classes of fewer rows than `least` are treated.

    how: "drop" leaves their rows out; "merge" makes one class of them, named other.
    """
    check_name("way to treat rare classes", how, ("drop", "merge"))
    rows = np.ones(len(found.y), bool)
    if found.classes is None:
        return rows, found
    counts = np.bincount(found.y, minlength=len(found.classes))
    rare = counts < least
    if not np.any(rare):
        return rows, found
    classes = np.array(found.classes, object)
    text = f"{int(np.sum(rare))} classes of {name!r} with fewer than {least} rows: {rules.listed(list(classes[rare]))}"
    if how == "merge":
        together = int(np.sum(counts[rare | (classes == OTHER)]))
        if together < least:
            raise ValueError(
                f"A class needs {least} rows; the rare classes of {name!r} have {together} together. "
                "Use --rare-classes drop."
            )
        classes[rare] = OTHER
        note = f"merged into {OTHER!r}: {text}"
    else:
        rows = ~rare[found.y]
        note = f"left out {int(np.sum(~rows))} rows of {text}"
    kept = list(dict.fromkeys(classes[~rare if how == "drop" else slice(None)]))
    if len(kept) < 2:
        raise ValueError(
            f"Classification needs two classes or more; {name!r} has {len(kept)} of {least} rows. Use another target."
        )
    place = {label: index for index, label in enumerate(kept)}
    y = np.array([place[label] for label in classes[found.y[rows]]], np.int32)
    return rows, found._replace(y=y, classes=kept, notes=[*found.notes, note])


def rare_notes(found: Labels, name: str, least: int) -> list[str]:
    """A note on classes that are too rare for the folds, with fewer rows than `least`."""
    if found.classes is None or len(found.y) < MANY_ROWS:
        return []
    counts = np.bincount(found.y, minlength=len(found.classes))
    rare = [label for label, count in zip(found.classes, counts, strict=True) if count < least]
    if not rare:
        return []
    return [f"{name!r} has classes of fewer than {least} rows: {rules.listed(rare)}; --rare-classes drop or merge"]


def grouped(column: Any) -> np.ndarray:
    """The groups `[n]` int32 of a column of any values but lists; every row must have one."""
    rules.kind(column, also=("bytes",))
    codes, _ = rules.coded(column)
    if missing := int(np.sum(codes < 0)):
        raise ValueError(f"Every row needs a group; {missing} rows have no {column.name!r}. Fill them in.")
    return codes.astype(np.int32)
