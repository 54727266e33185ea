"""Figures of generations: what their members were given, and how far they spread."""

import itertools
from typing import Any

import numpy as np

from jaxsearch.report import style
from jaxsearch.report.parameters import best_trial, losses_of
from jaxsearch.runners.archive import Archive

MOST_LEVELS = 8  # different budgets that are counted in words
MOST_MEMBERS = 120  # whose curves are drawn


def budget_of(archive: Archive) -> np.ndarray | None:
    """`[N]`, what every trial has behind it: its epochs if the evaluator tells, else its budget; None if unknown.

    Of `Halving` all epochs that it was trained, also those after the best of them.
    """
    epochs = archive.aux.get("epochs") if isinstance(archive.aux, dict) else None
    if epochs is not None and "curve_epochs" in archive.aux:
        epochs = np.max(archive.aux["curve_epochs"], axis=1)
    found = archive.budget if epochs is None else epochs
    return None if found is None or np.ndim(found) != 1 else np.asarray(found, float)


def budgets(ax: Any, archive: Archive, *, label: str = "epochs") -> Any:
    """What each candidate was given, and how many were given as much; returns the axes.

    Raises ValueError if the budgets are unknown.
    """
    budget, loss = _known(budget_of(archive), "budgets"), losses_of(archive)
    chosen, failed = style.shown(loss, 2 * style.MOST_POINTS), ~np.isfinite(loss)
    levels, counts = np.unique(budget, return_counts=True)
    few = 0 < len(levels) <= MOST_LEVELS
    if few and levels[0] > 0 and levels[-1] >= 8 * levels[0]:
        ax.set_yscale("log")
    else:
        ax.set_ylim(0, 1.12 * max([1e-9, *levels]))
    ok, lost = chosen[~failed[chosen]], chosen[failed[chosen]]
    style.mark_trials(ax, ok, budget[ok], trials=ok)
    (line,) = ax.plot(lost, budget[lost], "x", color=style.FAILED, markersize=4, label="failed")
    style.tag(line, lost)
    best = best_trial(archive)
    if best is not None:
        style.mark_best(ax, best, budget[best], best)
    if few:
        from matplotlib.ticker import NullLocator

        ax.set_yticks(levels, labels=[f"{level:g}" for level in levels])
        ax.yaxis.set_minor_locator(NullLocator())
        for level, count in zip(levels, counts, strict=True):
            _at_right_end(ax, f"{count:,}", level, (6, 0), va="center", annotation_clip=False)
    style.whole_numbers(ax.xaxis)
    ax.set_xlabel("trial")
    ax.set_ylabel(label)
    return ax


def has_learning_curves(archive: Archive) -> bool:
    """Whether some trial goes on from another one and its budget is known."""
    return budget_of(archive) is not None and bool(np.any(_parents(archive) >= 0))


def learning_curves(
    ax: Any,
    archive: Archive,
    *,
    label: str = "loss",
    unit: str = "epochs",
    greater_is_better: bool = False,
) -> Any:
    """The loss of members against what they have behind them, generation after generation; returns the axes.

    Known where candidates go on from others, as with `PBT`. The best trial and those that it comes from stand out.
    greater_is_better: as in `convergence`.

    Raises ValueError if the budgets, or from whom the candidates go on, are unknown.
    """
    budget, loss = _known(budget_of(archive), "budgets"), losses_of(archive)
    _known(archive.origin, "origins")
    parents = _parents(archive)
    y = style.scale_losses(ax, loss, label, greater_is_better)
    heirs = np.flatnonzero(parents >= 0)
    heirs = heirs[
        np.isin(_slots(archive)[heirs], style.shown(np.arange(_slots(archive).max(initial=0) + 1), MOST_MEMBERS))
    ]
    heirs = heirs[(budget[heirs] > budget[parents[heirs]]) & np.isfinite(y[heirs]) & np.isfinite(y[parents[heirs]])]
    gap = np.full(len(heirs), np.nan)
    x, y_lines = (np.stack([of[parents[heirs]], of[heirs], gap], axis=1).reshape(-1) for of in (budget, y))
    (lines,) = ax.plot(x, y_lines, color=style.TRIAL, linewidth=0.9, alpha=0.4)
    style.tag(lines, heirs)
    failed = np.flatnonzero(np.isnan(y))[: style.MOST_POINTS]
    style.mark_failed(ax, budget[failed], failed)
    best = best_trial(archive)
    if best is not None:
        line = [best]
        while parents[line[-1]] >= 0:
            line.append(int(parents[line[-1]]))
        ax.plot(budget[line], y[line], color=style.BEST, linewidth=1.8)
        style.mark_best(ax, budget[best], y[best], best)
    ax.set_xlabel(unit)
    return ax


def spread_of_generations(archive: Archive) -> tuple[np.ndarray, np.ndarray]:
    """The generations `[G]` of at least two candidates, and how far they spread `[G]` in the cube.

    spread = sqrt(mean_i |x_i - centroid|^2 * 12 / D)    with the mean over P - 1: 1 for independent uniform points
    """
    found = []
    for number, first, last in _generations(archive):
        x = np.asarray(archive.x[first:last], float)
        if len(x) > 1:
            found.append((number, np.sqrt(12 * np.mean(np.var(x, axis=0, ddof=1)))))
    numbers, spread = zip(*found, strict=True) if found else ((), ())
    return np.array(numbers, int), np.array(spread)


def diversity(ax: Any, archive: Archive) -> Any:
    """How far each generation spreads in the unit cube, see `spread_of_generations`; returns the axes."""
    numbers, spread = spread_of_generations(archive)
    ax.axhline(1, color=style.MUTED, linewidth=1, linestyle="--")
    _at_right_end(ax, "uniform", 1, (0, 3), ha="right")
    ax.plot(
        numbers, spread, color=style.TRIAL, linewidth=1.6, marker="o" if len(numbers) < 40 else None, markersize=3.5
    )
    ax.set_ylim(0, 1.15 * max([1, *spread]))
    style.whole_numbers(ax.xaxis)
    ax.set_xlabel("generation")
    ax.set_ylabel("spread")
    return ax


def _generations(archive: Archive) -> list[tuple[int, int, int]]:
    """The number of each generation, its first trial and the one after its last."""
    numbers = np.asarray(archive.generation)
    ends = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(numbers)]
    return [(int(numbers[first]), first, last) for first, last in itertools.pairwise(ends) if last > first]


def _slots(archive: Archive) -> np.ndarray:
    """`[N]`, the place of each trial in its generation."""
    return np.concatenate([np.zeros(0, int), *(np.arange(b - a) for _, a, b in _generations(archive))])


def _parents(archive: Archive) -> np.ndarray:
    """`[N]`, the trial from which each goes on, in the generation before; -1 for none."""
    result = np.full(len(archive.loss), -1)
    if archive.origin is None:
        return result
    generations = _generations(archive)
    for (before, a, b), (number, c, d) in itertools.pairwise(generations):
        origin = np.asarray(archive.origin[c:d])
        if number == before + 1:
            result[c:d] = np.where((origin >= 0) & (origin < b - a), a + origin, -1)
    return result


def _known(what: Any, name: str) -> Any:
    if what is None:
        raise ValueError(f"This figure needs the {name} of the trials; the archive has none. Leave it out.")
    return what


def _at_right_end(ax: Any, text: str, level: float, offset: tuple[float, float], **how: Any) -> None:
    """A quiet note at the right end of the axes, at a level of the vertical axis; offset: in points."""
    place = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
    ax.annotate(text, (1, level), offset, fontsize="small", color=style.MUTED, **place, **how)
