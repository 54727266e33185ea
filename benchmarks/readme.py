"""Writes the generated parts of README.md and benchmarks/README.md, from the registry and from results/.

    python benchmarks/readme.py

A generated part stands between `<!-- name -->` and `<!-- end name -->`.
"""

import functools
import json
import re
from pathlib import Path

from jaxsearch.strategies import registry

ROOT = Path(__file__).parent.parent


def strategies() -> str:
    """A table of the registry."""
    rows = ["| strategy | command | what it is | source |", "| --- | --- | --- | --- |"]
    for name, strategy in registry.items():
        what, source = strategy.__doc__.split("\n")[0], strategy.__doc__.split("References:")[1]
        source = " ".join(source.split()).split(". ")[0].rstrip(".")
        rows.append(f"| `{strategy.__name__}` | `{name}` | {what} | {source} |")
    return "\n".join(rows)


def first_run() -> str:
    """What `jaxsearch run` takes and achieves."""
    result = json.loads((ROOT / "benchmarks" / "results" / "first_run.json").read_text())
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


def suite(name: str) -> str:
    """Shares of solved targets, of `quality_bbob` or `quality_mixint`."""
    result = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
    dimensions = sorted({dimension for known in result["methods"].values() for dimension in known}, key=int)
    rows = ["| method | " + " | ".join(f"{d}-D" for d in dimensions) + " |", "| --- |" + " --- |" * len(dimensions)]
    for method, known in result["methods"].items():
        cells = []
        for dimension in dimensions:
            if dimension not in known:
                cells.append("not run")
                continue
            shares, (low, high) = known[dimension]["shares"].values(), known[dimension]["interval"]
            cells.append(" / ".join(f"{share:.3f}" for share in shares) + f" ({low:.3f} to {high:.3f})")
        rows.append(f"| {method} | " + " | ".join(cells) + " |")
    about = result["about"]
    caption = f"Instances 1 to {result['instances']}, {dates(result)}, jax {about['versions']['jax']}, in 64 bits.\n\n"
    return caption + "\n".join(rows)


def quality_tables() -> str:
    """Mean normalized regret by family of tables."""
    result = json.loads((ROOT / "benchmarks" / "results" / "quality_tables.json").read_text())
    families = {"NAS-Bench-201": ("nasbench201",), "HPOBench": ("hpobench",), "FCNet": ("fcnet",)}
    families["HPOBench and FCNet"] = families["HPOBench"] + families["FCNet"]
    rows = ["| method | " + " | ".join(families) + " |", "| --- |" + " --- |" * len(families)]
    for method, known in result["methods"].items():
        cells = []
        for family in families.values():
            names = [name for name in known if name.split("/")[0] in family]
            regrets = [known[name]["regret"] for name in names]
            means = [sum(column) / len(names) for column in zip(*regrets, strict=True)]
            cells.append(" / ".join(f"{mean:.4f}" for mean in means[-3:]))
        rows.append(f"| {method} | " + " | ".join(cells) + " |")
    about = result["about"]
    caption = (
        f"After {' / '.join(map(str, result['read_outs'][-3:]))} evaluations; {result['repeats']} repeats, of Optuna "
        f"{result['optuna_repeats']}; {dates(result)}, jax {about['versions']['jax']}, "
        f"optuna {about['versions']['optuna']}.\n\n"
    )
    return caption + "\n".join(rows)


PARTS = {
    "strategies": strategies,
    "first_run": first_run,
    "quality_bbob": functools.partial(suite, "quality_bbob"),
    "quality_mixint": functools.partial(suite, "quality_mixint"),
    "quality_tables": quality_tables,
}


def generated(text: str) -> str:
    """The text with its generated parts made anew."""
    for name, make in PARTS.items():
        part = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text = part.sub(lambda match: f"{match[1]}{make()}\n{match[2]}", text)  # noqa: B023  # used at once
    return text


def main() -> None:
    for path in (ROOT / "README.md", ROOT / "benchmarks" / "README.md"):
        path.write_text(generated(path.read_text()))


if __name__ == "__main__":
    main()
