"""How long does a newcomer wait for `jaxsearch run`, and what does the network achieve?

Runs the command as a user does, with an empty compilation cache (cold) and again with it (warm), for several seeds, and
writes results/first_run.json. Takes about a minute per run.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

RESULT = Path(__file__).parent / "results" / "first_run.json"


def run(seed: int, cache: Path) -> dict:
    """One run of the command: its wall-clock seconds, from the shell, and what it wrote."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "jaxsearch.cli", "run", "--seed", str(seed), "--out", f"{directory}/run"]
        begin = time.perf_counter()
        subprocess.run(command, check=True, env=os.environ | {"XDG_CACHE_HOME": str(cache)}, capture_output=True)
        seconds = time.perf_counter() - begin
        best = json.loads(Path(directory, "run", "best.json").read_text())
    names = ("score", "spread", "test_score", "num_evaluations", "num_failed", "architecture")
    return {"seed": seed, "seconds": round(seconds, 1)} | {name: best[name] for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    cold, warm = [], []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as cache:
            cold.append(run(seed, Path(cache)))
            warm.append(run(seed, Path(cache)))
            print(cold[-1], warm[-1]["seconds"], flush=True)
    summary = {
        "cold_seconds": statistics.median(row["seconds"] for row in cold),
        "cold_seconds_range": [min(row["seconds"] for row in cold), max(row["seconds"] for row in cold)],
        "warm_seconds": statistics.median(row["seconds"] for row in warm),
        "candidates": cold[0]["num_evaluations"],
        "cross_validation_error": [row["score"] for row in cold],
        "test_error": [row["test_score"] for row in cold],
    }
    about = {
        "date": datetime.date.today().isoformat(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("jaxsearch", "jax", "jaxlib", "optax", "numpy")},
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"about": about, "summary": summary, "cold": cold, "warm": warm}, indent=2) + "\n")


if __name__ == "__main__":
    main()
