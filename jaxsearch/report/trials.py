"""The table of trials in a page."""

from html import escape
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.runners.archive import Archive

MOST_ROWS = 1000
MOST_COLUMNS = 60


class Counts(NamedTuple):
    """How many trials there are, and how many of them failed, broke a constraint, or repeated another one."""

    trials: int
    failed: int
    infeasible: int
    duplicates: int

    def __str__(self) -> str:
        words = [f"{self.failed:,} failed", f"{self.infeasible:,} infeasible", f"{self.duplicates:,} duplicates"]
        return ", ".join([f"{self.trials:,} trials", *words])


def counted(archive: Archive, space: PyTree) -> tuple[Counts, np.ndarray]:
    """The counts, and `[N]` of which trial each is a duplicate, -1 for none."""
    status, duplicate_of = archive.status, archive.duplicate_of(space)
    if archive.origin is not None:  # what goes on from another trial trains further
        duplicate_of = np.where(np.asarray(archive.origin) >= 0, -1, duplicate_of)
    failed, infeasible = (int(np.sum(status == name)) for name in ("failed", "infeasible"))
    return Counts(len(status), failed, infeasible, int(np.sum(duplicate_of >= 0))), duplicate_of


def best_rows(archive: Archive, space: PyTree, most: int = MOST_ROWS) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The numbers `[n]` of the best trials, best first, and their columns `[n]` by name; without random keys."""
    order = np.argsort(np.where(np.isfinite(archive.loss), archive.loss, np.inf), kind="stable")[:most]
    chosen = jax.tree.map(lambda leaf: np.asarray(leaf)[order], archive)
    if isinstance(chosen.aux, dict):
        chosen = chosen._replace(aux={name: part for name, part in chosen.aux.items() if name != "key"})
    return order, chosen.table(space) | {"trial": order}


def table(archive: Archive, space: PyTree, duplicate_of: np.ndarray) -> tuple[str, str]:
    """The best trials as a `<table>`, whose heads sort it, and what it shows in words."""
    order, columns = best_rows(archive, space)
    if np.any(duplicate_of >= 0):
        columns["duplicate of"] = np.array([other if other >= 0 else None for other in duplicate_of[order]], object)
    shown = "All of them" if len(order) == len(duplicate_of) else f"The best {len(order):,} of them"
    shown += f", without the last {len(columns) - MOST_COLUMNS:,} columns," if len(columns) > MOST_COLUMNS else ""
    columns = dict(list(columns.items())[:MOST_COLUMNS])
    numeric = {name: all(_is_number(value) for value in column) for name, column in columns.items()}
    head = "".join(
        f'<th scope="col"{_of(numeric[name])}{" aria-sort=ascending" * (name == "loss")}>'
        f"<button type=button>{escape(name)}</button></th>"
        for name in columns
    )
    texts = [[_cell(value, numeric[name]) for value in column] for name, column in columns.items()]
    rows = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*texts, strict=True))
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>", shown


def number(value: Any) -> str:
    """A value as a person reads it: a number with six digits at most."""
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return str(value)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float | np.number) and not isinstance(value, bool))


def _of(numeric: bool) -> str:
    return " class=n" if numeric else ""


def _cell(value: Any, numeric: bool) -> str:
    unknown = value is None or (numeric and not np.isfinite(value))
    return f"<td{_of(numeric)}>{'' if unknown else escape(number(value))}</td>"
