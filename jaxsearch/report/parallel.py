"""All parameters of the trials in one figure."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report import style
from jaxsearch.report.parameters import Parameter, losses_of, parameter, parameters
from jaxsearch.runners.archive import Archive

MOST_LINES = 300
ABOVE = 1.08  # where the lines of failed trials end
NOT_TAKEN = -0.12  # where the lines pass a parameter of a branch that was not taken


def parallel_coordinates(
    ax: Any, archive: Archive, space: PyTree, names: Sequence[str] | None = None, *, label: str = "loss"
) -> Any:
    """A line for each trial across the parameters, to its loss on the right; returns the axes.

    The better, the darker; failed ones end above. A line passes below the parameters that do not matter to its trial.

    names: of the parameters, in the order of the axes; None for the first 12. Raises ValueError for an unknown one.
    """
    found = parameters(archive, space)[:12] if names is None else [parameter(archive, space, name) for name in names]
    loss = losses_of(archive)
    height, ticks = _heights(loss)
    inside = np.stack([np.where(np.isnan(one.position), NOT_TAKEN, one.spread()) for one in found] + [height], axis=1)
    x = np.arange(inside.shape[1])
    order = style.shown(loss, MOST_LINES)
    order = order[np.argsort(-loss[order], kind="stable")]  # the best are drawn last
    failed, ok = order[~np.isfinite(loss[order])], order[np.isfinite(loss[order])]
    groups = zip(style.LEVELS, np.array_split(ok, len(style.LEVELS)), strict=True)
    best = [] if not len(ok) else [style.best_of(loss)]
    for colour, rows in [(style.FAILED, failed), *groups, (style.BEST, best)]:
        if len(rows):  # one line for all, with gaps
            y = np.concatenate([inside[rows], np.full((len(rows), 1), np.nan)], axis=1)
            thin = {"alpha": 0.35, "linewidth": 0.7} if colour == style.FAILED else {"alpha": 0.8, "linewidth": 0.9}
            thin = {"linewidth": 2.0} if colour == style.BEST else thin
            ax.plot(np.tile(np.append(x, np.nan), len(rows)), y.reshape(-1), color=colour, **thin)
    for place, marks in enumerate([*(_marks(one) for one in found), ticks]):
        ax.axvline(place, color=style.MUTED, linewidth=0.8, zorder=0.5)
        for at, text in marks:
            ax.annotate(
                style.plain(text, style.LABEL),
                (place, at),
                (3, 0),
                textcoords="offset points",
                va="center",
                fontsize="x-small",
                color=style.INK,
                bbox={"facecolor": style.PAPER, "alpha": 0.75, "pad": 0.6, "edgecolor": "none"},
            )
    turned = {"rotation": 20, "ha": "right", "rotation_mode": "anchor"} if len(x) > 5 else {}
    ax.set_xticks(x, labels=[style.short(text) for text in (*(one.name for one in found), label)], **turned)
    ax.tick_params(axis="x", length=0)
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    return ax


def _marks(one: Parameter) -> list[tuple[float, str]]:
    return one.ticks(4) + [(NOT_TAKEN, "not taken")] * bool(np.any(np.isnan(one.position)))


def _heights(loss: np.ndarray) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """`[N]`, the losses between 0 and 1, failed ones above; and the ticks."""
    finite = loss[np.isfinite(loss)]
    if not len(finite):
        return np.full(len(loss), ABOVE), [(ABOVE, "failed")]
    low, high = np.min(finite), np.max(finite)
    if not style.is_logarithmic(finite):
        high = style.limit_of(finite)
    scale, back = (np.log, np.exp) if style.is_logarithmic(finite) else (np.asarray, np.asarray)
    failed = ~np.isfinite(loss)
    begin, length = scale(low), float(scale(high) - scale(low))
    if length > 0:
        height = (scale(np.clip(loss, low, high)) - begin) / length
        ticks = [(share, f"{back(begin + share * length):.3g}") for share in (0, 0.25, 0.5, 0.75, 1)]
    else:
        height, ticks = np.zeros(len(loss)), [(0.0, f"{low:.3g}")]
    return np.where(failed, ABOVE, height), [*ticks, *([(ABOVE, "failed")] if failed.any() else [])]
