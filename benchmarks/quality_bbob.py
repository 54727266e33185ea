"""Which share of the bbob targets does each strategy meet per evaluation, beside other libraries?

    python benchmarks/quality_bbob.py [--instances 15] [--dimensions 5 10 20] [--only NAME ...]

24 functions (package coco-experiment), targets f - f_opt = 10^2 ... 10^-8, 1000 D evaluations, every row of a
population counted, in 64 bits. Our strategies run with their defaults inside `Restart` and see nothing but losses; a
gradient is made of D forward differences, all counted. Writes results/quality_bbob.json after every method; a method
that is there already for the same instances is not run again.
"""

import argparse
import contextlib
import functools
import json
from pathlib import Path

import cocoex
import jax
import numpy as np
from peers import PEERS, SpentError
from recorder import Recorder, about, interval

import jaxsearch as js
from jaxsearch.strategies import registry

RESULT = Path(__file__).parent / "results" / "quality_bbob.json"
FUNCTIONS, READ_OUTS, BUDGET = range(1, 25), (10, 100, 1000), 1000


def problems(dimension: int, instances: int) -> tuple[list, np.ndarray]:
    """The functions to minimize, and their minima, which only the recorder sees."""
    chosen = [cocoex.BareProblem("bbob", f, dimension, i) for f in FUNCTIONS for i in range(1, instances + 1)]
    return chosen, np.array([problem.best_value() for problem in chosen])


def differences(problem, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All losses `[P * (D + 1)]` in the order of evaluation, and forward-difference gradients `[P, D]`."""
    step = 1.5e-8 * np.maximum(1, np.abs(x))
    step = np.where(x + step > 5, -step, step)
    shifted = np.concatenate([x[:, None], x[:, None] + np.eye(x.shape[1])[None] * step[:, None]], axis=1)
    values = np.asarray(problem(np.ascontiguousarray(shifted.reshape(-1, x.shape[1])))).reshape(len(x), -1)
    return values.reshape(-1), (values[:, 1:] - values[:, :1]) / step


def ours(strategy, dimension: int, instances: int, seed: int = 0) -> Recorder:
    """All runs of one strategy, `ask` and `tell` under `vmap` over the problems."""
    chosen, minima = problems(dimension, instances)
    recorder, domain = Recorder(len(chosen)), js.Domain((0,) * dimension, (True,) * dimension)
    keys = jax.random.split(jax.random.key(seed), len(chosen))
    graded = isinstance(getattr(strategy, "strategy", strategy), js.GradientSearch)

    @functools.partial(jax.jit, donate_argnums=2)
    def step(keys, generation, states, x, loss, grad):
        def one(key, state, x, loss, grad):
            state = strategy.tell(state, js.Candidates(x), js.Results(loss, grad))
            return strategy.ask(jax.random.fold_in(key, generation), state)

        return jax.vmap(one)(keys, states, x, loss, grad)

    states = jax.vmap(lambda key: strategy.init(key, domain))(keys)
    candidates, states = jax.jit(jax.vmap(lambda key, state: strategy.ask(jax.random.fold_in(key, 0), state)))(
        keys, states
    )
    generation = 0
    while recorder.count[0] < BUDGET * dimension:
        x = np.asarray(candidates.x)
        loss, grad = np.empty(x.shape[:2]), np.empty(x.shape) if graded else None
        for run, problem in enumerate(chosen):
            points = 10 * x[run] - 5
            if graded:
                values, slopes = differences(problem, points)
                loss[run], grad[run] = values.reshape(len(points), -1)[:, 0], 10 * slopes
            else:
                values = loss[run] = problem(points)
            recorder.add(run, values - minima[run])
        generation += 1
        candidates, states = step(keys, generation, states, x, loss, grad)
    return recorder


def theirs(peer, dimension: int, instances: int) -> Recorder:
    """All runs of a peer, one after the other."""
    chosen, minima = problems(dimension, instances)
    recorder = Recorder(len(chosen))
    for run, problem in enumerate(chosen):

        def f(x, run=run, problem=problem):
            values = np.asarray(problem(np.ascontiguousarray(x, float)))
            recorder.add(run, values[: BUDGET * dimension - recorder.count[run]] - minima[run])
            if recorder.count[run] >= BUDGET * dimension:
                raise SpentError
            return values

        with contextlib.suppress(SpentError):
            peer(f, dimension, run)
    return recorder


def methods() -> dict:
    """Every method under its name: ours first."""
    own = {make.__name__: functools.partial(ours, js.Restart(make())) for make in registry.values()}
    return own | {name: functools.partial(theirs, peer) for name, peer in PEERS.items()}


def summary(recorder: Recorder, dimension: int) -> dict:
    """Shares of solved (function, target) pairs at the read-outs, the curve between, and each function's share."""
    final = recorder.shares(BUDGET * dimension)
    budgets = np.unique(np.round(np.logspace(0, np.log10(BUDGET), 31), 3))
    return {
        "shares": {str(b): round(float(recorder.shares(b * dimension).mean()), 4) for b in READ_OUTS},
        "interval": interval(final, len(FUNCTIONS)),
        "curve": [[float(b), round(float(recorder.shares(b * dimension).mean()), 4)] for b in budgets],
        "functions": [round(float(share), 3) for share in final.reshape(len(FUNCTIONS), -1).mean(axis=1)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=15)
    parser.add_argument("--dimensions", type=int, nargs="+", default=[5, 10, 20])
    parser.add_argument("--only", nargs="+", default=None, help="names of methods; they are run anew")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    packages = ("coco-experiment", "cma", "scipy", "pymoo", "minionpy")
    result = {"about": about(*packages), "instances": options.instances, "methods": {}}
    if options.result.exists():
        before = json.loads(options.result.read_text())
        if before["instances"] == options.instances:
            result["methods"] = before["methods"]
    for name, method in methods().items():
        if options.only is not None and name not in options.only:
            continue
        for dimension in options.dimensions:
            known = result["methods"].setdefault(name, {})
            if options.only is None and str(dimension) in known:
                continue
            known[str(dimension)] = summary(method(dimension, options.instances), dimension)
            print(f"{name:30s} {dimension:3d}-D {known[str(dimension)]['shares']}", flush=True)
            options.result.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
