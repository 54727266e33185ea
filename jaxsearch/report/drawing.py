"""A network as a drawing."""

import math
from collections.abc import Sequence
from typing import Any

from jaxsearch.report import style


def architecture(ax: Any, facts: dict[str, Any], shapes: Sequence[Sequence[int]]) -> Any:
    """A network: its layers as boxes, the larger the wider, or the nodes and edges of a cell; returns the axes.

    Args:
        ax: Matplotlib axes.
        facts: as in `PortableModel.facts`.
        shapes: of the weights of its layers, the output's last: `[inputs, outputs]`; for convolutions and what comes
            after them `[height, width, inputs, outputs]`.
    """
    ax.set_axis_off()
    if "edges" in facts:
        return _cell(ax, facts, shapes)
    boxes = _boxes(facts, [tuple(map(int, shape)) for shape in shapes])
    most = max(width for _, _, width in boxes)
    for place, (title, words, width) in enumerate(boxes):
        height = 0.12 + 0.5 * math.log2(1 + width) / math.log2(1 + max(most, 1))
        colour = style.MUTED if place in (0, len(boxes) - 1) else style.TRIAL
        _box(ax, place, height, colour)
        ax.text(place, height / 2 + 0.04, style.plain(title), ha="center", va="bottom", color=style.INK)
        ax.text(place, -0.37, words, ha="center", va="top", fontsize="small", color=style.MUTED, linespacing=1.35)
        if place:
            _arrow(ax, (place - 0.74, 0), (place - 0.26, 0))
    ax.set_xlim(-0.6, len(boxes) - 0.4)
    ax.set_ylim(-0.66, 0.46)
    return ax


def _boxes(facts: dict[str, Any], shapes: list[tuple[int, ...]]) -> list[tuple[str, str, int]]:
    """Of each box its size in words, what it does, and the number of its units or channels."""
    *hidden, output = shapes
    activation = str(facts.get("activation", ""))
    if "image_shape" not in facts:
        inputs = shapes[0][0]
        middle = [(f"{shape[-1]:,}", f"dense\n{activation}", shape[-1]) for shape in hidden]
        return [(f"{inputs:,}", "inputs", inputs), *middle, (f"{output[-1]:,}", "outputs", output[-1])]
    image = " x ".join(map(str, facts["image_shape"]))
    words = f"{facts.get('pooling', '')} pooling\n{activation}"
    words += "\nlayer norm" if facts.get("normalization") == "layer" else ""
    middle = [(f"{shape[-1]:,}", f"{shape[0]} x {shape[1]} conv\n{words}", shape[-1]) for shape in hidden]
    mean = (f"{math.prod(output[:-1]):,}", f"averaged\nto {output[0]} x {output[1]}", output[-2])
    return [(image, "image", int(facts["image_shape"][-1])), *middle, mean, (f"{output[-1]:,}", "outputs", output[-1])]


def _cell(ax: Any, facts: dict[str, Any], shapes: Sequence[Sequence[int]]) -> Any:
    count, cells, far = facts["num_nodes"], facts["num_cells"], 0
    for node in range(count):
        name = "in" if node == 0 else "out" if node == count - 1 else str(node)
        ax.plot([node], [0], "o", color=style.LEVELS[0], markeredgecolor=style.TRIAL, markersize=27, zorder=3)
        ax.text(node, 0, name, ha="center", va="center", color=style.LEVELS[-1], zorder=4)
    for first, last, operation in facts["edges"]:
        if last > first + 1:  # above and below by turns
            far += 1
        height = 0.0 if last == first + 1 else (0.3 * (last - first) + 0.1) * (1 if far % 2 else -1)
        _edge(ax, first, last, height)
        background = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.5}
        middle = {"ha": "center", "va": "center", "fontsize": "small", "color": style.INK, "bbox": background}
        ax.text((first + last) / 2, height, style.plain(operation), **middle)
    ends = f"{int(shapes[0][0]):,} inputs, {int(shapes[-1][-1]):,} outputs"
    words = f"{cells} such cell{'s' * (cells > 1)} of {int(shapes[0][-1]):,} units; {ends}"
    limit = 0.3 * count + 0.15
    ax.text((count - 1) / 2, -limit, words, ha="center", va="top", fontsize="small", color=style.MUTED)
    ax.set_xlim(-0.4, count - 0.6)
    ax.set_ylim(-limit - 0.2, limit)
    return ax


def _edge(ax: Any, first: int, last: int, height: float) -> None:
    """An arrow from a node to a later one, straight or in a curve of this height."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    if not height:
        _arrow(ax, (first + 0.14, 0), (last - 0.14, 0))
        return
    start = 0.2 if height > 0 else -0.2  # outside of the nodes
    corner = ((first + last) / 2, 2 * height - start)  # a quadratic Bezier curve goes half of the way to its corner
    path = Path([(first, start), corner, (last, start)], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    line = {"arrowstyle": "-|>", "mutation_scale": 9, "color": style.MUTED, "linewidth": 1}
    ax.add_patch(FancyArrowPatch(path=path, **line))


def _box(ax: Any, place: float, height: float, colour: str) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    rounded = "round,pad=0,rounding_size=0.04"
    corner, inside = (place - 0.2, -height / 2), to_rgba(colour, 0.16)
    ax.add_patch(FancyBboxPatch(corner, 0.4, height, boxstyle=rounded, facecolor=inside, edgecolor=colour))


def _arrow(ax: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    line = {"arrowstyle": "-|>", "color": style.MUTED, "linewidth": 1, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=line)
