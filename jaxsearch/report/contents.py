"""Which figures a page has: those that say something about its data."""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report import folds, style
from jaxsearch.report.drawing import architecture
from jaxsearch.report.importance import importance
from jaxsearch.report.one_budget import at_one_budget
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

# Inches, such that letters of all of them have about the same size on a wide page, which has as many of each beside
# another; a narrow page has them one below the other.
HALF, THIRD, WHOLE, FLAT, LOW = (5.1, 3.1), (3.3, 2.3), (10.6, 3.8), (10.6, 2.3), (10.6, 3.0)
NARROW_WIDTH = 4.6
MOST_SLICES = 9
MOST_PAIRS = 2
MOST_AXES = 8


class Figure(NamedTuple):
    """A figure of a page: what it shows in words, the function of axes that draws it, and its size.

    narrow: how it is drawn on a narrow page and in which size, if otherwise.
    """

    title: str
    caption: str
    draw: Callable[[Any], Any]
    size: tuple[float, float] = HALF
    narrow: tuple[Callable[[Any], Any], tuple[float, float]] | None = None


class Shown(NamedTuple):
    """What all figures of a search are made of."""

    archive: Archive
    space: PyTree
    unit: style.Unit


def network_figure(facts: dict[str, Any], shapes: Sequence[Sequence[int]]) -> Figure:
    """The network as a drawing, see `architecture`."""
    draw = functools.partial(architecture, facts=facts, shapes=shapes)
    size = WHOLE if "edges" in facts else FLAT
    return Figure("Best network", "", draw, size, (draw, (NARROW_WIDTH, 2.6)) if len(shapes) <= 5 else None)


def search_figures(shown: Shown, target: float | None, searches: Searches | None) -> list[Figure]:
    """How the search went, and how its trials were measured."""
    archive = shown.archive
    found = [_of_the_search(shown, target)] if len(archive.loss) else []
    if searches is not None:
        found += _of_searches(searches, shown, target)
    found += _of_measurements(shown)
    return filled(found + _of_generations(shown))


def parameter_figures(shown: Shown) -> list[Figure]:
    """Where the good trials lie."""
    return filled(_of_parameters(shown)) if len(shown.archive.loss) > 1 else []


def filled(found: list[Figure]) -> list[Figure]:
    """The same figures, of which none stands alone beside an empty place."""
    result: list[Figure] = []
    for size, group in itertools.groupby(found, key=lambda figure: figure.size):
        row = list(group)
        less: list[Figure] = []
        if size == THIRD and len(row) % 3:
            count = min(2 if len(row) % 3 == 2 else 4, len(row))
            row, less = row[: len(row) - count], [figure._replace(size=HALF) for figure in row[-count:]]
        elif size == HALF and len(row) % 2:
            narrow = row[0].narrow or (row[0].draw, HALF)
            row[0] = row[0]._replace(size=LOW, narrow=narrow)
        if len(less) % 2:
            less[-1] = less[-1]._replace(size=LOW, narrow=(less[-1].draw, HALF))
        result += row + less
    return result


def _of_the_search(shown: Shown, target: float | None) -> Figure:
    archive = shown.archive
    draw = functools.partial(convergence, searches=archive, target=target, **shown.unit._asdict())
    caption = f"The best {shown.unit.label} so far, and every trial; crosses failed or are infeasible."
    if folds.curves_of(archive) is not None:
        what = f"The best {shown.unit.label} so far, and that of every trial, after the epochs at which it was measured"
        caption = f"{what}; crosses failed or are infeasible."
    if archive.adjusted_loss is not None:
        caption += " The trial that is marked is the best by its adjusted loss."
    return Figure("Convergence", caption + _sample(archive, style.MOST_POINTS), draw)


def _of_searches(searches: Searches, shown: Shown, target: float | None) -> list[Figure]:
    draw = functools.partial(convergence, searches=searches, target=target, **shown.unit._asdict())
    caption = f"The best {shown.unit.label} so far: the median over the seeds, and half of them in the band."
    share = "The share of searches and targets that were met, over 50 targets from easy to hard."
    return [
        Figure("Convergence of all searches", caption, draw),
        Figure("Targets met", share, functools.partial(ecdf, searches=searches)),
    ]


def _of_measurements(shown: Shown) -> list[Figure]:
    found, archive = [], shown.archive
    if folds.has_folds(archive):
        caption = "The best trials in each fold (points) and on average (dashes)."
        draw = functools.partial(folds.spread_over_folds, archive=archive, **shown.unit._asdict())
        found.append(Figure("Spread over the folds", caption, draw))
    if folds.curves_of(archive) is not None:
        caption = f"The {shown.unit.label} of each trial at every measurement; the best trial stands out."
        if archive.adjusted_loss is not None:
            caption += " Fewer epochs count only where they are clearly better, by the standard error over the folds."
        draw = functools.partial(folds.curves, archive=archive, **shown.unit._asdict())
        found.append(Figure("Learning curves", caption + _sample(archive, folds.MOST_CURVES), draw))
    return found


def _of_parameters(shown: Shown) -> list[Figure]:
    archive, space, label = shown.archive, shown.space, shown.unit.label
    shares, budget = importance(archive, space), at_one_budget(archive).words
    of_budget = f", {budget}" if budget else ""
    known = {one.name: one for one in parameters(archive, space)}
    varied = {name for name, one in known.items() if len(np.unique(one.position[one.position >= 0])) > 1}
    names = [name for name in sorted(shares, key=lambda name: -shares[name]) if name in varied]
    found, given = [], {"archive": archive, "space": space, **shown.unit._asdict()}
    if any(shares.values()) and len(shares) > 1:
        caption = f"How much each parameter alone decides whether a trial is among the best tenth{of_budget}."
        found.append(Figure("Importance", caption, functools.partial(importances, shares=shares)))
    if len(names) > 1:
        caption = f"The {label} around each point{of_budget}. Blank: not tried."
        for first, second in _pairs(known, names):
            draw = functools.partial(contour, first=first, second=second, **given)
            found.append(Figure(f"{first} and {second}", caption, draw))
        found.append(_together(shown, names[:MOST_AXES], of_budget))
    slices = {name: functools.partial(slice_of, name=name, **given) for name in names[:MOST_SLICES]}
    caption = f"The {label}{of_budget}." if budget else ""
    return found + [Figure(name, caption, draw, THIRD) for name, draw in slices.items()]


def _together(shown: Shown, names: list[str], of_budget: str) -> Figure:
    caption = f"A line for each trial: the stronger its colour, the better{of_budget}."
    caption += _sample(shown.archive, MOST_LINES)
    given = {"archive": shown.archive, "space": shown.space, "names": names, **shown.unit._asdict()}
    draw = functools.partial(parallel_coordinates, **given)
    upright = functools.partial(parallel_coordinates, upright=True, **given)
    height = 0.62 * (len(names) + 1) + 0.3
    return Figure("All parameters together", caption, draw, WHOLE, (upright, (NARROW_WIDTH, height)))


def _pairs(found: dict[str, Parameter], names: list[str]) -> list[tuple[str, str]]:
    """Pairs of the parameters that matter most, of which both vary where both matter; numbers before options."""

    def vary(pair: tuple[str, str]) -> bool:
        both = np.stack([found[name].position for name in pair])
        both = both[:, ~np.any(np.isnan(both), axis=0)]
        return both.shape[1] > 1 and bool(np.all(np.ptp(both, axis=1) > 0))

    pairs = filter(vary, itertools.combinations(names[:4], 2))
    return sorted(pairs, key=lambda pair: sum(len(found[name].options) > 0 for name in pair))[:MOST_PAIRS]


def _of_generations(shown: Shown) -> list[Figure]:
    archive, label = shown.archive, shown.unit.label
    found, budget = [], budget_of(archive)
    if budget is not None and len(np.unique(budget)) > 1:
        caption = f"How long each candidate was trained.{_sample(archive, 2 * style.MOST_POINTS)}"
        found.append(Figure("Budget per candidate", caption, functools.partial(budgets, archive=archive)))
    if has_learning_curves(archive):
        caption = f"The {label} of members that go on from generation to generation; the best one's history stands out."
        draw = functools.partial(learning_curves, archive=archive, **shown.unit._asdict())
        found.append(Figure("Learning curves", caption, draw))
    if len(spread_of_generations(archive)[0]) > 1:
        caption = "How far each generation spreads in the space, next to points drawn uniformly."
        found.append(Figure("Diversity", caption, functools.partial(diversity, archive=archive)))
    return found


def _sample(archive: Archive, most: int) -> str:
    count = len(archive.loss)
    return f" Shown: {most:,} of {count:,}, the best and an even share of the others." if count > most else ""
