"""All parameters of the trials in one figure."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report import style
from jaxsearch.report.one_budget import AtOneBudget, at_one_budget
from jaxsearch.report.parameters import Parameter, best_trial, parameter, parameters
from jaxsearch.runners.archive import Archive

MOST_LINES = 300
ABOVE = 1.08  # where the lines of failed trials end
NOT_TAKEN = -0.12  # where the lines pass a parameter of a branch that was not taken


def parallel_coordinates(
    ax: Any,
    archive: Archive,
    space: PyTree,
    names: Sequence[str] | None = None,
    *,
    label: str = "loss",
    greater_is_better: bool = False,
    upright: bool = False,
) -> Any:
    """A line for each trial across the parameters, to its loss at the end; returns the axes.

    The losses are those of `at_one_budget`, but the best trial is that of the search. The better, the darker; failed
    ones end beyond the worst. A line passes below the parameters that do not matter to
    its trial.

    Args:
        ax: Matplotlib axes.
        archive: the trials.
        space: where they lie.
        names: of the parameters, in the order of the axes; None for the first 12.
        label: what the loss is called.
        greater_is_better: as in `convergence`.
        upright: the axes lie one below the other, for a narrow figure.

    Raises:
        ValueError: for an unknown name.
    """
    found = parameters(archive, space)[:12] if names is None else [parameter(archive, space, name) for name in names]
    seen = at_one_budget(archive)
    loss = seen.loss
    height, ticks = _heights(loss, greater_is_better)
    positions = [np.where(np.isnan(one.position), NOT_TAKEN, one.spread()) for one in found]
    inside = np.stack([*positions, height], axis=1)
    _lines(ax, inside, seen, best_trial(archive), upright)
    marks = [*(_marks(one) for one in found), ticks]
    texts = [style.short(text) for text in (*(one.name for one in found), label)]
    if upright:
        _axes_below(ax, marks, texts)
    else:
        _axes_beside(ax, marks, texts)
    ax.spines[:].set_visible(False)
    return ax


def _lines(ax: Any, inside: np.ndarray, seen: AtOneBudget, best_row: int | None, upright: bool) -> None:
    """A line for each row of `inside` `[N, axes]`, the best drawn last."""
    loss = seen.loss
    order = style.shown(loss, MOST_LINES)
    order = order[seen.there[order]]
    order = order[np.argsort(-loss[order], kind="stable")]
    failed, ok = order[~np.isfinite(loss[order])], order[np.isfinite(loss[order])]
    groups = zip(style.LEVELS, np.array_split(ok, len(style.LEVELS)), strict=True)
    best = np.array([] if best_row is None or not np.isfinite(loss[best_row]) else [best_row], int)
    x = np.append(np.arange(inside.shape[1]) * (-1 if upright else 1), np.nan)
    for colour, rows in [(style.FAILED, failed), *groups, (style.BEST, best)]:
        if not len(rows):
            continue
        y = np.concatenate([inside[rows], np.full((len(rows), 1), np.nan)], axis=1)
        thin = {"alpha": 0.35, "linewidth": 0.7} if colour == style.FAILED else {"alpha": 0.8, "linewidth": 0.9}
        thin = {"linewidth": 2.0} if colour == style.BEST else thin
        along, across = np.tile(x, len(rows)), y.reshape(-1)  # one line for all, with gaps
        (line,) = ax.plot(*((across, along) if upright else (along, across)), color=colour, **thin)
        style.tag(line, rows)


def _axes_beside(ax: Any, marks: list[list[tuple[float, str]]], names: list[str]) -> None:
    for place, some in enumerate(marks):
        ax.axvline(place, color=style.MUTED, linewidth=0.8, zorder=0.5)
        for at, text in some:
            _note(ax, text, (place, at), (3, 0), va="center")
    turned = {"rotation": 20, "ha": "right", "rotation_mode": "anchor"} if len(marks) > 5 else {}
    ax.set_xticks(np.arange(len(marks)), labels=names, **turned)
    ax.tick_params(axis="x", length=0)
    ax.set_yticks([])


def _axes_below(ax: Any, marks: list[list[tuple[float, str]]], names: list[str]) -> None:
    for place, (some, name) in enumerate(zip(marks, names, strict=True)):
        ax.axhline(-place, color=style.MUTED, linewidth=0.8, zorder=0.5)
        for at, text in some:
            _note(ax, text, (at, -place), (0, -2), va="top", ha="center")
        _note(ax, name, (0, -place), (0, 4), va="bottom", ha="left", size="medium")
    ax.set_xticks([])
    ax.set_yticks([])


def _note(ax: Any, text: str, place: tuple[float, float], offset: tuple[float, float], **how: Any) -> None:
    """A text beside a place of an axis, readable above the lines."""
    how = {"fontsize": how.pop("size", "x-small"), "color": style.INK, "annotation_clip": False} | how
    background = {"facecolor": style.PAPER, "alpha": 0.75, "pad": 0.6, "edgecolor": "none"}
    ax.annotate(text, place, offset, textcoords="offset points", bbox=background, **how)


def _marks(one: Parameter) -> list[tuple[float, str]]:
    ticks = [(at, style.plain(text, style.LABEL)) for at, text in one.ticks(4)]
    return ticks + [(NOT_TAKEN, "not taken")] * bool(np.any(np.isnan(one.position)))


def _heights(loss: np.ndarray, greater_is_better: bool) -> tuple[np.ndarray, list[tuple[float, str]]]:
    """`[N]`, the losses between 0 and 1, the best where greater is better on top; failed ones beyond; and the ticks."""
    finite = loss[np.isfinite(loss)]
    beyond = 1 - ABOVE if greater_is_better else ABOVE
    if not len(finite):
        return np.full(len(loss), beyond), [(beyond, "failed")]
    low, high = np.min(finite), np.max(finite)
    if not style.is_logarithmic(finite):
        high = style.limit_of(finite)
    scale, back = (np.log, np.exp) if style.is_logarithmic(finite) else (np.asarray, np.asarray)
    failed = ~np.isfinite(loss)
    begin, length = scale(low), float(scale(high) - scale(low))
    shares = (0, 0.25, 0.5, 0.75, 1) if length > 0 else (0,)
    height = (scale(np.clip(loss, low, high)) - begin) / length if length > 0 else np.zeros(len(loss))
    values = [style.score(float(back(begin + share * length)), greater_is_better) for share in shares]
    ticks = [(float(share), f"{value:.3g}") for share, value in zip(shares, values, strict=True)]
    if greater_is_better:
        height, ticks = 1 - height, [(1 - share, text) for share, text in ticks]
    return np.where(failed, beyond, height), [*ticks, *([(beyond, "failed")] if failed.any() else [])]
