"""A search as one page of HTML that needs nothing else."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report import document
from jaxsearch.report.contents import Shown, network_figure, parameter_figures, search_figures
from jaxsearch.report.data_section import data_section
from jaxsearch.report.document import Tile
from jaxsearch.report.edges import at_edge
from jaxsearch.report.held_out_section import held_out_section
from jaxsearch.report.parameters import best_trial, parameters
from jaxsearch.report.searches import Searches
from jaxsearch.report.style import Unit
from jaxsearch.report.trials import Counts, best_rows, column_of, counted, table
from jaxsearch.runners.archive import Archive

MOST_PAIRS = 40  # parameters of the best trial


def page(
    archive: Archive,
    space: PyTree,
    *,
    title: str = "Search",
    lead: str = "",
    warnings: Iterable[str] = (),
    tiles: Sequence[Tile] = (),
    facts: Iterable[tuple[str, Any]] = (),
    label: str = "loss",
    greater_is_better: bool = False,
    target: float | None = None,
    searches: Searches | None = None,
    network: tuple[dict[str, Any], Sequence[Sequence[int]]] | None = None,
    evaluation: Mapping[str, Any] | None = None,
    commands: Iterable[tuple[str, str]] = (),
    remedies: Mapping[str, str] | None = None,
) -> str:
    """The HTML of a page with the facts, the figures that the data allow, and a table of the best 1000 trials.

    The page opens from the disk, without a network, and follows the reader's light or dark scheme. A point or line
    tells its trial under the pointer; a click marks the trial in all figures and in the table. The table can be
    sorted, filtered, and have other columns. Without scripts the page shows the same, without these. It runs no script
    but its own, whatever the names and options contain. The same arguments give the same text.

    Args:
        archive: the trials, as in a `Result` of `search`.
        space: where they lie.
        title: of the page.
        lead: what was found, in a sentence or two.
        warnings: sentences that stand out.
        tiles: numbers that stand out, `jaxsearch.report.document.Tile`; by default the best loss.
        facts: what else is known of the search, as pairs of a name and a value.
        label: what the loss is called, e.g. the metric; the name of its column in the table.
        greater_is_better: whether the losses are 1 - score, and shown as scores.
        target: the loss that was asked for.
        searches: this and other searches to compare, as in `convergence`.
        network: the best network: the facts and the shapes of the weights that `architecture` takes.
        evaluation: the data and the network on held-out rows, as a run's evaluation.json has them, see
            `jaxsearch.cli.evaluation`.
        commands: for a shell, each with what it does before it.
        remedies: how to widen the range of a parameter, by name, for those of the best trial at an end of theirs.

    Raises:
        ValueError: without Matplotlib, and for an evaluation that no run wrote.
    """
    unit = Unit(label, greater_is_better)
    shown = Shown(archive, space, unit)
    counts, duplicate_of = counted(archive, space)
    edges = at_edge(archive, space, remedies)
    drawing = "" if network is None else document.figures([network_figure(*network)], "n")
    best = document.pairs(_best(archive, space), edges)
    parts = [
        document.section("best", "Best trial", drawing, best, document.commands(commands)),
        *([] if evaluation is None else _evaluated(evaluation)),
        document.section("search", "Search", document.figures(search_figures(shown, target, searches), "s")),
        document.section("parameters", "Parameters", document.figures(parameter_figures(shown), "p")),
    ]
    drawn = " ".join(re.findall(r'data-trials="([\d ]*)"', "".join(parts))).split()
    parts.append(_trials(archive, space, counts, duplicate_of, unit, set(map(int, drawn))))
    parts.append(document.section("facts", "Facts", document.pairs(facts)))
    sections = [part for part in parts if part]
    head = [
        f"<header>\n<h1>{escape(title)}</h1>",
        f"<p class=lead>{escape(lead)}</p>" if lead else "",
        document.listed(warnings, "warnings"),
        document.tiles([*(tiles or _best_tile(archive, unit)), *_tiles(archive, counts)]),
        document.contents(sections),
        "</header>",
    ]
    body = "\n".join(part for part in [*head, *sections] if part)
    return document.document(title, body)


def _evaluated(evaluation: Mapping[str, Any]) -> list[str]:
    """The sections about the held-out rows and the data."""
    try:
        return [held_out_section(evaluation), data_section(evaluation)]
    except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(
            f"The evaluation must be as a run writes it to evaluation.json; it is not: {error!r}. Restore it, or leave "
            "it out."
        ) from None


def _best_tile(archive: Archive, unit: Unit) -> list[Tile]:
    best = best_trial(archive)
    value = "none" if best is None else f"{unit.score(float(archive.loss[best])):.4g}"
    return [Tile(f"Best {unit.label}", value)]


def _tiles(archive: Archive, counts: Counts) -> list[Tile]:
    """How many trials there were, and what became of them."""
    generations = len(np.unique(archive.generation))
    found = [
        Tile("Trials", f"{counts.trials:,}", f"in {generations:,} generation{'s' * (generations != 1)}"),
        Tile("Failed", f"{counts.failed:,}", bad=counts.failed > 0),
    ]
    for name, count in (("Infeasible", counts.infeasible), ("Duplicates", counts.duplicates)):
        if count:
            found.append(Tile(name, f"{count:,}"))
    return found


def _best(archive: Archive, space: PyTree) -> list[tuple[str, Any]]:
    """The parameters of the best trial, and which one it is."""
    if best_trial(archive) is None:
        return []
    columns = best_rows(archive, space, 1)[1]
    known = [(one.name, columns[column_of(one.name, columns)][0]) for one in parameters(archive, space)]
    pairs = [("trial", columns["trial"][0]), *((name, value) for name, value in known if value is not None)]
    more = len(pairs) - MOST_PAIRS
    return pairs if more <= 1 else [*pairs[:MOST_PAIRS], ("parameters that are not shown", more)]


def _trials(
    archive: Archive,
    space: PyTree,
    counts: Counts,
    duplicate_of: np.ndarray,
    unit: Unit,
    also: Iterable[int],
) -> str:
    if not counts.trials:
        return ""
    rows, columns, shown = table(archive, space, duplicate_of, unit, also)
    note = f"{counts}. {shown} are below; click on a column's name to sort, on a row to mark the trial in the figures."
    boxes = "".join(
        f"<label><input type=checkbox{' checked' * visible}> {escape(name)}</label>" for name, visible in columns
    )
    example = f"relu {unit.label}{'>' if unit.greater_is_better else '<'}0.1"
    tools = (
        "<div class=tools hidden>"
        "<label>Filter <input type=search id=filter aria-describedby=filter-help></label>"
        f"<details class=columns><summary>Columns</summary><div>{boxes}</div></details>"
        "<output></output>"
        f"<p class=note id=filter-help>Words that a row must have, or limits such as {escape(example)}.</p></div>"
    )
    box = f'<div class=trials role=region aria-label="Trials" tabindex=0>\n{rows}\n</div>'
    return document.section("trials", "Trials", f"<p class=note>{escape(note)}</p>", tools, box)
