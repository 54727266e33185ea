"""Figures of the parameters: where the good trials lie."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report import style
from jaxsearch.report.one_budget import at_one_budget
from jaxsearch.report.parameters import Parameter, best_trial, parameter
from jaxsearch.runners.archive import Archive

GRID = 32  # cells of a contour along a coordinate with an order


def slice_of(
    ax: Any,
    archive: Archive,
    space: PyTree,
    name: str,
    *,
    label: str = "loss",
    greater_is_better: bool = False,
) -> Any:
    """The loss against one parameter, named as in `Result.trials()`; returns the axes.

    Trials in which it does not matter, since their branch was not taken, are left out. The options of a Choice stand
    side by side, their trials spread a little. The losses are those of `at_one_budget`; the point that stands out is
    the best trial of the search. greater_is_better: as in `convergence`.

    Raises ValueError for an unknown name.
    """
    one, seen = parameter(archive, space, name), at_one_budget(archive)
    loss = seen.loss
    y = style.scale_losses(ax, loss, label, greater_is_better)
    chosen = style.shown(loss)
    chosen = chosen[~np.isnan(one.position[chosen]) & seen.there[chosen]]
    x = one.spread()
    style.mark_trials(ax, x[chosen], y[chosen], trials=chosen)
    failed = chosen[np.isnan(y[chosen])]
    style.mark_failed(ax, x[failed], failed)
    best = best_trial(archive)
    if best is not None and not np.isnan(x[best]) and np.isfinite(y[best]):
        style.mark_best(ax, x[best], y[best], best)
    _scale(ax.xaxis, one)
    ax.set_xlim(-0.03, 1.03)
    ax.set_xlabel(style.short(name, 48))
    return ax


def contour(
    ax: Any,
    archive: Archive,
    space: PyTree,
    first: str,
    second: str,
    *,
    label: str = "loss",
    greater_is_better: bool = False,
) -> Any:
    """The loss around each point of the plane of two parameters, with the trials; returns the axes.

    The ranks of the trials near a point are averaged, so that a few huge losses do not hide the rest; the scale, which
    has axes of its own, tells the loss of that rank. Nothing is drawn where no trial is near; crosses have failed.
    greater_is_better: as in `convergence`.

    Raises ValueError for an unknown name.
    """
    pair, seen = [parameter(archive, space, name) for name in (first, second)], at_one_budget(archive)
    loss = seen.loss
    there = ~np.isnan(pair[0].position) & ~np.isnan(pair[1].position) & seen.there
    x, y = (one.spread() for one in pair)
    finite = np.isfinite(loss)
    if len(np.unique(loss[finite & there])) > 1:
        _surface(ax, pair, np.where(seen.there, loss, np.nan), there, label, greater_is_better)
    chosen = style.shown(loss)
    ok, failed = (chosen[(there & some)[chosen]] for some in (finite, ~finite))
    (line,) = ax.plot(x[ok], y[ok], "o", color=style.INK, markersize=2.4, markeredgewidth=0, alpha=0.55)
    style.tag(line, ok)
    (line,) = ax.plot(x[failed], y[failed], "x", color=style.FAILED, markersize=4, label="failed")
    style.tag(line, failed)
    best = best_trial(archive)
    if best is not None and there[best]:
        style.mark_best(ax, x[best], y[best], best)
    for axis, one in zip((ax.xaxis, ax.yaxis), pair, strict=True):
        _scale(axis, one)
        axis.set_label_text(style.short(one.name, 40))
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    return ax


def _surface(
    ax: Any,
    pair: list[Parameter],
    loss: np.ndarray,
    there: np.ndarray,
    label: str,
    greater_is_better: bool,
) -> None:
    # Trials that were not measured at this budget, NaN, have no rank.
    rank, known = np.full(len(loss), np.nan), np.flatnonzero(~np.isnan(loss))
    rank[known[np.argsort(loss[known], kind="stable")]] = (np.arange(len(known)) + 0.5) / len(known)
    (cells, smooth, grid), (cells_2, smooth_2, grid_2) = (_smoother(one, there) for one in pair)
    flat, shape = cells[there] * smooth_2.shape[1] + cells_2[there], (smooth.shape[1], smooth_2.shape[1])
    count, total = (
        smooth @ np.bincount(flat, weights, minlength=shape[0] * shape[1]).reshape(shape) @ smooth_2.T
        for weights in (np.ones(len(flat)), rank[there])
    )
    near = np.ma.masked_where(count < 0.3, total / np.maximum(count, 1e-9))  # a trial at the point itself counts 1
    levels = np.linspace(near.min() - 1e-6, near.max() + 1e-6, len(style.LEVELS) + 1)
    filled = ax.contourf(grid, grid_2, near.T, levels=levels, colors=style.LEVELS[::-1])
    bar = ax.figure.colorbar(filled, ax=ax, fraction=0.06, pad=0.03, label=style.plain(label))
    bar.outline.set_visible(False)  # type: ignore[operator]  # a Spine
    ends = np.quantile(loss[known], np.clip(levels, 0, 1), method="inverted_cdf")
    texts = [f"{style.score(end, greater_is_better):.3g}" if np.isfinite(end) else "failed" for end in ends]
    bar.set_ticks(levels, labels=texts)
    bar.ax.tick_params(length=0)
    bar.ax.yaxis.set_inverted(greater_is_better)


def _smoother(one: Parameter, there: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cell `[N]` of each trial, the kernel `[G, cells]` from cells to the places of a grid, and these `[G]`."""
    count = len(one.options) or GRID
    cells = np.minimum((np.where(there, one.position, 0) * count).astype(int), count - 1)
    centre = (np.arange(count) + 0.5) / count
    if one.options:  # an option has nothing to do with its neighbours: the surface is level up to the ends of its share
        ends = np.stack([centre - 0.499 / count, centre + 0.499 / count], axis=1).reshape(-1)
        return cells, np.repeat(np.eye(count), 2, axis=0), ends
    grid = np.linspace(0, 1, GRID + 1)
    width = max(0.35 * max(np.sum(there), 1) ** (-1 / 6), 1.5 / GRID) / 2  # Scott's rule in two dimensions, halved
    return cells, np.exp(-0.5 * ((grid[:, None] - centre[None]) / width) ** 2), grid


def importances(ax: Any, shares: Mapping[str, float], *, most: int = 12) -> Any:
    """What `importance` found as bars, the largest on top; returns the axes. Those beyond `most` are one bar."""
    order = sorted(shares, key=lambda name: -shares[name])
    rows = [(style.short(name, 28), shares[name]) for name in order[:most]]
    if len(order) > most:
        rows.append((f"{len(order) - most} others", sum(shares[name] for name in order[most:])))
    names, values = zip(*rows, strict=True) if rows else ((), ())
    bars = ax.barh(range(len(rows)), values, color=style.TRIAL, height=0.62)
    ax.bar_label(bars, [f"{value:.0%}" for value in values], padding=4, fontsize="small", color=style.MUTED)
    ax.set_yticks(range(len(rows)), labels=names)
    ax.invert_yaxis()
    ax.set_xlim(0, max([0.05, *values]) * 1.12)
    ax.set_xticks([])
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return ax


def _scale(axis: Any, one: Parameter) -> None:
    places, labels = zip(*one.ticks(), strict=True)
    rotated = one.options and axis.axis_name == "x" and sum(min(len(label), style.LABEL) for label in labels) > 40
    turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if rotated else {}
    axis.set_ticks(places, labels=[style.plain(label, style.LABEL) for label in labels], **turned)
