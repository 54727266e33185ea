"""Figures of how a trial was measured: its folds, and its loss while it trained."""

from typing import Any

import numpy as np

from jaxsearch.report import style
from jaxsearch.report.parameters import best_trial, losses_of
from jaxsearch.runners.archive import Archive

MOST_TRIALS = 20  # whose folds are drawn
MOST_CURVES = 120


def folds_of(archive: Archive) -> np.ndarray | None:
    """`[N, K]`, the loss of every trial in each of several folds; None if there are none."""
    return _of_rows(archive, "folds")


def has_folds(archive: Archive) -> bool:
    """Whether some trial has a loss in several folds."""
    folds = folds_of(archive)
    return folds is not None and bool(np.any(np.all(np.isfinite(folds), axis=1) & np.isfinite(losses_of(archive))))


def spread_over_folds(
    ax: Any,
    archive: Archive,
    *,
    label: str = "loss",
    greater_is_better: bool = False,
) -> Any:
    """The loss of the best trials in every fold, and their mean; returns the axes.

    A trial that leads by less than its folds differ may lead by chance.

    Raises ValueError if the folds are unknown.
    """
    folds = folds_of(archive)
    if folds is None:
        raise ValueError("This figure needs the folds of the trials; the archive has none. Leave it out.")
    loss = losses_of(archive)
    order = np.argsort(archive.compared, kind="stable")
    order = order[np.isfinite(loss[order]) & np.all(np.isfinite(folds[order]), axis=1)][:MOST_TRIALS]
    place = np.arange(1, len(order) + 1)
    scaled = style.scale_losses(ax, folds[order].reshape(-1), label, greater_is_better).reshape(len(order), -1)
    ends = np.stack([np.min(scaled, axis=1), np.max(scaled, axis=1)])
    ax.vlines(place, *ends, color=style.FAINT, linewidth=3, zorder=1)
    for fold in scaled.T:
        style.mark_trials(ax, place, fold, 0.7, trials=order)
    mean = np.mean(scaled, axis=1)
    how = {"marker": "_", "markersize": 9, "markeredgewidth": 1.8, "linestyle": "none", "clip_on": False}
    (line,) = ax.plot(place, mean, color=style.BEST, label="mean", **how)
    style.tag(line, order)
    turned = {"rotation": 90} if len(order) > 12 and max(order, default=0) > 99 else {}
    ax.set_xticks(place, labels=[str(number) for number in order], **turned)
    ax.set_xlabel("trial, the best first")
    return ax


def curves_of(archive: Archive) -> tuple[np.ndarray, np.ndarray] | None:
    """The epochs and the losses `[N, R]` at which every trial was measured, NaN where it was not; or None."""
    epochs, loss = _of_rows(archive, "curve_epochs"), _of_rows(archive, "curve")
    if epochs is None or loss is None or epochs.shape != loss.shape:
        return None
    known = np.isfinite(loss) & (epochs > 0)
    if not np.any(np.sum(known, axis=1) > 1):
        return None
    return np.where(known, epochs, np.nan), np.where(known, loss, np.nan)


def curves(
    ax: Any,
    archive: Archive,
    *,
    label: str = "loss",
    unit: str = "epochs",
    greater_is_better: bool = False,
) -> Any:
    """The loss of every trial each time that it was measured while it trained; returns the axes.

    Lines end where a trial was stopped. The best stands out.

    Raises ValueError if these losses are unknown.
    """
    found = curves_of(archive)
    if found is None:
        raise ValueError("This figure needs learning curves; the archive has none. Leave it out.")
    epochs, loss = found
    y = style.scale_losses(ax, loss.reshape(-1), label, greater_is_better).reshape(loss.shape)
    last = losses_of(archive)
    rows = style.shown(last, MOST_CURVES)
    rows = rows[np.any(np.isfinite(y[rows]), axis=1)]
    best = best_trial(archive)
    _draw(ax, epochs, y, rows[rows != best], color=style.TRIAL, linewidth=0.9, alpha=0.45)
    if best is not None and np.any(np.isfinite(y[best])):
        _draw(ax, epochs, y, np.array([best]), color=style.BEST, linewidth=1.8)
    levels = np.unique(epochs[np.isfinite(epochs)])
    if len(levels) and levels[-1] >= 4 * levels[0]:
        ax.set_xscale("log")
        style.plain_numbers(ax.xaxis)
    if len(levels) <= 8:
        ax.set_xticks(levels, labels=[f"{level:g}" for level in levels])
    ax.set_xlabel(unit)
    return ax


def _draw(ax: Any, epochs: np.ndarray, y: np.ndarray, rows: np.ndarray, **how: Any) -> None:
    """A line for each of these trials through all places where it was measured."""
    parts: list[np.ndarray] = []
    gap = np.full((1, 2), np.nan)
    for row in rows:
        there = np.isfinite(epochs[row]) & np.isfinite(y[row])
        parts += [np.stack([epochs[row][there], y[row][there]], axis=1), gap]
    points = np.concatenate(parts) if parts else gap
    size = {"marker": "o", "markersize": 2.6, "markeredgewidth": 0, "clip_on": False}
    (line,) = ax.plot(*points.T, **size, **how)
    style.tag(line, rows)


def _of_rows(archive: Archive, name: str) -> np.ndarray | None:
    """`[N, K]`, what the evaluator added under this name, for K of at least 2."""
    found = archive.aux.get(name) if isinstance(archive.aux, dict) else None
    if found is None or np.ndim(found) != 2 or np.shape(found)[1] < 2:
        return None
    return np.asarray(found, float)
