"""Figures of a network's predictions for rows that it has not seen."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxsearch.report import style


def predicted_against_true(ax: Any, true: Sequence[float], predicted: Sequence[float]) -> Any:
    """The predictions `[n]` against the right values `[n]`, with the line where they are equal; returns the axes."""
    x, y = np.asarray(true, float), np.asarray(predicted, float)
    ends = [min(x.min(), y.min()), max(x.max(), y.max())]
    ax.plot(ends, ends, color=style.MUTED, linewidth=1, linestyle="--")
    _points(ax, x, y, x, y)
    ax.set_xlabel("true")
    ax.set_ylabel("predicted")
    return ax


def residuals(ax: Any, true: Sequence[float], predicted: Sequence[float]) -> Any:
    """Predicted - true `[n]` against the predictions `[n]`; returns the axes."""
    x, y = np.asarray(true, float), np.asarray(predicted, float)
    ax.axhline(0, color=style.MUTED, linewidth=1, linestyle="--")
    _points(ax, y, y - x, x, y)
    ax.set_xlabel("predicted")
    ax.set_ylabel("predicted - true")
    return ax


def columns_importance(ax: Any, increases: Mapping[str, Sequence[float]], label: str = "loss") -> Any:
    """By how much a loss grows in several permutations of each column, as bars with points; returns the axes."""
    values = [np.asarray(some, float) for some in increases.values()]
    rows = np.arange(len(values))
    means = [float(np.mean(some)) for some in values]
    ax.barh(rows, means, color=style.LEVELS[2], height=0.62)
    for row, some in zip(rows, values, strict=True):
        # A little above each other, so that equal ones are seen.
        place = row + 0.4 * style.spread_out(len(some))
        ax.plot(some, place, "o", color=style.TRIAL, markersize=2.6, markeredgewidth=0, alpha=0.7, clip_on=False)
    ax.axvline(0, color=style.MUTED, linewidth=0.8)
    ax.set_yticks(rows, labels=[style.short(name, 28) for name in increases])
    ax.invert_yaxis()
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(style.plain(label))
    return ax


def _points(ax: Any, x: np.ndarray, y: np.ndarray, true: np.ndarray, predicted: np.ndarray) -> None:
    how = {"markersize": 3.8, "markeredgewidth": 0, "alpha": 0.5, "clip_on": False}
    (line,) = ax.plot(x, y, "o", color=style.TRIAL, **how)
    tips = [f"true {one:.5g}, predicted {other:.5g}" for one, other in zip(true, predicted, strict=True)]
    style.tell(line, tips)
