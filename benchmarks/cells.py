"""Which way of searching the operations of a cell is best at the same number of epochs, and does it collapse to skips?

Every side chooses the operations of the 6 edges of a cell for digits by the cross-entropy of rows held out, and spends
as many epochs; an epoch by gradient counts as two, since it has two gradients per batch. The gradient starts several
times, each result is trained alone, and the best of these is taken. What is found is trained on all rows but a fifth,
which no side has seen. Writes results/cells.json.

    python benchmarks/cells.py [--seeds 16] [--candidates 36] [--epochs 30]
"""

import argparse
import functools
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import recorder
import training_data

import jaxsearch as js

RESULT = Path(__file__).parent / "results" / "cells.json"
FITS = 3  # trainings of what was found, whose test errors are averaged
FIXED = {"learning_rate": js.Choice(0.01), "weight_decay": js.Choice(0.1)}


def by_strategy(strategy, training, space, key, candidates):
    """The configuration with the lowest loss, and this loss."""
    num_generations = candidates // strategy.population_size
    result = js.minimize(training, space, strategy, key=key, num_generations=num_generations)
    return result.params, float(result.loss), {}


def by_gradient(straight_through, training, space, key, candidates):
    """The best of all starts, each with a key of its own, its loss, and how many starts collapsed."""
    keys = jax.random.split(key, candidates // 3)  # a relaxed training counts twice, and its result is trained as well
    found = relaxed(training, space, keys, straight_through)
    params = [jax.tree.map(lambda leaf: leaf[i], found.params) for i in range(len(keys))]  # noqa: B023
    losses = [float(js.retrain(training, key, space, one).loss) for one in params]
    facts = {
        "starts": len(keys),
        "collapsed": int(found.collapsed.sum()),
        "skip_share_of_all_starts": np.asarray(found.skip_share.mean(axis=0), float).round(3).tolist(),
    }
    return params[int(np.argmin(losses))], min(losses), facts


@functools.partial(jax.jit, static_argnames="straight_through")
def relaxed(training, space, keys, straight_through):
    middle = js.decode(space, jnp.full(js.domain(space).size, 0.5))
    return jax.vmap(lambda key: js.relax(training, space, middle, key=key, straight_through=straight_through))(keys)


def any_cell(training, space, key, candidates):
    """A cell at random, to tell what searching is good for."""
    params = js.sample(key, space)
    return params, float(js.retrain(training, key, space, params).loss), {}


SIDES = {
    "gradient": functools.partial(by_gradient, False),
    "gradient, straight-through": functools.partial(by_gradient, True),
    "GA": functools.partial(by_strategy, js.GA(population_size=4)),
    "LocalSearch": functools.partial(by_strategy, js.LocalSearch(population_size=1)),
    "RandomSearch": functools.partial(by_strategy, js.RandomSearch(population_size=4)),
    "any cell, no search": any_cell,
}


def run(side, seed, options):
    """What one side finds with one seed."""
    x, y = training_data.load("digits")
    order = np.random.default_rng(seed).permutation(len(x))
    test, rows = order[::5], np.delete(order, np.s_[::5])
    model = js.models.CellNet(x.shape[1], 10)
    space = {**FIXED, "operations": model.space()["operations"]}
    training = js.Training(
        model, (x[rows], y[rows]), metric="cross_entropy", folds=1, epochs=options.epochs, chunk_size=1
    )
    key_search, key_fits = jax.random.split(jax.random.key(seed))
    start = time.perf_counter()
    params, loss, facts = SIDES[side](training, space, key_search, options.candidates)
    seconds = time.perf_counter() - start
    networks = [js.fit(training, key, space, params) for key in jax.random.split(key_fits, FITS)]
    errors = [np.mean(np.argmax(network.predict(x[test]), axis=1) != y[test]) for network in networks]
    return {
        "seed": seed,
        "loss": loss,
        "test_error": float(np.mean(errors)),
        "skip_share": float(model.skip_share(model.complete(space, params))),
        "operations": js.describe(space, params)["operations"],
        "seconds": round(seconds, 2),
        **facts,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--candidates", type=int, default=36, help="trainings of a side, a multiple of 12")
    parser.add_argument("--epochs", type=int, default=30, help="of a training")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    settings = {"data": "digits", "candidates": options.candidates, "epochs": options.epochs}
    result = {"about": recorder.about("scikit-learn"), **settings, "sides": {}}
    for side in SIDES:
        runs = result["sides"][side] = []
        for seed in range(options.seeds):
            runs.append(run(side, seed, options))
            print(side, runs[-1], flush=True)
        options.result.write_text(recorder.compact(result), encoding="utf-8")


if __name__ == "__main__":
    main()
