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
    ax.set_ylim(-0.78, 0.46)
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
    count, cells = facts["num_nodes"], facts["num_cells"]
    for node in range(count):
        name = "in" if node == 0 else "out" if node == count - 1 else str(node)
        circle = {"boxstyle": "circle,pad=0.45", "facecolor": style.LEVELS[0], "edgecolor": style.TRIAL}
        ax.text(node, 0, name, ha="center", va="center", color=style.TRIAL, bbox=circle, zorder=3)
    for number, (first, last, operation) in enumerate(facts["edges"]):
        side = 0 if last == first + 1 else 1 if number % 2 else -1
        height = side * 0.42 * (last - first)
        _arrow(ax, (first, 0), (last, 0), f"arc3,rad={-0.84 * side:g}", shrink=17)
        background = {"facecolor": style.PAPER, "edgecolor": "none", "pad": 1.5}
        where = ((first + last) / 2, height)
        ax.text(
            *where, style.plain(operation), ha="center", va="center", fontsize="small", color=style.INK, bbox=background
        )
    width = int(shapes[0][-1])
    ends = f"{int(shapes[0][0]):,} inputs, {int(shapes[-1][-1]):,} outputs"
    words = f"{cells} such cell{'s' * (cells > 1)} of {width:,} units; {ends}"
    ax.text((count - 1) / 2, -0.5 * count + 0.15, words, ha="center", fontsize="small", color=style.MUTED)
    ax.set_xlim(-0.5, count - 0.5)
    ax.set_ylim(-0.5 * count, 0.5 * count)
    return ax


def _box(ax: Any, place: float, height: float, colour: str) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    rounded = "round,pad=0,rounding_size=0.04"
    corner, inside = (place - 0.2, -height / 2), to_rgba(colour, 0.16)
    ax.add_patch(FancyBboxPatch(corner, 0.4, height, boxstyle=rounded, facecolor=inside, edgecolor=colour))


def _arrow(ax: Any, start: tuple, end: tuple, connection: str = "arc3", shrink: float = 0) -> None:
    line = {"arrowstyle": "-|>", "color": style.MUTED, "linewidth": 1, "connectionstyle": connection}
    ax.annotate("", end, start, arrowprops=line | {"shrinkA": shrink, "shrinkB": shrink})
