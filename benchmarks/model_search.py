"""How long does a search for a network take, beside the tools that people use?

Every side gets the same table, folds, space, epochs and number of candidates, two cores, and a process of its own with
an empty compilation cache; the clock starts with the process, so that imports and compilation count. Each reports the
cross-validation error of a candidate when it is known. Writes results/model_search.json; see --help for shorter runs.

    python benchmarks/model_search.py [--data digits ...] [--candidates 64 512] [--seeds 3] [--only SIDE ...]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import peers_training
import recorder
import training_data

RESULT = Path(__file__).parent / "results" / "model_search.json"
EPOCHS = 27  # so that the rungs of all sides are whole: 3, 9, 27
FOLDS = 5


def jaxsearch_side(halved: bool, strategy: str):
    """A search by jaxsearch, one generation after the other."""

    def search(x, y, folds, space, num_candidates, epochs, seed, report):
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_backend_optimization_level=1"
        import jax

        jax.config.update("jax_num_cpu_devices", peers_training.JOBS)
        import jaxsearch as js

        def dimension(entry):
            if not isinstance(entry, peers_training.Range):
                return js.Choice(*entry)
            kind = js.Int if isinstance(entry.low, int) else js.Float
            return kind(entry.low, entry.high, log=entry.log)

        classes = y.dtype.kind == "i"
        width = space["width"]
        model = js.models.MLP(
            x.shape[1],
            int(y.max()) + 1 if classes else 1,
            max_layers=space["layers"].high,
            max_width=width.high,
            min_width=width.low,
            activations=space["activation"],
        )
        evaluator = js.Training(
            model,
            (x, y),
            metric="error" if classes else "rmse",
            folds=FOLDS,
            epochs=epochs,
            chunk_size=1,
            smaller=model.smaller()[1:2] if num_candidates < 256 else model.smaller(),
            groups=folds,  # the given folds: a group each
        )
        evaluator = js.Sharded(evaluator)
        if halved:
            evaluator = js.Halving(evaluator, factor=3, num_rungs=3)

        def tell(generation):
            losses, trained = np.asarray(generation.results.loss), np.asarray(generation.results.aux["epochs"])
            if halved:  # the last measurement of each, since sides are compared by candidates that were trained in full
                spent = np.asarray(generation.results.aux["curve_epochs"])
                last = np.argmax(spent, axis=1)[:, None]
                curve = np.asarray(generation.results.aux["curve"])
                losses, trained = np.take_along_axis(curve, last, 1)[:, 0], np.take_along_axis(spent, last, 1)[:, 0]
            for row in np.argsort(losses):
                report(float(losses[row]), int(trained[row]))

        population = min(64, num_candidates // 4)  # a few generations to learn from
        js.search(
            evaluator,
            {name: dimension(entry) for name, entry in space.items()},
            getattr(js, strategy)(population_size=population),
            key=jax.random.key(seed),
            max_evaluations=num_candidates,
            callback=tell,
            progress=False,
        )

    return search


OURS = {
    "jaxsearch random, halving": jaxsearch_side(True, "RandomSearch"),
    "jaxsearch TPE, halving": jaxsearch_side(True, "TPE"),
    "jaxsearch TPE": jaxsearch_side(False, "TPE"),
}


def run(side: str, arrays: str, candidates: int, seed: int) -> list[dict]:
    """The reports of one side in a process of its own."""
    script = "model_search.py" if side in OURS else "peers_training.py"
    command = [sys.executable, str(Path(__file__).with_name(script))]
    command += [side, "--arrays", arrays, "--candidates", str(candidates), "--epochs", str(EPOCHS), "--seed", str(seed)]
    environment = recorder.fresh_environment()
    done = subprocess.run(
        [*command, "--began", str(time.time())], env=environment, check=True, capture_output=True, text=True
    )
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def curve(reports: list[dict]) -> list[list[float]]:
    """`[[seconds, error]]` where the best error of the candidates trained in full improves."""
    best, points = np.inf, []
    for report in sorted(reports, key=lambda report: report["seconds"]):
        if report["epochs"] >= EPOCHS and report["loss"] < best:
            best = report["loss"]
            points.append([report["seconds"], best])
    return points


def seconds_to(points: list[list[float]], error: float) -> float:
    """When a curve reaches an error, inf if never."""
    return next((seconds for seconds, best in points if best <= error + 1e-9), float("inf"))


def compare(ours: dict, peer: dict) -> dict:
    """Over the seeds: how many times longer the peer takes to the error that both reach, and in all."""
    ratios, totals = [], []
    for mine, theirs in zip(ours["runs"], peer["runs"], strict=True):
        error = max(mine["curve"][-1][1], theirs["curve"][-1][1])
        ratios.append(seconds_to(theirs["curve"], error) / seconds_to(mine["curve"], error))
        totals.append(theirs["seconds"] / mine["seconds"])
    return {
        "to_equal_error": float(np.median(ratios)),
        "to_equal_error_range": [min(ratios), max(ratios)],
        "in_all": float(np.median(totals)),
        "lower_error": int(sum(m["error"] < t["error"] for m, t in zip(ours["runs"], peer["runs"], strict=True))),
        "higher_error": int(sum(m["error"] > t["error"] for m, t in zip(ours["runs"], peer["runs"], strict=True))),
    }


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] in OURS:
        peers_training.PEERS.update(OURS)
        peers_training.main()
        return
    sides = [*OURS, *peers_training.PEERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=["digits"])
    parser.add_argument("--candidates", nargs="+", type=int, default=[64, 512])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=sides, default=sides)
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    cells = []
    for data in options.data:
        x, y = training_data.load(data)
        for candidates in options.candidates:
            found: dict[str, dict] = {side: {"runs": []} for side in options.only}
            for seed in range(options.seeds):  # the sides by turns, so that a slow hour meets all of them
                folds = training_data.folds(y, FOLDS, seed)
                with tempfile.TemporaryDirectory() as directory:
                    np.savez(f"{directory}/table.npz", x=x, y=y, folds=folds)
                    for side in options.only:
                        reports = run(side, f"{directory}/table.npz", candidates, seed)
                        points = curve(reports)
                        seconds = max(report["seconds"] for report in reports)
                        entry = {"seed": seed, "seconds": seconds, "error": points[-1][1], "curve": points}
                        found[side]["runs"].append(entry)
                        print(data, candidates, seed, side, seconds, points[-1][1], flush=True)
            for side in set(found) & set(peers_training.PEERS):
                ours = {name: found[name] for name in found if name in OURS}
                found[side]["against"] = {name: compare(entry, found[side]) for name, entry in ours.items()}
            cells.append({"data": data, "candidates": candidates, "sides": found})
    result = {"about": recorder.about("optuna", "scikit-learn"), "epochs": EPOCHS, "folds": FOLDS, "cells": cells}
    options.result.write_text(recorder.compact(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
