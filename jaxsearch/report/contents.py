"""Which figures a page has: those that say something about its data."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report import style
from jaxsearch.report.drawing import architecture
from jaxsearch.report.importance import importance
from jaxsearch.report.parallel import MOST_LINES, parallel_coordinates
from jaxsearch.report.parameter_figures import contour, importances, slice_of
from jaxsearch.report.parameters import Parameter, parameters
from jaxsearch.report.population import (
    budget_of,
    budgets,
    diversity,
    has_learning_curves,
    learning_curves,
    spread_of_generations,
)
from jaxsearch.report.searches import Searches, convergence, ecdf
from jaxsearch.runners.archive import Archive

HALF, THIRD, WHOLE, FLAT = (
    (4.6, 2.9),
    (3.3, 2.4),
    (8.2, 3.4),
    (8.2, 2.2),
)  # inches; the page has as many of each beside another
MOST_SLICES = 9
MOST_PAIRS = 2
MOST_AXES = 8


class Figure(NamedTuple):
    """A figure of a page: what it shows in words, the function of axes that draws it, and its size."""

    title: str
    caption: str
    draw: Callable[[Any], Any]
    size: tuple[float, float] = HALF


def figures(
    archive: Archive,
    space: PyTree,
    *,
    label: str,
    target: float | None,
    searches: Searches | None,
    network: tuple[dict[str, Any], Sequence[Sequence[int]]] | None,
) -> list[Figure]:
    """The figures for these trials, see `page` for the arguments."""
    size = WHOLE if network is not None and "edges" in network[0] else FLAT
    found = [] if network is None else [Figure("Best network", "", lambda ax: architecture(ax, *network), size)]
    if len(archive.loss):
        found.append(_of_the_search(archive, label, target))
    if searches is not None:
        found += _of_searches(searches, label, target)
    if len(archive.loss) > 1:
        found += _of_parameters(archive, space, label)
    return found + _of_generations(archive, label)


def _of_the_search(archive: Archive, label: str, target: float | None) -> Figure:
    draw = functools.partial(convergence, searches=archive, target=target, label=label)
    caption = f"The best {label} so far, and every trial; crosses failed or are infeasible."
    return Figure("Convergence", caption + _sample(archive, style.MOST_POINTS), draw)


def _of_searches(searches: Searches, label: str, target: float | None) -> list[Figure]:
    draw = functools.partial(convergence, searches=searches, target=target, label=label)
    caption = f"The best {label} so far: the median over the seeds, and half of them in the band."
    share = "The share of searches and targets that were met, over 50 targets from easy to hard."
    return [
        Figure("Convergence of all searches", caption, draw),
        Figure("Targets met", share, functools.partial(ecdf, searches=searches)),
    ]


def _of_parameters(archive: Archive, space: PyTree, label: str) -> list[Figure]:
    shares = importance(archive, space)
    varied = {one.name for one in parameters(archive, space) if len(np.unique(one.position[one.position >= 0])) > 1}
    names = [name for name in sorted(shares, key=lambda name: -shares[name]) if name in varied]
    found, given = [], {"archive": archive, "space": space, "label": label}
    if any(shares.values()) and len(shares) > 1:
        caption = "How much each parameter alone decides whether a trial is among the best tenth."
        found.append(Figure("Importance", caption, functools.partial(importances, shares=shares)))
    if len(names) > 1:
        caption = f"The {label} around each point. Blank: not tried."
        for first, second in _pairs({one.name: one for one in parameters(archive, space)}, names):
            draw = functools.partial(contour, first=first, second=second, **given)
            found.append(Figure(f"{first} and {second}", caption, draw))
        caption = f"A line for each trial: the stronger its colour, the better.{_sample(archive, MOST_LINES)}"
        draw = functools.partial(parallel_coordinates, names=names[:MOST_AXES], **given)
        found.append(Figure("All parameters together", caption, draw, WHOLE))
    slices = {name: functools.partial(slice_of, name=name, **given) for name in names[:MOST_SLICES]}
    return found + [Figure(name, "", draw, THIRD) for name, draw in slices.items()]


def _pairs(found: dict[str, Parameter], names: list[str]) -> list[tuple[str, str]]:
    """Pairs of the parameters that matter most, of which both vary where both matter; numbers before options."""

    def vary(pair: tuple[str, str]) -> bool:
        both = np.stack([found[name].position for name in pair])
        both = both[:, ~np.any(np.isnan(both), axis=0)]
        return both.shape[1] > 1 and bool(np.all(np.ptp(both, axis=1) > 0))

    pairs = filter(vary, itertools.combinations(names[:4], 2))
    return sorted(pairs, key=lambda pair: sum(len(found[name].options) > 0 for name in pair))[:MOST_PAIRS]


def _of_generations(archive: Archive, label: str) -> list[Figure]:
    found, budget = [], budget_of(archive)
    if budget is not None and len(np.unique(budget)) > 1:
        caption = f"How long each candidate was trained.{_sample(archive, 2 * style.MOST_POINTS)}"
        found.append(Figure("Budget per candidate", caption, functools.partial(budgets, archive=archive)))
    if has_learning_curves(archive):
        caption = f"The {label} of members that go on from generation to generation; the best one's history stands out."
        found.append(
            Figure("Learning curves", caption, functools.partial(learning_curves, archive=archive, label=label))
        )
    if len(spread_of_generations(archive)[0]) > 1:
        caption = "How far each generation spreads in the space, next to points drawn uniformly."
        found.append(Figure("Diversity", caption, functools.partial(diversity, archive=archive)))
    return found


def _sample(archive: Archive, most: int) -> str:
    count = len(archive.loss)
    return f" Shown: {most:,} of {count:,}, the best and an even share of the others." if count > most else ""
