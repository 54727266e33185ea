"""Draws results/quality_bbob.json and results/quality_mixint.json, with the published curves behind, and overhead.json.

    python benchmarks/plots.py

One file results/<suite>_<dimension>.svg per dimension: the share of targets against evaluations per dimension. And
results/overhead_<axis>.svg: the time of a generation against population and dimension.
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
    "FiniteDifferences(GradientSearch)": "#1f9e77",
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
    title = f"{title}, {dimension}-D: share of targets met"
    finish(figure, axes, title, "evaluations per dimension", RESULTS / f"{name}_{dimension}.svg")


def overhead(result: dict, axis: str, path: Path) -> None:
    """Our generations with a marker at every size, the floor dashed, and where an array of all coordinates fills a
    cache dotted."""
    figure, axes = plt.subplots(figsize=(9, 6.6), layout="constrained")
    parts = {name: known[axis]["rows"] for name, known in result["strategies"].items()}
    for name, rows in parts.items():
        sizes, colour = [row[axis] for row in rows], OWN[name]
        times, floors = ([row[side]["median"] for row in rows] for side in ("ours", "floor"))
        axes.plot(sizes, times, color=colour, linewidth=2.2, marker="o", markersize=5, label=name, zorder=3)
        axes.plot(sizes, floors, color=colour, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.set(xscale="log", yscale="log")
    rows = max(parts.values(), key=len)
    other = {"population": "dimension", "dimension": "population"}[axis]
    for level, size in result["caches"].items():
        filled = size / 4 / rows[0][other]  # numbers of 32 bits
        if rows[0][axis] < filled < rows[-1][axis]:
            axes.axvline(filled, color=INK, linewidth=1, linestyle=":")
            where = {"xycoords": axes.get_xaxis_transform(), "textcoords": "offset points"}
            axes.annotate(level, (filled, 1), (3, -9), color=INK, fontsize=9, **where)
    axes.legend(frameon=False, labelcolor="linecolor", fontsize=9, loc="upper left")
    fixed = {"population": f"{rows[0][other]} coordinates", "dimension": f"{rows[0][other]} points"}[axis]
    finish(figure, axes, f"microseconds per generation, {fixed}; dashed: the floor", axis, path)


def finish(figure: plt.Figure, axes: plt.Axes, title: str, along: str, path: Path) -> None:
    """Title and axes in grey, and the file."""
    axes.set_title(title, color=INK, loc="left", fontsize=11)
    axes.set_xlabel(along, color=INK)
    axes.tick_params(colors=INK, which="both")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    figure.savefig(path, transparent=True, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    # The same data give the same file, and letters are text.
    matplotlib.rcParams |= {"svg.hashsalt": "jaxsearch", "svg.fonttype": "none"}
    published = json.loads((RESULTS / "published.json").read_text())
    for name, title in (("quality_bbob", "bbob"), ("quality_mixint", "bbob-mixint")):
        result = json.loads((RESULTS / f"{name}.json").read_text())
        for dimension in sorted({d for known in result["methods"].values() for d in known}, key=int):
            draw(name, title, result, dimension, published)
    if (timed := RESULTS / "overhead.json").exists():
        for axis in ("population", "dimension"):
            overhead(json.loads(timed.read_text()), axis, RESULTS / f"overhead_{axis}.svg")


if __name__ == "__main__":
    main()
