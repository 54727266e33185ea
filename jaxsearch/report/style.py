"""How all figures look: few colours, the scale of losses, texts that are not read as formulas."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

# Every colour stands for one role; the page replaces it by that of the reader's scheme, see `svg`.
INK, MUTED, FAINT, PAPER = "#1f2329", "#69717c", "#dde1e6", "#fefefd"
TRIAL, BEST, FAILED = "#2f69c9", "#d9660a", "#c22f4a"
SERIES = (TRIAL, BEST, "#2a8c5a", "#8552c4", "#0f8b9a", "#a2691c")
LEVELS = ("#dbe6f6", "#bdd2ef", "#9bbbe6", "#749fda", "#4f80c8", "#3062ad", "#15448a")  # from the worst to the best
MOST_POINTS = 500  # a figure with more tells nothing more, and grows by a line each
TRIALS, TIPS = "trials:", "tips:"  # how the identifier of an artist begins that carries data, see `tag` and `svg`
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


def score(loss: float, greater_is_better: bool) -> float:
    """A loss in the unit that people read: where greater is better the losses are 1 - score."""
    return 1 - loss if greater_is_better else loss


class Unit(NamedTuple):
    """What the losses of a search are called, and whether people read them as 1 - loss."""

    label: str = "loss"
    greater_is_better: bool = False

    def score(self, loss: float) -> float:
        """A loss as people read it."""
        return score(loss, self.greater_is_better)


def scale_losses(
    ax: Any,
    loss: np.ndarray,
    label: str = "loss",
    greater_is_better: bool = False,
) -> np.ndarray:
    """Makes the y axis one of these losses; returns them `[N]` as they lie on it, NaN for those that failed.

    A few that are far beyond the others do not squeeze these together: they lie at the end of the worst, as do those
    that failed, which get marks of their own.

    greater_is_better: the axis is labelled by 1 - loss and turned, so that the greatest is on top.
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
    else:
        low, limit = np.min(finite), limit_of(finite)
        result = np.minimum(result, limit)
        if np.max(finite) > limit:
            ax.set_ylim(low - 0.1 * (limit - low), limit)
    if greater_is_better:
        show_scores(ax.yaxis)
    return result


def show_scores(axis: Any) -> None:
    """Labels an axis of losses by 1 - loss, the greatest at its end."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(1 - value, 9) + 0.0:g}"))
    axis.set_inverted(True)


def plain_numbers(axis: Any) -> None:
    """Labels of a logarithmic axis as plain numbers, few of them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def whole_numbers(axis: Any) -> None:
    """Ticks at whole numbers only, for an axis that counts."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=7, integer=True))


def series(number: int) -> dict[str, Any]:
    """Colour and line of one of several curves; after the colours the lines change."""
    lines = ("-", "--", ":", "-.")
    return {"color": SERIES[number % len(SERIES)], "linestyle": lines[number // len(SERIES) % len(lines)]}


def tag(artist: Any, trials: np.ndarray) -> None:
    """Notes which trials the points of an artist, or the parts of its line between gaps, stand for.

    In a page they carry these numbers, see `svg`. Each must be drawn: its coordinates are finite.
    """
    artist.set_gid(TRIALS + " ".join(str(int(number)) for number in trials))


def tell(artist: Any, texts: Sequence[str]) -> None:
    """Notes what the points of an artist say under the pointer in a page, see `svg`; each point must be drawn."""
    artist.set_gid(TIPS + "|".join(text.replace("|", " ") for text in texts))


def mark_failed(ax: Any, x: np.ndarray, trials: np.ndarray | None = None) -> None:
    """Crosses at the end of the worst losses for trials without a loss, at these x; call it after `scale_losses`."""
    if len(x):
        end = 0.0 if ax.yaxis_inverted() else 1.0
        style = {"marker": "x", "color": FAILED, "markersize": 4, "linestyle": "none", "clip_on": False}
        y = np.full(len(x), end)
        (line,) = ax.plot(x, y, transform=ax.get_xaxis_transform(), label="failed", **style)
        if trials is not None:
            tag(line, trials)


def mark_trials(
    ax: Any,
    x: np.ndarray,
    y: np.ndarray,
    alpha: float = 0.6,
    *,
    trials: np.ndarray | None = None,
) -> None:
    """Points for trials; those without a place are left out. trials: their numbers."""
    there = np.isfinite(x) & np.isfinite(y)
    style = {"markersize": 3.6, "markeredgewidth": 0, "alpha": alpha, "clip_on": False}
    (line,) = ax.plot(x[there], y[there], "o", color=TRIAL, label="trial", **style)
    if trials is not None:
        tag(line, trials[there])


def mark_best(ax: Any, x: float, y: float, trial: int | None = None) -> None:
    """A larger point for the best trial. trial: its number."""
    style = {"markersize": 6.5, "markeredgecolor": PAPER, "markeredgewidth": 1, "clip_on": False}
    (line,) = ax.plot([x], [y], "o", color=BEST, label="best", zorder=5, **style)
    if trial is not None:
        tag(line, np.array([trial]))


def legend(ax: Any, handles: Sequence[Any], labels: Sequence[Any]) -> None:
    """A legend without a frame."""
    # Matplotlib would leave out a label that begins with an underscore.
    labels = [" " + label if label.startswith("_") else label for label in (plain(label, 28) for label in labels)]
    ax.legend(handles, labels, frameon=False, fontsize="small")
