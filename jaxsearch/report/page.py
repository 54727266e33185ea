"""A search as one page of HTML that needs nothing else."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from typing import Any

import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report.contents import HALF, THIRD, Figure, figures
from jaxsearch.report.parameters import losses_of, parameters
from jaxsearch.report.searches import Searches
from jaxsearch.report.style import best_of
from jaxsearch.report.svg import svg
from jaxsearch.report.trials import Counts, best_rows, counted, number, table
from jaxsearch.runners.archive import Archive

MOST_PAIRS = 40  # parameters of the best trial


def page(
    archive: Archive,
    space: PyTree,
    *,
    title: str = "Search",
    facts: Iterable[tuple[str, Any]] = (),
    label: str = "loss",
    target: float | None = None,
    searches: Searches | None = None,
    network: tuple[dict[str, Any], Sequence[Sequence[int]]] | None = None,
) -> str:
    """The HTML of a page with the facts, the figures that the data allow, and a table of the best 1000 trials.

    The page opens from the disk, without a network, follows the reader's light or dark scheme, and sorts its table by a
    click on a head. It runs no script but its own, whatever the names and options contain. The same arguments give the
    same text.

    Args:
        archive, space: as in a `Result` of `search`.
        title: of the page.
        facts: what else is known of the search, as pairs of a name and a value.
        label: what the loss is called, e.g. the metric.
        target: the loss that was asked for.
        searches: this and other searches to compare, as in `convergence`.
        network: the best network: the facts and the shapes of the weights that `architecture` takes.

    Raises:
        ValueError: without Matplotlib.
    """
    counts, duplicate_of = counted(archive, space)
    found = figures(archive, space, label=label, target=target, searches=searches, network=network)
    body = [
        f"<h1>{escape(title)}</h1>",
        _tiles(archive, counts, label),
        _pairs("Best trial", _best(archive, space)),
        _pairs("Facts", facts),
        "<h2>Figures</h2>\n<div class=figures>" if found else "",
        *(_figure(f"f{i}", figure) for i, figure in enumerate(found)),
        "</div>" if found else "",
        _trials(archive, space, counts, duplicate_of),
    ]
    return _document(title, "\n".join(part for part in body if part))


def _document(title: str, body: str) -> str:
    style, script = (
        resources.files("jaxsearch.report").joinpath(f"page.{kind}").read_text("utf-8") for kind in ("css", "js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Matplotlib's figures carry style attributes, which cannot run anything; of scripts only this one may run.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    policy += "; base-uri 'none'; form-action 'none'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
"""


def _tiles(archive: Archive, counts: Counts, label: str) -> str:
    best = best_of(losses_of(archive))
    tiles = [
        (f"Best {label}", "none" if best is None else f"{archive.loss[best]:.4g}", ""),
        ("Trials", f"{counts.trials:,}", ""),
        ("Generations", f"{len(np.unique(archive.generation)):,}", ""),
        ("Failed", f"{counts.failed:,}", " class=bad" * (counts.failed > 0)),
        ("Infeasible", f"{counts.infeasible:,}", ""),
        ("Duplicates", f"{counts.duplicates:,}", ""),
    ]
    return f"<dl class=tiles>{''.join(f'<div{kind}>{_pair(name, value)}</div>' for name, value, kind in tiles)}</dl>"


def _best(archive: Archive, space: PyTree) -> list[tuple[str, Any]]:
    """The parameters of the best trial, and which one it is."""
    if best_of(losses_of(archive)) is None:
        return []
    columns = best_rows(archive, space, 1)[1]
    known = [(one.name, columns[one.name][0]) for one in parameters(archive, space)]
    pairs = [("trial", columns["trial"][0]), *((name, value) for name, value in known if value is not None)]
    more = len(pairs) - MOST_PAIRS
    return pairs if more <= 1 else [*pairs[:MOST_PAIRS], ("parameters that are not shown", more)]


def _pairs(heading: str, pairs: Iterable[tuple[str, Any]]) -> str:
    rows = "".join(f"<div>{_pair(name, value)}</div>" for name, value in pairs)
    return f"<h2>{escape(heading)}</h2>\n<dl class=pairs>{rows}</dl>" if rows else ""


def _pair(name: str, value: Any) -> str:
    return f"<dt>{escape(str(name))}</dt><dd>{escape(number(value))}</dd>"


def _figure(name: str, figure: Figure) -> str:
    kind = {HALF: "half", THIRD: "third"}.get(figure.size, "whole")
    note = f"<p class=note>{escape(figure.caption)}</p>" if figure.caption else ""
    drawn = svg(figure.draw, name, figure.title, figure.size)
    caption = f"<figcaption><h3>{escape(figure.title)}</h3>{note}</figcaption>"
    return f"<figure class={kind}>{caption}<div class=scroll>\n{drawn}\n</div></figure>"


def _trials(archive: Archive, space: PyTree, counts: Counts, duplicate_of: np.ndarray) -> str:
    if not counts.trials:
        return ""
    rows, shown = table(archive, space, duplicate_of)
    note = f"{counts}. {shown} are below; click on a head to sort."
    box = f'<div class=trials role=region aria-label="Trials" tabindex=0>\n{rows}\n</div>'
    return f"<h2>Trials</h2>\n<p class=note>{note}</p>\n{box}"
