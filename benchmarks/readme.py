"""Writes the generated parts of README.md and benchmarks/README.md, from the registry and from results/.

    python benchmarks/readme.py

A generated part stands between `<!-- name -->` and `<!-- end name -->`. A part without a result stays as it is.
"""

import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from devices import BASELINE
from peers import NEAREST
from recorder import interval

from jaxsearch.strategies import registry

ROOT = Path(__file__).parent.parent
RUNS_TARGETS, TABLES_TARGET = {"1024": 500}, 1000  # times a loop over the peers, by the number of runs; and on a table


def load(name: str, part: str | None = None) -> dict:
    """The results of one benchmark, or of one of its parts; raises FileNotFoundError if it was not run."""
    result = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
    if part is not None and part not in result:
        raise FileNotFoundError(f"{name}.json must have the part {part}; got {list(result)}. Run it.")
    return result if part is None else result[part]


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [columns := list(columns), ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float, digits: int = 3) -> str:
    """So many significant digits, the thousands apart."""
    value = float(f"{value:.{digits}g}")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def quartiles(found: dict, digits: int = 4) -> str:
    """A median and its quartiles."""
    median, low, high = (number(found[name], digits) for name in ("median", "low", "high"))
    return f"{median} ({low} to {high})"


def product(size: str) -> str:
    """N x D, of which the results say NxD."""
    return " x ".join(f"{int(factor):,}" for factor in size.split("x"))


def software(about: dict, *packages: str) -> str:
    """The versions of jax and of other packages."""
    return ", ".join(f"{name} {about['versions'][name]}" for name in ("jax", *packages))


def measured(about: dict, *packages: str) -> str:
    """When, on what machine and with what versions."""
    return f"{about['date']}, {about['cores']} cores, {software(about, *packages)}"


def strategies() -> str:
    """A table of the registry."""
    rows = []
    for name, strategy in registry.items():
        what, source = strategy.__doc__.split("\n")[0], strategy.__doc__.split("References:")[1]
        source = " ".join(source.split()).split(". ")[0].rstrip(".")
        rows.append([f"`{strategy.__name__}`", f"`{name}`", what, source])
    return table(["strategy", "command", "what it is", "source"], rows)


def first_run() -> str:
    """What `jaxsearch run` takes and achieves."""
    result = load("first_run")
    about, summary, runs = result["about"], result["summary"], result["cold"]
    error = max(summary["cross_validation_error"])
    test = max(summary["test_error"])
    low, high = summary["cold_seconds_range"]
    return (
        f"Measured on {about['cores']} cores with jax {about['versions']['jax']}, {len(runs)} seeds: "
        f"{summary['candidates']} networks in {summary['cold_seconds']:.0f} s the first time "
        f"({low:.0f} to {high:.0f} s), "
        f"{summary['warm_seconds']:.0f} s with the programs in the compilation cache; cross-validation error at most "
        f"{100 * error:.1f} %, test error at most {100 * test:.1f} %."
    )


def dates(result: dict) -> str:
    """The day on which the methods were run, or the first and the last."""
    first, last = min(result["dates"].values()), max(result["dates"].values())
    return first if first == last else f"{first} to {last}"


def dimensions(result: dict) -> list[str]:
    """The dimensions in which anything was run."""
    return sorted({dimension for known in result["methods"].values() for dimension in known}, key=int)


def suite(name: str) -> str:
    """Shares of solved targets, of `quality_bbob` or `quality_mixint`."""
    result = load(name)

    def cell(known: dict | None) -> str:
        if known is None:
            return "not run"
        low, high = known["interval"]
        return " / ".join(f"{share:.3f}" for share in known["shares"].values()) + f" ({low:.3f} to {high:.3f})"

    methods, columns = result["methods"], dimensions(result)

    def last_instance(known: dict) -> str:
        return ", ".join(str(count) for count in sorted({one["instances"] for one in known.values()}))

    rows = [[method, last_instance(known), *(cell(known.get(d)) for d in columns)] for method, known in methods.items()]
    caption = f"Instances 1 to the one named, {dates(result)}, {software(result['about'])}, in 64 bits.\n\n"
    return caption + table(["method", "instances", *(f"{d}-D" for d in columns)], rows)


def plots(name: str, title: str) -> str:
    """The pictures that plots.py draws of `quality_bbob` or `quality_mixint`."""
    names = [f"![{title}, {dimension}-D](results/{name}_{dimension}.svg)" for dimension in dimensions(load(name))]
    return "\n\n".join(names)


def differences(name: str) -> str:
    """What a strategy solves beyond its nearest peer, by instance, of `quality_bbob` or `quality_mixint`."""
    result = load(name)
    methods, columns = result["methods"], dimensions(result)

    def cell(pair: tuple[str, str], dimension: str) -> str:
        met = [methods[method].get(dimension, {}).get("met") for method in pair]
        if None in met:
            return "not run"
        shared = min(len(one[0]) for one in met)  # the first instances of both
        ours, theirs = (np.array(one)[:, :shared] for one in met)
        gains = (ours - theirs).mean(axis=0) / result["targets"]  # one per instance
        low, high = interval(gains)
        return f"{gains.mean():+.3f} ({low:+.3f} to {high:+.3f})"

    pairs = [pair for pair in NEAREST.items() if methods.keys() >= set(pair)]
    rows = [[" - ".join(pair), *(cell(pair, d) for d in columns)] for pair in pairs]
    return table(["pair", *(f"{d}-D" for d in columns)], rows)


def nearest() -> str:
    """The shares of bbob targets at the end of the budget, ours beside the nearest peer's."""
    methods, columns = load("quality_bbob")["methods"], ("5", "10", "20")

    def cells(method: str) -> list[str]:
        return [method, *(f"{methods[method][d]['shares']['1000']:.2f}" for d in columns)]

    shares = [f"{d}-D" for d in columns]
    rows = [cells(ours) + cells(peer) for ours, peer in NEAREST.items()]
    return table(["strategy", *shares, "nearest peer", *shares], rows)


def self_check() -> str:
    """Random search beside its published curve, and cocoex beside ioh."""
    result = load("self_check")
    versions, check = result["about"]["versions"], result["ioh"]
    rows = [
        [f"{name}, {dimension}-D", *(f"{here:.3f} and {there:.3f}" for here, there in found.values())]
        for name, by_dimension in result["random_search"].items()
        for dimension, found in by_dimension.items()
    ]
    found = [one for by_dimension in result["random_search"].values() for one in by_dimension.values()]
    gaps = [abs(here - there) for one in found for here, there in one.values()]
    caption = (
        f"Instances 1 to {result['instances']}, {result['about']['date']}. Random search here and as published differ "
        f"by at most {max(gaps):.4f}. On all 24 functions of bbob in {', '.join(map(str, result['dimensions']))} "
        f"dimensions, coco-experiment {versions['coco-experiment']} and ioh {versions['ioh']} differ by at most a "
        f"relative {check['value']:.1e} in values and by {check['minimum']:.1e} in minima.\n\n"
    )
    return caption + table(["suite", "10 D evaluations", "100 D", "1000 D"], rows)


def quality_tables() -> str:
    """Mean normalized regret by family of tables."""
    result = load("quality_tables")
    families = {"NAS-Bench-201": ("nasbench201",), "HPOBench": ("hpobench",), "FCNet": ("fcnet",)}
    families["HPOBench and FCNet"] = families["HPOBench"] + families["FCNet"]
    rows = []
    for method, known in result["methods"].items():
        cells = []
        for family in families.values():
            names = [name for name in known if name.split("/")[0] in family]
            regrets = [known[name]["regret"] for name in names]
            means = [sum(column) / len(names) for column in zip(*regrets, strict=True)]
            cells.append(" / ".join(f"{mean:.4f}" for mean in means[-3:]))
        rows.append([method, *cells])
    caption = (
        f"After {' / '.join(map(str, result['read_outs'][-3:]))} evaluations; {result['repeats']} repeats, of Optuna "
        f"{result['optuna_repeats']}; {dates(result)}, {software(result['about'], 'optuna')}.\n\n"
    )
    return caption + table(["method", *families], rows)


def against_evosax() -> str:
    """Times per generation beside evosax's, and the first call."""
    result = load("against_evosax")
    rows = [
        [
            f"{name}, {case['population']:,} x {case['dimension']}",
            *(quartiles(case[side]) for side in ("ours", "evosax")),
            f"{number(case['ratio'])} ({number(case['target'])})",
            " / ".join(f"{case[side]['first']:.2f}" for side in ("ours", "evosax")),
        ]
        for name, cases in result["pairs"].items()
        for case in cases
    ]
    caption = f"{measured(result['about'], 'evosax')}; medians (quartiles) of microseconds per generation.\n\n"
    columns = ["population x dimensions", "jaxsearch", "evosax", "ratio (target)", "first call, s"]
    return caption + table(columns, rows)


def against_numpy() -> str:
    """Times per generation beside libraries that run in numpy, and the ratios."""
    result = load("against_numpy")
    sizes, columns = result["sizes"].values(), [product(size) for size in result["sizes"]]

    def cell(one: dict, found: dict, side: str, text: Callable[[dict], str]) -> str:
        return text(found[side]) if side in found else f"not run: {number(one['not_run_gigabytes'][side])} GB"

    def both(by_bits: dict) -> str:
        return " / ".join(quartiles(found, 3) for found in by_bits.values())

    sides = dict.fromkeys(side for one in sizes for side in (*one["microseconds"], *one["not_run_gigabytes"]))
    times = [[side, *(cell(one, one["microseconds"], side, quartiles) for one in sizes)] for side in sides]
    pairs = dict.fromkeys((name, peer) for one in sizes for name, peers in one["ratios"].items() for peer in peers)
    ratios = [[name, peer, *(cell(one, one["ratios"][name], peer, both) for one in sizes)] for name, peer in pairs]
    caption = (
        f"{measured(result['about'], 'pymoo', 'pyswarms', 'scipy', 'deap')}; medians (quartiles) of at most "
        f"{result['rounds']} rounds, in microseconds per generation.\n\n"
    )
    between = "\n\nThe peer's time over ours in 32 bits / over ours in 64 bits:\n\n"
    return caption + table(["side", *columns], times) + between + table(["strategy", "peer", *columns], ratios)


def many_runs() -> str:
    """Runs per second in one program, beside loops over runs of other libraries."""
    result, rows = load("many_runs", "runs"), []
    for name, counts in result["ours"].items():
        for count, found in counts.items():
            ratios = ", ".join(f"{number(ratio)} x {peer}" for peer, ratio in found["ratios"].items())
            ratios += f" ({number(RUNS_TARGETS[count])})" if count in RUNS_TARGETS else ""
            speed = quartiles(found, 3), number(found["runs_per_second"])
            rows.append([name, f"{int(count):,}", *speed, ratios, number(found["loss"])])
    for peer, found in result["peers"].items():
        rows.append([peer, "1", quartiles(found, 3), number(1 / found["median"]), "", number(found["loss"])])
    caption = (
        f"{measured(result['about'], 'pymoo', 'pyswarms', 'scipy', 'cma')}; medians (quartiles) of {result['rounds']} "
        f"rounds. Rastrigin in {result['dimension']}-D, a population of {result['population']}, "
        f"{result['generations']} generations.\n\n"
    )
    columns = ["method", "runs", "seconds", "runs per second", "ratio to a loop (target)", "median loss"]
    return caption + table(columns, rows)


def many_runs_target() -> str:
    """What stopping at a target costs a batch of runs."""
    result, rows = load("many_runs", "target"), []
    for problem, by_strategy in result["problems"].items():
        for name, found in by_strategy.items():
            low, median, high, slowest = found["generations"][1:]
            generations = quartiles({"median": median, "low": low, "high": high}), number(slowest, 4)
            seconds = [quartiles(found["seconds"][side], 3) for side in ("with", "without")]
            ratios = [number(found[ratio]) for ratio in ("ratio", "slowest_over_mean", "cost_of_masking")]
            met = f"{100 * found['met']:.0f} %"
            rows.append([f"{name}, {problem} to {number(found['target'])}", met, *generations, *seconds, *ratios])
    caption = (
        f"{measured(result['about'])}; medians (quartiles), of {result['rounds']} rounds or of {result['batch']} runs. "
        f"At most {result['limit']} generations.\n\n"
    )
    columns = ["strategy and target", "met", "generations", "slowest run", "seconds with target", "seconds without"]
    return caption + table([*columns, "ratio", "slowest / mean", "ratio of a generation"], rows)


def many_runs_tables() -> str:
    """Seconds of all repeats on a table in one program, beside a loop over studies of Optuna."""
    result = load("many_runs", "tables")
    peers, rows = result["peers"], []
    for name, found in result["ours"].items():
        ratios = [f"{number(found['ratios'][peer])} ({number(TABLES_TARGET)})" for peer in peers]
        rows.append([name, f"{result['repeats']:,}", quartiles(found, 3), *ratios])
    rows += [[peer, "1", quartiles(found, 3), *("" for _ in peers)] for peer, found in peers.items()]
    caption = (
        f"{measured(result['about'], 'optuna')}; medians (quartiles) of {result['rounds']} rounds. {result['table']}, "
        f"{result['evaluations']} evaluations a run.\n\n"
    )
    columns = ["method", "runs", "seconds", *(f"ratio to a loop over {peer} (target)" for peer in peers)]
    return caption + table(columns, rows)


def memory() -> str:
    """Peaks as multiples of the population, and what processes really took."""
    analysis, processes = load("memory", "analysis"), load("memory", "measured")["found"]

    def smallest_middle_largest(values: Iterable[int]) -> tuple[int, int, int]:
        values = sorted(set(values))
        return values[0], values[len(values) // 2], values[-1]

    populations, dimensions = zip(*(size.split("x") for size in next(iter(analysis["found"].values()))), strict=True)
    axes = (smallest_middle_largest(map(int, axis)) for axis in (populations, dimensions))
    sizes = [f"{population}x{dimension}" for population, dimension in zip(*axes, strict=True)]
    rows = []
    for name, found in analysis["found"].items():
        ran = processes.get(name)
        beside = (product(ran["size"]), quartiles(ran["ratio"], 3)) if ran else ("", "")
        rows.append([name, *(number(found[size]["populations"]) for size in sizes), *beside])
    columns = ["strategy", *map(product, sizes), "run at", "measured / said (quartiles)"]
    return f"{measured(analysis['about'])}; peaks in arrays of N x D.\n\n" + table(columns, rows)


def memory_largest() -> str:
    """The largest populations that fit in the memory."""
    result = load("memory", "largest")
    found = result["found"]
    rows = [
        [
            name,
            f"{one['population']:,}",
            *(f"{one[part] / 1e9:.2f}" for part in ("said", "grown", "process")),
            number(one["seconds_per_generation"]),
        ]
        for name, one in found["strategies"].items()
    ]
    caption = (
        f"{measured(result['about'])}; {number(found['room'])} GB for the process, {found['coordinates']:,} "
        f"coordinates, {found['generations']} generations.\n\n"
    )
    columns = ["strategy", "population", "said, GB", "measured, GB", "process, GB", "seconds per generation"]
    return caption + table(columns, rows)


def devices() -> str:
    """Speedups of one search on several devices of a CPU, and how many cores were busy."""
    result, rows = load("devices"), []
    for name, case in result["cases"].items():
        *words, size = name.split(", ")
        sides = dict(case["sides"])
        baseline = sides.pop(BASELINE)
        speedups = [f"{number(found['speedup'])} ({number(found['cores'], 2)})" for found in sides.values()]
        rows.append([", ".join([*words, product(size)]), quartiles(baseline), number(baseline["cores"], 2), *speedups])
    caption = (
        f"{measured(result['about'])}; medians (quartiles) of {result['rounds']} rounds. {BASELINE}: milliseconds per "
        "generation, and busy cores. The others: speedup over it (busy cores).\n\n"
    )
    return caption + table(["case", BASELINE, "cores", *sides], rows)


PARTS = {
    "against_evosax": against_evosax,
    "against_numpy": against_numpy,
    "many_runs": many_runs,
    "many_runs_target": many_runs_target,
    "many_runs_tables": many_runs_tables,
    "memory": memory,
    "memory_largest": memory_largest,
    "devices": devices,
    "strategies": strategies,
    "first_run": first_run,
    "quality_bbob": functools.partial(suite, "quality_bbob"),
    "plots_bbob": functools.partial(plots, "quality_bbob", "bbob"),
    "nearest_bbob": nearest,
    "differences_bbob": functools.partial(differences, "quality_bbob"),
    "quality_mixint": functools.partial(suite, "quality_mixint"),
    "plots_mixint": functools.partial(plots, "quality_mixint", "bbob-mixint"),
    "differences_mixint": functools.partial(differences, "quality_mixint"),
    "self_check": self_check,
    "quality_tables": quality_tables,
}


def generated(text: str) -> str:
    """The text with its generated parts made anew."""
    for name, make in PARTS.items():
        part = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        with contextlib.suppress(FileNotFoundError):  # not run: its part stays as it is
            text = part.sub(lambda match: f"{match[1]}{make()}\n{match[2]}", text)  # noqa: B023  # used at once
    return text


def main() -> None:
    for path in (ROOT / "README.md", ROOT / "benchmarks" / "README.md"):
        path.write_text(generated(path.read_text()))


if __name__ == "__main__":
    main()
