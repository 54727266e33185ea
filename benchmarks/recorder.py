"""What the quality benchmarks share: exact counts, shares of solved targets, and how sure we are of them."""

import argparse
import datetime
import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

TARGETS = 10.0 ** np.linspace(2, -8, 51)  # the gaps f - f_opt that bbob asks for


class Recorder:
    """Counts the evaluations of `runs` runs, row by row, until each target is met."""

    def __init__(self, runs: int):
        self.count = np.zeros(runs, int)
        self.wanted = np.full(runs, TARGETS[0])  # the next target; -inf when there is none
        self.solved = np.full((runs, len(TARGETS)), np.inf)  # evaluations until the target was met

    def add(self, run: int, gaps: np.ndarray) -> None:
        """Records the next evaluations of a run: `[n]` values of f - f_opt, in the order of evaluation."""
        if np.fmin.reduce(gaps, initial=np.inf) <= self.wanted[run]:  # so the rest is done once per target, not per row
            lowest = np.minimum.accumulate(np.nan_to_num(gaps, nan=np.inf))
            first = np.searchsorted(-lowest, -TARGETS, side="left")
            new = np.isinf(self.solved[run]) & (first < len(lowest))
            self.solved[run, new] = self.count[run] + first[new] + 1
            self.wanted[run] = np.max(TARGETS[np.isinf(self.solved[run])], initial=-np.inf)
        self.count[run] += len(gaps)

    def met(self, budget: float) -> np.ndarray:
        """`[runs]` numbers of targets met within `budget` evaluations."""
        return np.sum(self.solved <= budget, axis=1)


def interval(values: np.ndarray, seed: int = 0) -> list[float]:
    """The 95 % bootstrap interval of the mean of `[instances]` values, each a mean over the functions.

    Two methods that were run on the same instances are compared by the interval of their differences.
    """
    drawn = np.random.default_rng(seed).integers(0, len(values), (2000, len(values)))
    return np.quantile(values[drawn].mean(axis=1), [0.025, 0.975]).tolist()


def fresh_environment() -> dict[str, str]:
    """For a process of its own without a compilation cache, in which a device may wait for another.

    Where devices have different work, XLA would end the process after 40 seconds of that.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_COMPILATION_CACHE")}
    patience = " --xla_cpu_collective_call_terminate_timeout_seconds=86400"
    return environment | {"XLA_FLAGS": environment.get("XLA_FLAGS", "") + patience}


def about(*packages: str) -> dict:
    """Machine, versions and date, for the JSON."""
    versions = {}
    for name in ("jaxsearch", "jax", "jaxlib", "numpy", *packages):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": versions,
    }


def compact(result: dict) -> str:
    """JSON with every list of numbers on one line."""
    numbers = re.compile(r"\[[\s\d.,e+-]*\]")
    return numbers.sub(lambda match: re.sub(r"\s+", " ", match[0]), json.dumps(result, indent=1)) + "\n"


def command(doc: str, path: Path) -> argparse.ArgumentParser:
    """The options that every quality benchmark has."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=None, help="names of methods; they are run anew")
    parser.add_argument("--result", type=Path, default=path)
    return parser


def measure(
    options: argparse.Namespace,
    settings: dict,
    packages: Iterable[str],
    methods: dict[str, Callable[[str], dict]],
    cases: Iterable[str],
) -> None:
    """Runs every method on every case and writes the file after each.

    What it holds for the same settings and number of instances stays, unless it is asked for by name.
    """
    today = about(*packages)
    result = {"about": today, **settings, "dates": {}, "methods": {}}
    instances = getattr(options, "instances", None)
    if options.result.exists():
        before = json.loads(options.result.read_text())
        if all(before.get(name) == value for name, value in settings.items()):
            result |= {part: before[part] for part in ("dates", "methods")}
            # A peer that is not installed now stays what it was when it ran.
            kept = before["about"]["versions"]
            versions = {name: found or kept.get(name) for name, found in today["versions"].items()}
            result["about"] = today | {"versions": versions}
    for name, method in methods.items():
        if options.only is not None and name not in options.only:
            continue
        for case in cases:
            known = result["methods"].setdefault(name, {})
            if options.only is None and case in known and known[case].get("instances") == instances:
                continue
            start = time.perf_counter()
            known[case] = method(case)
            result["dates"][name] = today["date"]
            print(
                f"{name:30s} {case:32s} {next(iter(known[case].values()))} {time.perf_counter() - start:.0f} s",
                flush=True,
            )
            options.result.write_text(compact(result))
