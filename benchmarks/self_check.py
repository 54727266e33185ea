"""Do the quality benchmarks measure what others measure?

    python benchmarks/self_check.py [--instances 15] [--dimensions 5 10 20]

Random search must lie within .01 of its published curve (results/published.json), or the recorder is wrong. The
functions of bbob must be those of a second implementation, package ioh, to a relative 1e-9. Writes
results/self_check.json and ends with an error where one is not so.
"""

import argparse
import json
from pathlib import Path

import cocoex
import ioh
import numpy as np
from peers import random_search
from quality_mixint import random_search as random_search_mixint
from recorder import TARGETS, about, compact
from suites import FUNCTIONS, READ_OUTS, bbob, bbob_mixint, theirs

RESULTS = Path(__file__).parent / "results"
SUITES = {"bbob": (bbob, random_search, "random search 2009")}
SUITES["bbob-mixint"] = (bbob_mixint, random_search_mixint, "random search 2019")


def shares(name: str, dimension: int, instances: int, published: dict) -> dict:
    """The share of random search here and the published one, by read-out."""
    make, peer, curve = SUITES[name]
    recorder = theirs(peer, make(dimension, instances))
    theirs_at = dict(zip(published["budgets"], published["suites"][name][curve][str(dimension)], strict=True))
    return {
        str(budget): [round(float(recorder.met(budget * dimension).mean() / len(TARGETS)), 4), theirs_at[budget]]
        for budget in READ_OUTS
    }


def disagreement(dimensions: list[int], instances: int, points: int = 20) -> tuple[float, float]:
    """The largest relative difference between cocoex and ioh of a value, and the largest one of a minimum."""
    random, values, minima = np.random.default_rng(0), [], []
    for dimension in dimensions:
        for function in FUNCTIONS:
            for instance in range(1, instances + 1):
                first = cocoex.BareProblem("bbob", function, dimension, instance)
                second = ioh.get_problem(function, instance, dimension, ioh.ProblemClass.BBOB)
                x = random.uniform(-6, 6, (points, dimension))  # some peers leave the box
                here, there = np.asarray(first(x)), np.array([second(row) for row in x])
                values.append(np.max(np.abs(here - there) / np.abs(there)))
                minima.append(abs(first.best_value() - second.optimum.y))
    return float(np.max(values)), float(np.max(minima))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=15)
    parser.add_argument("--dimensions", type=int, nargs="+", default=[5, 10, 20])
    options = parser.parse_args()
    published = json.loads((RESULTS / "published.json").read_text())
    value, minimum = disagreement(options.dimensions, options.instances)
    found = {
        name: {str(d): shares(name, d, options.instances, published) for d in options.dimensions} for name in SUITES
    }
    result = {
        "about": about("coco-experiment", "ioh"),
        "instances": options.instances,
        "dimensions": options.dimensions,
        "random_search": found,
        "ioh": {"value": float(f"{value:.1e}"), "minimum": float(f"{minimum:.1e}")},
    }
    (RESULTS / "self_check.json").write_text(compact(result))
    gaps = [abs(here - there) for by in found.values() for one in by.values() for here, there in one.values()]
    print(f"random search within {max(gaps):.4f} of the published curve, ioh within {value:.1e} of cocoex")
    if max(gaps) > 0.01 or value > 1e-9:
        raise SystemExit("at least one disagrees; see results/self_check.json")


if __name__ == "__main__":
    main()
