"""How all figures look: few colours, the scale of losses, texts that are not read as formulas."""

from collections.abc import Sequence
from typing import Any

import numpy as np

# Every colour stands for one role; the page replaces it by that of the reader's scheme, see `svg`.
INK, MUTED, FAINT, PAPER = "#1f2329", "#69717c", "#dde1e6", "#fefefd"
TRIAL, BEST, FAILED = "#2f69c9", "#d9660a", "#c22f4a"
SERIES = (TRIAL, BEST, "#2a8c5a", "#8552c4", "#0f8b9a", "#a2691c")
LEVELS = ("#dbe6f6", "#bdd2ef", "#9bbbe6", "#749fda", "#4f80c8", "#3062ad", "#15448a")  # from the worst to the best
MOST_POINTS = 500  # a figure with more tells nothing more, and grows by a line each
LABEL = 14  # characters of an option
RATIO = 30.0  # between the median and the lowest loss, from which a logarithm shows more


def plain(text: Any, most: int | None = None) -> str:
    """A text in one line that Matplotlib shows as it is, at most so many characters of it."""
    text = " ".join(str(text).split())
    if most is not None and len(text) > most:
        text = text[: most - 1] + "…"
    return text.replace("$", r"\$")


def short(name: str, most: int = 22) -> str:
    """A name that Matplotlib shows as it is, the end of it if it is long: that tells what lies how deep in a space."""
    return plain(name if len(name) <= most else "…" + name[1 - most :])


def shown(loss: np.ndarray, most: int = MOST_POINTS) -> np.ndarray:
    """The trials that a figure shows, in their order: all, or the best half of `most` and an even share of the rest."""
    if len(loss) <= most:
        return np.arange(len(loss))
    order = np.argsort(loss, kind="stable")
    best, rest = order[: most // 2], np.sort(order[most // 2 :])
    even = np.linspace(0, len(rest) - 1, most - len(best)).astype(int)
    return np.sort(np.concatenate([best, rest[even]]))


def spread_out(count: int) -> np.ndarray:
    """`[count]` in [-1/2, 1/2], evenly spread whatever the count: the same trial always lies at the same place."""
    return (np.arange(count) * 0.6180339887498949) % 1 - 0.5  # the golden ratio's low-discrepancy sequence


def best_of(loss: np.ndarray) -> int | None:
    """The first trial with the lowest loss; None if all failed."""
    finite = np.isfinite(loss)
    return int(np.argmin(np.where(finite, loss, np.inf))) if np.any(finite) else None


def is_logarithmic(loss: np.ndarray) -> bool:
    """Whether these finite losses are better seen on a logarithmic scale."""
    return bool(len(loss) and np.min(loss) > 0 and np.median(loss) > RATIO * np.min(loss))


def limit_of(loss: np.ndarray) -> float:
    """The largest of these finite losses, or a lower one that all but a few lie far below."""
    low, most = np.min(loss), np.quantile(loss, 0.9)
    return float(min(low + 2.5 * (most - low), np.max(loss)) if most > low else np.max(loss))


def scale_losses(ax: Any, loss: np.ndarray, label: str = "loss") -> np.ndarray:
    """Makes the y axis one of these losses; returns them `[N]` as they lie on it, NaN for those that failed.

    A few that are far beyond the others do not squeeze these together: they lie at the upper end, as do those that
    failed, which get marks of their own.
    """
    ax.set_ylabel(label)
    finite = loss[np.isfinite(loss)]
    result = np.where(np.isfinite(loss), loss, np.nan)
    if not len(finite):
        ax.set_yticks([])
        return result
    if is_logarithmic(finite):
        ax.set_yscale("log")
        plain_numbers(ax.yaxis)
        return result
    low, limit = np.min(finite), limit_of(finite)
    if np.max(finite) > limit:
        ax.set_ylim(low - 0.1 * (limit - low), limit)
    return np.minimum(result, limit)


def plain_numbers(axis: Any) -> None:
    """Labels of a logarithmic axis as plain numbers, few of them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def mark_failed(ax: Any, x: np.ndarray) -> None:
    """Crosses at the upper end for trials without a loss, at these x."""
    if len(x):
        style = {"marker": "x", "color": FAILED, "markersize": 4, "linestyle": "none", "clip_on": False}
        ax.plot(x, np.ones(len(x)), transform=ax.get_xaxis_transform(), label="failed", **style)


def mark_trials(ax: Any, x: np.ndarray, y: np.ndarray, alpha: float = 0.45) -> None:
    """Points for trials."""
    ax.plot(x, y, "o", color=TRIAL, markersize=3.2, markeredgewidth=0, alpha=alpha, label="trial", clip_on=False)


def mark_best(ax: Any, x: float, y: float) -> None:
    """A larger point for the best trial."""
    ax.plot([x], [y], "o", color=BEST, markersize=6.5, markeredgecolor=PAPER, markeredgewidth=1, label="best", zorder=5)


def legend(ax: Any, handles: Sequence[Any], labels: Sequence[Any]) -> None:
    """A legend without a frame."""
    # Matplotlib would leave out a label that begins with an underscore.
    labels = [" " + label if label.startswith("_") else label for label in (plain(label, 28) for label in labels)]
    ax.legend(handles, labels, frameon=False, fontsize="small")
