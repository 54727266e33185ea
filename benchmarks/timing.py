"""What the speed benchmarks share: sides timed in turns, medians with spread, the first call apart, one JSON each.

Times depend on the machine; what the benchmarks report are ratios between sides that were timed in turns.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax
from recorder import about, compact

RESULTS = Path(__file__).parent / "results"


def seconds(call: Callable[[], Any]) -> float:
    """The wall-clock seconds of one call, until its result is there."""
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def in_turns(sides: dict[str, Callable[[], Any]], rounds: int = 9, unit: float = 1.0) -> dict[str, dict]:
    """Times each side once per round; `unit` seconds are 1.

    Returns, for every side, `first` (trace, compile and run), `median`, `low` and `high` (the quartiles of the rounds).
    """
    first = {name: seconds(call) for name, call in sides.items()}
    times = {name: [] for name in sides}
    for _ in range(rounds):
        for name, call in sides.items():
            times[name].append(seconds(call))
    return {name: {"first": rounded(first[name]), **spread(found, unit)} for name, found in times.items()}


def spread(times: list[float], unit: float = 1.0) -> dict[str, float]:
    """Median and quartiles of times in seconds, in units of `unit` seconds; a single time is all three."""
    low, median, high = statistics.quantiles(times, n=4, method="inclusive") if len(times) > 1 else 3 * times
    return {name: rounded(value / unit) for name, value in (("median", median), ("low", low), ("high", high))}


def rounded(value: float) -> float:
    """Four significant digits, which is more than any time deserves."""
    return float(f"{value:.4g}")


def command(doc: str, name: str) -> argparse.ArgumentParser:
    """The options that every speed benchmark has."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--result", type=Path, default=RESULTS / f"{name}.json")
    return parser


def save(path: Path, result: dict, packages: Iterable[str] = ()) -> None:
    """Writes the result with machine, versions and date."""
    path.write_text(compact({"about": about(*packages), **result}))


def load(path: Path) -> dict:
    """What an earlier run wrote; empty if there was none."""
    return json.loads(path.read_text()) if path.exists() else {}
