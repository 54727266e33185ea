"""Other libraries' searches for a network, behind one signature; each is run in a process of its own.

    python benchmarks/peers_training.py "Optuna TPE, scikit-learn" [--data digits | --arrays file.npz] [--candidates 8]
        [--epochs 30] [--folds 5] [--seed 0] [--began seconds]

Prints one JSON line per trained candidate: `seconds` since the clock started, the cross-validation `loss`, and for how
many `epochs` it was trained. --arrays: a file with x, y and folds. --began: the time.time() at which the caller started
this process, so that the start of Python and all imports count; otherwise the clock starts with main().

Each takes (x, y, folds, space, num_candidates, epochs, seed, report): `[n, F]` float32 features, `[n]` int classes or
float32 targets, the fold `[n]` in which each row is held out, the space below, and what to call with the loss and the
epochs of a candidate as soon as both are known. The loss is the mean over the folds of the error or of the RMSE, with
scaling fitted on the training rows. All train by Adam, in batches, to the last epoch, with two cores.
"""

import argparse
import functools
import json
import math
import multiprocessing
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

JOBS = 2


class Range(NamedTuple):
    """Both ends included; integers where `low` is one. A choice is a tuple of its options."""

    low: float
    high: float
    log: bool = False


SPACE = {  # without silu, which scikit-learn has not
    "layers": Range(1, 3),
    "width": Range(8, 128, log=True),
    "activation": ("relu", "tanh"),
    "learning_rate": Range(1e-3, 3e-2, log=True),
    "weight_decay": Range(1e-4, 1.0, log=True),
    "batch_size": (64, 128, 256),
}


def scikit_learn_network(y, folds, seed):
    """The pipeline, a function from parameters of the space to its own, and what it calls the number of epochs.

    alpha is not the weight decay of AdamW. scikit-learn adds alpha / batch_size times the weights to the gradient,
    before Adam divides by the gradient's magnitude; AdamW subtracts learning_rate * weight_decay times the weights. No
    factor makes the two alike, so alpha has the range of weight_decay, and its effect is another. Nor has scikit-learn
    a schedule for Adam: its learning rate is constant, where the other sides' falls over the last fifth.
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    settings = {"solver": "adam", "random_state": seed, "n_iter_no_change": 10**9}
    if y.dtype.kind == "f":
        prefix, network = "network__regressor__", MLPRegressor(**settings)
        network = TransformedTargetRegressor(network, transformer=StandardScaler())
    else:
        prefix, network = "network__", MLPClassifier(**settings)
    most = len(y) - np.bincount(folds).max()

    def named(params):
        values = {"batch_size": int(min(params["batch_size"], most)), "activation": params["activation"]}
        values |= {"alpha": params["weight_decay"], "learning_rate_init": params["learning_rate"]}
        values |= {"hidden_layer_sizes": (params["width"],) * params["layers"]}
        return {prefix + name: value for name, value in values.items()}

    return Pipeline([("scale", StandardScaler()), ("network", network)]), named, prefix + "max_iter"


def scoring(y):
    return "neg_root_mean_squared_error" if y.dtype.kind == "f" else "accuracy"


def as_loss(y, score):
    """scikit-learn's score as a loss; it is NaN where a network diverged."""
    return math.inf if math.isnan(score) else float(-score if y.dtype.kind == "f" else 1 - score)


def expect_warnings():
    """Not to have converged is meant, and a network that diverged has a loss."""
    from sklearn.exceptions import ConvergenceWarning, FitFailedWarning

    for expected in (ConvergenceWarning, FitFailedWarning):
        warnings.simplefilter("ignore", expected)


def cross_validation(pipeline, x, y, folds, jobs=1):
    """The loss of a pipeline; `jobs` folds at a time, each on one core."""
    from sklearn.model_selection import PredefinedSplit, cross_val_score
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1):
        expect_warnings()
        scores = cross_val_score(pipeline, x, y, cv=PredefinedSplit(folds), scoring=scoring(y), n_jobs=jobs)
    return as_loss(y, scores.mean())


def scikit_learn_loss(x, y, folds, epochs, params, seed):
    pipeline, named, resource = scikit_learn_network(y, folds, seed)
    return cross_validation(pipeline.set_params(**named(params), **{resource: epochs}), x, y, folds)


def suggested(trial, name, dimension):
    """What an Optuna trial chooses for a dimension."""
    if not isinstance(dimension, Range):
        return trial.suggest_categorical(name, dimension)
    kind = trial.suggest_int if isinstance(dimension.low, int) else trial.suggest_float
    return kind(name, dimension.low, dimension.high, log=dimension.log)


def study(sampler, space, num_candidates, epochs, seed, report, loss):
    """Runs Optuna, two candidates at a time, whose order decides what is drawn next: no run is like another.

    `loss` maps parameters and a seed to the loss of a candidate.
    """
    import optuna

    def objective(trial):
        params = {name: suggested(trial, name, dimension) for name, dimension in space.items()}
        return loss(params, 10**5 * seed + trial.number)

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    searched = optuna.create_study(sampler=getattr(optuna.samplers, sampler)(seed=seed))
    callbacks = [lambda _, trial: report(trial.value, epochs)]
    searched.optimize(objective, n_trials=num_candidates, n_jobs=JOBS, callbacks=callbacks)


def optuna_scikit_learn(sampler):
    """Optuna around scikit-learn: its two threads each wait for a process, which trains one candidate.

    Training in the threads themselves takes about twice as long, because scikit-learn's loop over batches holds the
    interpreter's lock. `cross_val_score(n_jobs=2)` is about as fast as this, but gives one process three of five folds.
    """

    def run(x, y, folds, space, num_candidates, epochs, seed, report):
        one = functools.partial(scikit_learn_loss, x, y, folds, epochs)
        with ProcessPoolExecutor(JOBS, mp_context=multiprocessing.get_context("spawn")) as pool:
            loss = lambda params, seed: pool.submit(one, params, seed).result()  # noqa: E731
            study(sampler, space, num_candidates, epochs, seed, report, loss)

    return run


def optuna_jax(sampler):
    """Optuna around JAX, in its two threads: XLA compiles and runs without the interpreter's lock."""

    def run(x, y, folds, space, num_candidates, epochs, seed, report):
        from peers_training_jax import jax_loss

        study(sampler, space, num_candidates, epochs, seed, report, jax_loss(x, y, folds, epochs))

    return run


def draw(dimension, random_state):
    """A value of a dimension, as Optuna's random sampler draws it."""
    if not isinstance(dimension, Range):
        return dimension[random_state.randint(len(dimension))]
    half = 0.5 if isinstance(dimension.low, int) else 0.0
    ends = np.array([dimension.low - half, dimension.high + half])
    value = np.exp(random_state.uniform(*np.log(ends))) if dimension.log else random_state.uniform(*ends)
    return int(np.clip(np.round(value), dimension.low, dimension.high)) if half else float(value)


class Drawn(NamedTuple):
    """What scikit-learn draws from."""

    rvs: object


def scikit_learn_halving(x, y, folds, space, num_candidates, epochs, seed, report, factor=3):
    """HalvingRandomSearchCV from epochs // factor**2 epochs on; a rung trains anew and is reported when it ends.

    The last rung has all epochs if they are a multiple of factor**2; otherwise its best candidate is trained once more.
    """
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV, PredefinedSplit

    class Reported(HalvingRandomSearchCV):
        def _run_search(self, evaluate_candidates, callback_ctx):
            def evaluate(*args, **kwargs):
                found = evaluate_candidates(*args, **kwargs)
                for index in np.flatnonzero(np.array(found["iter"]) == found["iter"][-1]):
                    report(as_loss(y, found["mean_test_score"][index]), int(found["n_resources"][index]))
                return found

            super()._run_search(evaluate, callback_ctx=callback_ctx)

    pipeline, named, resource = scikit_learn_network(y, folds, seed)

    def one(name):  # of a whole configuration, because layers and width are one parameter of scikit-learn
        return lambda random_state: named({part: draw(space[part], random_state) for part in space})[name]

    names = named({part: draw(space[part], np.random.RandomState(seed)) for part in space})
    budgets = {"resource": resource, "max_resources": epochs, "min_resources": max(1, epochs // factor**2)}
    options = {"cv": PredefinedSplit(folds), "scoring": scoring(y), "random_state": seed, "refit": False}
    draws = {name: Drawn(one(name)) for name in names}
    search = Reported(pipeline, draws, n_candidates=num_candidates, factor=factor, n_jobs=JOBS, **budgets, **options)
    with warnings.catch_warnings():
        expect_warnings()
        search.fit(x, y)
        if search.cv_results_["n_resources"][-1] < epochs:
            best = pipeline.set_params(**search.best_params_ | {resource: epochs})
            report(cross_validation(best, x, y, folds, JOBS), epochs)


PEERS = {
    "Optuna random, scikit-learn": optuna_scikit_learn("RandomSampler"),
    "Optuna TPE, scikit-learn": optuna_scikit_learn("TPESampler"),
    "Optuna random, JAX": optuna_jax("RandomSampler"),
    "Optuna TPE, JAX": optuna_jax("TPESampler"),
    "scikit-learn halving": scikit_learn_halving,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--arrays")
    parser.add_argument("--began", type=float, default=time.time())
    for name, value in {"candidates": 8, "epochs": 30, "folds": 5, "seed": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    if options.arrays:
        with np.load(options.arrays) as arrays:
            x, y, folds = (arrays[name] for name in ("x", "y", "folds"))
    else:
        import training_data

        x, y = training_data.load(options.data)
        folds = training_data.folds(y, options.folds, options.seed)

    def report(loss, epochs):
        line = json.dumps({"seconds": round(time.time() - options.began, 3), "loss": loss, "epochs": epochs})
        print(f"{line}\n", end="", flush=True)  # in one piece, since two threads report

    PEERS[options.peer](x, y, folds, SPACE, options.candidates, options.epochs, options.seed, report)


if __name__ == "__main__":
    main()
