"""The table of trials in a page."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report.folds import folds_of
from jaxsearch.report.parameters import parameters
from jaxsearch.report.style import Unit
from jaxsearch.runners.archive import Archive

MOST_ROWS = 1000
MOST_COLUMNS = 60
MOST_TOLD = 20  # columns that a point tells under the pointer
ROOM = 134  # characters beside each other in the columns that are shown at first, with what is between these
BETWEEN = 3


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


def best_rows(
    archive: Archive,
    space: PyTree,
    most: int = MOST_ROWS,
    also: Iterable[int] = (),
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The numbers `[n]` of the best trials, best first, and their columns `[n]` by name; without random keys.

    also: the numbers of others that are among them.
    """
    order = np.argsort(np.where(np.isfinite(archive.compared), archive.compared, np.inf), kind="stable")
    wanted = np.arange(len(order)) < most
    wanted |= np.isin(order, np.fromiter(also, int))
    order = order[wanted]
    chosen = jax.tree.map(lambda leaf: np.asarray(leaf)[order], archive)
    if isinstance(chosen.aux, dict):
        chosen = chosen._replace(aux={name: part for name, part in chosen.aux.items() if name != "key"})
    return order, chosen.table(space) | {"trial": order}


def table(
    archive: Archive,
    space: PyTree,
    duplicate_of: np.ndarray,
    unit: Unit,
    also: Iterable[int] = (),
) -> tuple[str, list[tuple[str, bool]], str]:
    """The best trials as a `<table>` whose heads sort it, its columns, and what it shows in words.

    The columns come as pairs of a name and whether it is shown at first. also: as in `best_rows`.
    """
    order, columns = best_rows(archive, space, also=also)
    count = len(duplicate_of)
    best = min(count, MOST_ROWS)
    shown = "All of them" if len(order) == count else f"The best {best:,} of them"
    shown += f" and {len(order) - best:,} others that figures show" if len(order) > best else ""
    if np.any(duplicate_of >= 0):
        columns["duplicate of"] = np.array([other if other >= 0 else None for other in duplicate_of[order]], object)
    names = [column_of(one.name, columns) for one in parameters(archive, space)]
    first = _that_decide(archive, columns, names, order, unit)
    columns = first | _of_the_rest(columns, unit, set(first))
    shown += f", without the last {len(columns) - MOST_COLUMNS:,} columns," if len(columns) > MOST_COLUMNS else ""
    columns = dict(list(columns.items())[:MOST_COLUMNS])
    numeric = {name: all(_is_number(value) for value in column) for name, column in columns.items()}
    texts = {name: [_text(value, numeric[name]) for value in column] for name, column in columns.items()}
    visible = _that_fit(texts, set(first))
    kinds = {name: _kind(numeric[name], name in visible) for name in columns}
    attributes = {name: kind + " data-told" * (name in list(first)[:MOST_TOLD]) for name, kind in kinds.items()}
    scores = np.where(np.isfinite(archive.loss[order]), archive.loss[order], np.inf)
    if np.array_equal(scores, np.sort(scores)):  # trials are compared at one budget, of which the loss may not be
        attributes[list(first)[1]] += f' aria-sort="{"descending" if unit.greater_is_better else "ascending"}"'
    html = f"<table>\n{_head(attributes)}\n{_body(order, kinds, texts)}\n</table>"
    return html, [(name, name in visible) for name in columns], shown


def _head(attributes: dict[str, str]) -> str:
    """The names of the columns; attributes: of each, as HTML."""
    cells = [
        f'<th scope="col"{attribute}><button type=button>{escape(name)}</button></th>'
        for name, attribute in attributes.items()
    ]
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def _body(trials: np.ndarray, kinds: dict[str, str], texts: dict[str, list[str]]) -> str:
    """A row for each of the trials `[n]`; kinds: the attributes of each column. texts: its cells, as HTML."""
    cells = [[f"<td{kinds[name]}>{text}</td>" for text in column] for name, column in texts.items()]
    rows = zip(trials, *cells, strict=True)
    lines = [f"<tr data-trial={trial}>{''.join(row)}</tr>" for trial, *row in rows]
    return "<tbody>\n" + "\n".join(lines) + "\n</tbody>"


def _that_decide(
    archive: Archive,
    columns: dict[str, np.ndarray],
    parameter_names: list[str],
    order: np.ndarray,
    unit: Unit,
) -> dict[str, np.ndarray]:
    """The columns that are shown first: how good a trial is, how sure that is, what it cost, and its parameters."""
    scores = [unit.score(float(loss)) for loss in columns["loss"]]
    found = {"trial": columns["trial"], _free(unit.label, columns): np.array(scores)}
    folds = folds_of(archive)
    if folds is not None:
        found[_free("spread", columns)] = _spread(folds[order])
    if "epochs" in columns:
        found["epochs"] = columns["epochs"]
    found |= {name: columns[name] for name in parameter_names}
    if np.any(columns["status"] != "ok"):
        found["status"] = columns["status"]
    if "duplicate of" in columns:
        found["duplicate of"] = columns["duplicate of"]
    return found


def _spread(folds: np.ndarray) -> np.ndarray:
    """The standard deviations `[n]` over `[n, K]` with two digits, NaN where a fold has no loss."""
    known = np.all(np.isfinite(folds), axis=1)
    deviations = np.std(np.where(known[:, None], folds, 0), axis=1)
    rounded = np.array([float(f"{value:.2g}") for value in deviations])
    return np.where(known, rounded, np.nan)


def _of_the_rest(columns: dict[str, np.ndarray], unit: Unit, known: set[str]) -> dict[str, np.ndarray]:
    """The other columns; what was measured in the unit of the loss."""
    found = {}
    for name, column in columns.items():
        if name in known or name == "loss":
            continue
        if name.startswith(("folds[", "curve[")):
            column = np.array([unit.score(float(loss)) for loss in column])
        found[name] = column
    return found


def _free(name: str, columns: dict[str, np.ndarray]) -> str:
    """The name, or a longer one where a parameter has it."""
    return name if name == "loss" or name not in columns else f"{name} of the trial"


def _that_fit(texts: dict[str, list[str]], wanted: set[str]) -> set[str]:
    """Of the columns that are wanted the first that have room beside each other, and at least three."""
    found: list[str] = []
    width = 0
    for name in (name for name in texts if name in wanted):
        width += max(len(name) + 2, *map(len, texts[name])) + BETWEEN
        if width > ROOM and len(found) >= 3:
            break
        found.append(name)
    return set(found)


def column_of(name: str, columns: Mapping[str, Any]) -> str:
    """The name of a parameter's column, see `Archive.table`."""
    return f"params.{name}" if f"params.{name}" in columns else name


def number(value: Any) -> str:
    """A value as a person reads it: a number with five digits at most."""
    if isinstance(value, float | np.floating):
        return f"{value:.5g}"
    return str(value)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float | np.number) and not isinstance(value, bool))


def _kind(numeric: bool, visible: bool) -> str:
    return " class=n" * numeric + " hidden" * (not visible)


def _text(value: Any, numeric: bool) -> str:
    unknown = value is None or (numeric and not np.isfinite(value))
    return "" if unknown else escape(number(value))
