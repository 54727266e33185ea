"""The rows of a table that the search never sees."""

from typing import Any

import jax
import numpy as np

from jaxsearch.cli.options import Options
from jaxsearch.evaluators import splits
from jaxsearch.problems.columns import is_number
from jaxsearch.problems.datasets import Table
from jaxsearch.problems.labelled import UnusableTableError


def choose_test_rows(table: Table, options: Options, key: Any) -> np.ndarray:
    """`[n]` bool, the rows that the search never sees, checked to leave enough for the folds."""
    count = min(max(round(options.test_share * len(table.y)), 1), len(table.y) - 1)
    classes = table.y if table.classes else np.zeros(len(table.y), np.int32)
    if table.groups is None:
        hold_out, labels = splits.hold_out, classes
    else:
        hold_out, labels = splits.grouped_hold_out, table.groups
    test = np.asarray(jax.jit(hold_out, static_argnames="count")(key, labels, count=count)) == 0
    if table.groups is not None:
        splits.check_groups(table.groups[~test], max(options.folds, 2))
    least = max(options.folds, 2)
    rows = np.bincount(classes[~test], minlength=len(table.classes or [""]))
    if np.min(rows) < least:
        place = int(np.argmin(rows))
        what = f"class {table.classes[place]!r} has" if table.classes else "the table has"
        needing = f"{options.folds} folds need" if options.folds > 1 else "A hold-out needs"
        raise UnusableTableError(
            f"{needing} {least} training rows of every class; {what} {rows[place]} of "
            f"{int(np.sum(classes == place))} rows after the test split. {_remedy(table, options, rows)}.",
            table.notes,
        )
    return test


def _remedy(table: Table, options: Options, rows: np.ndarray) -> str:
    """What helps where a class, or the whole table, has too few of the `rows` for training."""
    ways = []
    if np.min(rows) >= 2:
        ways.append(f"use --folds {np.min(rows)} or fewer")
    if table.classes:
        ways.append("leave rare classes out by --rare-classes drop, or put them together by --rare-classes merge")
    if table.classes and options.task is None and all(map(is_number, table.classes)):
        ways.append("use --task regression if they are amounts")
    text = ", or ".join([*ways, "add rows"])
    return text[0].upper() + text[1:]
