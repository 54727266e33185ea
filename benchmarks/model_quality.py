"""Is what a search finds as good as what Optuna's TPE finds with scikit-learn's MLP, at equal candidates?

For every table and seed a fifth of the rows is kept for a test that no search sees. On the others each side trains the
same number of candidates of the same space in the same folds for the same epochs, all of them to the end; its best is
trained once more on all of these rows and tested. The seeds are paired: an exact test of the signs of the differences
says how likely the wins and losses would be if the sides were equally good. Writes results/model_quality.json.

    python benchmarks/model_quality.py [--data mnist1d ...] [--candidates 40] [--seeds 10]
"""

import argparse
import functools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import peers_training
import recorder
import training_data

from jaxsearch.problems import mnist1d

RESULT = Path(__file__).parent / "results" / "model_quality.json"
DATA = ("mnist1d", "breast_cancer", "cells", "leaves", "concrete", "diabetes")
FOLDS, EPOCHS, POPULATION, TEST = 5, 27, 8, 0.2


def rows(name: str, seed: int):
    """The rows to search with, their folds, and the rows of the test; of mnist1d every seed has its own signals."""
    x, y = mnist1d.generate(seed) if name == "mnist1d" else training_data.load(name)
    test = training_data.folds(y, round(1 / TEST), 10**6 + seed) == 0
    return x[~test], y[~test], training_data.folds(y[~test], FOLDS, seed), x[test], y[test]


def loss(y, outputs) -> float:
    """The share of wrong classes, or the RMSE."""
    return float(np.mean(outputs != y)) if y.dtype.kind == "i" else float(np.sqrt(np.mean((outputs - y) ** 2)))


def ours(name: str, candidates: int, seed: int) -> dict:
    import jax

    import jaxsearch as js

    x, y, folds, x_test, y_test = rows(name, seed)
    classes = y.dtype.kind == "i"
    model = js.models.MLP(
        x.shape[1], int(y.max()) + 1 if classes else 1, activations=peers_training.SPACE["activation"]
    )
    space = {entry: dimension(js, value) for entry, value in peers_training.SPACE.items()}
    metric = "error" if classes else "rmse"
    training = js.Training(model, (x, y), metric, FOLDS, EPOCHS, chunk_size=1, groups=folds, smaller=model.smaller())
    strategy, key = js.TPE(population_size=POPULATION), jax.random.key(seed)
    found = js.search(training, space, strategy, key=key, max_evaluations=candidates, progress=False)
    outputs = np.asarray(js.fit(training, jax.random.key(10**6 + seed), space, found.params).predict(x_test))
    test = loss(y_test, outputs.argmax(axis=1) if classes else outputs)
    return {"cross_validation": float(found.loss), "test": test}


def dimension(js, entry):
    if not isinstance(entry, peers_training.Range):
        return js.Choice(*entry)
    kind = js.Int if isinstance(entry.low, int) else js.Float
    return kind(entry.low, entry.high, log=entry.log)


def theirs(name: str, candidates: int, seed: int) -> dict:
    """By TPE one candidate after the other, which is how it is best."""
    import optuna
    from threadpoolctl import threadpool_limits

    x, y, folds, x_test, y_test = rows(name, seed)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))

    def objective(trial):
        params = {
            name: peers_training.suggested(trial, name, dimension) for name, dimension in peers_training.SPACE.items()
        }
        return peers_training.scikit_learn_loss(x, y, folds, EPOCHS, params, 10**5 * seed + trial.number)

    study.optimize(objective, n_trials=candidates)
    pipeline, named, resource = peers_training.scikit_learn_network(y, folds, 10**6 + seed)
    with threadpool_limits(1), peers_training.warnings.catch_warnings():
        peers_training.expect_warnings()
        pipeline.set_params(**named(study.best_params), **{resource: EPOCHS}).fit(x, y)
    return {"cross_validation": study.best_value, "test": loss(y_test, pipeline.predict(x_test))}


def paired(mine: list[float], other: list[float]) -> dict:
    """Wins, losses and the exact two-sided probability of such signs; the median of the quotients."""
    from scipy.stats import binomtest

    wins, losses = (int(np.sum(np.sign(np.subtract(other, mine)) == sign)) for sign in (1, -1))
    probability = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    ratio = float(np.median(np.divide(mine, np.maximum(other, 1e-12)))) if min(other) > 0 else None
    return {"lower": wins, "higher": losses, "probability": float(probability), "median_ratio": ratio}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", default=DATA)
    parser.add_argument("--candidates", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    cells = {}
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for name in options.data:
            sides = {}
            for side in (ours, theirs):
                run = functools.partial(side, name, options.candidates)
                sides[side.__name__] = list(pool.map(run, range(options.seeds)))
            each = {key: [[run[key] for run in sides[side]] for side in ("ours", "theirs")] for key in sides["ours"][0]}
            cells[name] = {key: {"ours": a, "theirs": b, **paired(a, b)} for key, (a, b) in each.items()}
            print(name, {key: paired(a, b) for key, (a, b) in each.items()}, flush=True)
    result = {"about": recorder.about("optuna", "scikit-learn"), "candidates": options.candidates, "epochs": EPOCHS}
    options.result.write_text(recorder.compact(result | {"cells": cells}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
