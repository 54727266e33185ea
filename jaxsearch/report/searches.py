"""Figures of whole searches: how fast the best loss falls."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxsearch.report import style
from jaxsearch.report.parameters import best_trial
from jaxsearch.report.style import Unit
from jaxsearch.runners.archive import Archive

Losses = Archive | np.ndarray  # of one search, in the order of its evaluations; best losses so far will do, too
Searches = Losses | Sequence[Losses] | Mapping[str, Losses | Sequence[Losses]]
NUM_TARGETS = 50


def convergence(
    ax: Any,
    searches: Searches,
    *,
    quantiles: tuple[float, float] = (0.25, 0.75),
    target: float | None = None,
    label: str = "loss",
    greater_is_better: bool = False,
) -> Any:
    """The best loss so far against evaluations; returns the axes.

    Of a single search with its trials, of several the median with a band between the quantiles. One that ended before
    the others keeps its best loss. Where losses are adjusted, see `Results`, the best trial of an archive, which is
    marked, may lie above the lowest loss.

    Args:
        ax: Matplotlib axes.
        searches: one, several with different seeds, or a dict of these by name, as `Comparison.curves` `[S, N, E]` with
            its names. Each an `Archive` or its losses `[E]`, several also as an array `[N, E]`.
        quantiles: over the seeds, in [0, 1].
        target: a loss to draw a line at.
        label: what the loss is called.
        greater_is_better: whether to show the losses as 1 - loss, as of a metric such as auc.
    """
    named = runs_by_name(searches)
    drawn = [[curve[np.isfinite(curve)] for curve in map(best_so_far, runs)] for runs in named.values()]
    alone = sum(map(len, named.values())) == 1
    everything = np.concatenate([np.zeros(0), *(curve for curves in drawn for curve in curves)])
    shown = next(iter(named.values()))[0] if alone else everything
    trials = style.scale_losses(ax, shown, label, greater_is_better)
    if alone and len(trials):
        chosen = style.shown(shown)
        style.mark_trials(ax, chosen + 1, trials[chosen], trials=chosen)
        failed = chosen[np.isnan(trials[chosen])]
        style.mark_failed(ax, failed + 1, failed)
        best = best_trial(searches) if isinstance(searches, Archive) else style.best_of(shown)
        if best is not None:
            style.mark_best(ax, best + 1, trials[best], best)
    handles = []
    for number, runs in enumerate(named.values()):
        look = {"color": style.BEST} if alone else style.series(number)
        handles.append(_curve(ax, runs, quantiles, look))
    if len(named) > 1 and all(len(runs) == 1 for runs in named.values()):
        _improvements(ax, {name: runs[0] for name, runs in named.items()}, Unit(label, greater_is_better))
    if target is not None:
        ax.axhline(target, color=style.MUTED, linewidth=1, linestyle="--")
    if len(named) > 1:
        style.legend(ax, handles, list(named))
    style.whole_numbers(ax.xaxis)
    ax.set_xlabel("evaluations")
    return ax


def _improvements(ax: Any, runs: Mapping[str, np.ndarray], unit: Unit) -> None:
    """A point wherever a search found something better, which tells how good."""
    for number, (name, loss) in enumerate(runs.items()):
        best = best_so_far(loss)
        at = np.flatnonzero(best < np.concatenate([[np.inf], best[:-1]]))
        texts = [f"{name}: {unit.label} {unit.score(best[i]):.4g} at evaluation {i + 1:,}" for i in at]
        _points(ax, at + 1, best[at], number, texts)


def _points(ax: Any, x: np.ndarray, y: np.ndarray, number: int, texts: Sequence[str]) -> None:
    """The points of one of several curves, which tell these texts; those beyond the axis lie at its end."""
    y = np.minimum(y, max(ax.get_ylim()))
    how = {"color": style.series(number)["color"], "markersize": 3.2, "markeredgewidth": 0, "clip_on": False}
    (points,) = ax.plot(x, y, "o", **how)
    style.tell(points, texts)


def _curve(ax: Any, runs: list[np.ndarray], quantiles: tuple[float, float], look: dict[str, Any]) -> Any:
    length = max(map(len, runs))
    curves = [np.pad(best_so_far(run), (0, length - len(run)), mode="edge") for run in runs if len(run)]
    if not curves:
        return ax.plot([], [], **look)[0]
    low, median, high = np.quantile(curves, [quantiles[0], 0.5, quantiles[1]], axis=0, method="inverted_cdf")
    same = np.all([curve[1:] == curve[:-1] for curve in (low, median, high)], axis=0)
    at = np.unique(np.concatenate([[0], np.flatnonzero(~same) + 1, [length - 1]]))
    finite = lambda curve: np.where(np.isfinite(curve), curve, np.nan)[at]  # noqa: E731
    if len(curves) > 1:
        band = {"color": look["color"], "alpha": 0.18, "linewidth": 0}
        ax.fill_between(at + 1, finite(low), finite(high), step="post", **band)
    (line,) = ax.plot(at + 1, finite(median), linewidth=1.8, drawstyle="steps-post", **look)
    return line


def over_time(
    ax: Any,
    searches: Mapping[str, Archive],
    *,
    label: str = "loss",
    greater_is_better: bool = False,
) -> Any:
    """The best loss so far against the seconds that the search took until then; returns the axes.

    searches: by name, whose `seconds` are known. label, greater_is_better: as in `convergence`.
    """
    curves = {name: best_so_far(np.asarray(archive.loss, float)) for name, archive in searches.items()}
    everything = np.concatenate([np.zeros(0), *(curve[np.isfinite(curve)] for curve in curves.values())])
    style.scale_losses(ax, everything, label, greater_is_better)
    handles = []
    for number, (name, archive) in enumerate(searches.items()):
        known = np.isfinite(curves[name])
        # The candidates of a generation are known together, at its end.
        ends = np.append(archive.generation[1:] != archive.generation[:-1], True) & known
        seconds = np.cumsum(np.asarray(archive.seconds, float))
        x, y = seconds[ends], curves[name][ends]
        handles.extend(ax.plot(x, y, linewidth=1.8, drawstyle="steps-post", **style.series(number)))
        unit = Unit(label, greater_is_better)
        texts = [f"{unit.score(loss):.4g} after {time:.3g} s" for loss, time in zip(y, x, strict=True)]
        _points(ax, x, y, number, [f"{name}: {label} {text}" for text in texts])
    if len(searches) > 1:
        style.legend(ax, handles, list(searches))
    ax.set_xlim(left=0)
    ax.set_xlabel("seconds")
    return ax


def ecdf(ax: Any, searches: Searches, *, targets: Sequence[float] | None = None) -> Any:
    """The share of searches and targets that are met, against evaluations; returns the axes.

    Args:
        ax: Matplotlib axes.
        searches: as in `convergence`.
        targets: losses; None for 50 between the first success of the median search and the lowest loss of all, evenly
            spaced, on a logarithmic scale if all are positive.

    References: Hansen et al., COCO: A Platform for Comparing Continuous Optimizers in a Black-Box Setting, Optimization
        Methods and Software, 2021.
    """
    named = runs_by_name(searches)
    curves = {name: [best_so_far(run) for run in runs] for name, runs in named.items()}
    levels = np.asarray(_targets([curve for some in curves.values() for curve in some]) if targets is None else targets)
    handles = []
    for number, some in enumerate(curves.values()):
        # Reversed, a curve rises: what lies at or below a target is its first part.
        ends = [len(curve) - np.searchsorted(curve[::-1], levels, side="right") for curve in some]
        met = np.sort(np.concatenate([[], *(end[end < len(curve)] + 1 for end, curve in zip(ends, some, strict=True))]))
        share = np.arange(1, len(met) + 1) / max(len(levels) * len(some), 1)
        last = max(map(len, some), default=1)
        x, y = np.concatenate([[1], met, [last]]), np.concatenate([[0], share, share[-1:] if len(met) else [0]])
        handles.extend(ax.plot(x, y, linewidth=1.8, drawstyle="steps-post", **style.series(number)))
    ax.set_xscale("log")
    style.plain_numbers(ax.xaxis)
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlabel("evaluations")
    ax.set_ylabel("share of targets met")
    if len(named) > 1:
        style.legend(ax, handles, list(named))
    return ax


def _targets(curves: list[np.ndarray]) -> np.ndarray:
    """Losses from an easy one to that which only the best search met."""
    met = [curve[np.isfinite(curve)] for curve in curves]
    met = [curve for curve in met if len(curve)]
    if not met:
        return np.zeros(0)
    easy, hard = np.median([curve[0] for curve in met]), min(curve[-1] for curve in met)
    if hard >= easy:
        return np.array([hard])
    targets = np.geomspace(easy, hard, NUM_TARGETS) if hard > 0 else np.linspace(easy, hard, NUM_TARGETS)
    targets[-1] = hard  # a power may round below it
    return targets


def best_so_far(loss: np.ndarray) -> np.ndarray:
    """`[E]`, the lowest loss until each evaluation; +inf before the first success."""
    return np.minimum.accumulate(np.where(np.isfinite(loss), loss, np.inf)) if len(loss) else np.zeros(0)


def runs_by_name(searches: Searches) -> dict[str, list[np.ndarray]]:
    """The losses `[E]` of every search by name; "" is the name of those without."""
    named = {str(name): _runs(some) for name, some in searches.items()} if isinstance(searches, Mapping) else None
    return {"": _runs(searches)} if named is None else named


def _runs(searches: Any) -> list[np.ndarray]:
    if isinstance(searches, Archive):
        return [np.asarray(searches.loss, float)]
    if isinstance(searches, Sequence):
        return [run for search in searches for run in _runs(search)]
    losses = np.asarray(searches, float)
    return [losses] if losses.ndim == 1 else list(losses)
