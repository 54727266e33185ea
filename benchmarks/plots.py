"""Draws results/quality_bbob.json and results/quality_mixint.json, with the published curves behind.

    python benchmarks/plots.py

One file results/<suite>_<dimension>.svg per dimension: the share of targets against evaluations per dimension.
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

RESULTS = Path(__file__).parent / "results"
OWN = {  # colours that stand out on white and on black
    "RandomSearch": "#a0785a",
    "LocalSearch": "#d95f02",
    "GradientSearch": "#1f9e77",
    "PSO": "#2f83d6",
    "GA": "#b8860b",
    "DE": "#d6336c",
    "CMAES": "#8e63ce",
    "SepCMAES": "#3aa6b9",
}
INK = "#808080"  # legible on white and on black


def kind(method: str) -> str:
    """The strategy of which a method is a variant."""
    return method.split(",")[0]


def spread(heights: list[float], apart: float, top: float) -> list[float]:
    """Ascending heights moved until they are `apart`, up at first and then down from the top."""
    placed = []
    for height in heights:
        placed.append(max(height, placed[-1] + apart) if placed else height)
    for index in reversed(range(len(placed))):
        top = placed[index] = min(placed[index], top)
        top -= apart
    return placed


def label(axes: plt.Axes, ends: dict[str, float]) -> None:
    """Every name beside the end of its curve, joined by a thin line."""
    top = axes.get_ylim()[1]
    names = sorted(ends, key=ends.get)
    heights = spread([ends[name] for name in names], 0.0295 * top, 0.995 * top)
    for name, height in zip(names, heights, strict=True):
        colour = OWN.get(kind(name), INK)
        axes.annotate(
            name,
            (1000, ends[name]),
            (1900, height),
            color=colour,
            fontsize=9,
            weight="bold" if kind(name) in OWN else "normal",
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkB": 0, "relpos": (0, 0.5)},
        )


def draw(name: str, title: str, result: dict, dimension: str, published: dict) -> None:
    figure, axes = plt.subplots(figsize=(9, 6.6), layout="constrained")
    ends = {}
    for method, curves in published["suites"][title].items():
        axes.plot(published["budgets"], curves[dimension], color=INK, linewidth=0.8, linestyle=(0, (4, 2)))
        ends[f"{method}, published"] = curves[dimension][-1]
    for method, known in result["methods"].items():
        if dimension not in known:
            continue
        curve = known[dimension]["curve"]
        width = 2.2 if kind(method) in OWN else 0.9
        axes.plot(result["budgets"], curve, color=OWN.get(kind(method), INK), linewidth=width, zorder=width)
        ends[method] = curve[-1]
    axes.set(xscale="log", xlim=(1, 1000), ylim=(0, None))
    axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    label(axes, ends)
    axes.set_title(f"{title}, {dimension}-D: share of targets met", color=INK, loc="left", fontsize=11)
    axes.set_xlabel("evaluations per dimension", color=INK)
    axes.tick_params(colors=INK, which="both")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    figure.savefig(RESULTS / f"{name}_{dimension}.svg", transparent=True, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    # The same data give the same file, and letters are text.
    matplotlib.rcParams |= {"svg.hashsalt": "jaxsearch", "svg.fonttype": "none"}
    published = json.loads((RESULTS / "published.json").read_text())
    for name, title in (("quality_bbob", "bbob"), ("quality_mixint", "bbob-mixint")):
        result = json.loads((RESULTS / f"{name}.json").read_text())
        for dimension in sorted({d for known in result["methods"].values() for d in known}, key=int):
            draw(name, title, result, dimension, published)


if __name__ == "__main__":
    main()
