"""Black-box suites that others wrote (package coco-experiment), and how a strategy or a peer is run on them."""

import contextlib
import functools
import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import cocoex
import jax
import numpy as np
from peers import SpentError
from recorder import TARGETS, Recorder, command, interval, measure

import jaxsearch as js
from jaxsearch.strategies import registry

FUNCTIONS, READ_OUTS, BUDGET = range(1, 25), (10, 100, 1000), 1000
CURVE = [round(10 ** (exponent / 10), 3) for exponent in range(31)]  # evaluations per dimension


class Suite(NamedTuple):
    """Problems of one dimension, instance by instance of each function.

    problems: each from points `[n, D]` to losses `[n]`. minima: their minima, which only the recorder sees.
    points: from the unit cube to points. smooth: whether there are gradients.
    """

    problems: list[Callable]
    minima: np.ndarray
    domain: js.Domain
    points: Callable[[np.ndarray], np.ndarray]
    smooth: bool = False


def bbob(dimension: int, instances: int) -> Suite:
    chosen = [cocoex.BareProblem("bbob", f, dimension, i) for f in FUNCTIONS for i in range(1, instances + 1)]
    minima = np.array([problem.best_value() for problem in chosen])
    domain = js.Domain((0,) * dimension, (True,) * dimension)
    return Suite(chosen, minima, domain, lambda x: 10 * x - 5, smooth=True)


def mixint_cells(dimension: int) -> np.ndarray:
    """The number of values of every coordinate of bbob-mixint, counted from 0; 0 where it is a real in [-5, 5]."""
    return np.repeat([2, 4, 8, 16, 0], dimension // 5)


def bbob_mixint(dimension: int, instances: int) -> Suite:
    suite = cocoex.Suite("bbob-mixint", f"instances:1-{instances}", f"dimensions:{dimension} function_indices:1-24")
    problems = [suite.get_problem(name) for name in sorted(suite.ids())]
    cells = mixint_cells(dimension)

    def points(x):
        return np.where(cells > 0, np.minimum(np.floor(x * cells), cells - 1), 10 * x - 5)

    def rows(problem, x):
        return np.array([problem(row) for row in x])

    domain = js.Domain(tuple(cells.tolist()), (True,) * dimension)
    return Suite([functools.partial(rows, one) for one in problems], _minima(suite, instances), domain, points)


def _minima(suite: cocoex.Suite, instances: int) -> np.ndarray:
    """The minima of bbob-mixint, which the package only writes into the header of its log files."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        observer = cocoex.Observer("bbob-mixint", "result_folder: minima")
        for problem in suite:
            dimension = problem.dimension
            problem.observe_with(observer)
            problem(problem.initial_solution)
            problem.free()
        logs = [Path(observer.result_folder) / f"data_f{f}" / f"bbobexp_f{f}_DIM{dimension}.dat" for f in FUNCTIONS]
        found = [re.findall(r"Fopt \(([^)]+)\)", log.read_text()) for log in logs]
    assert all(len(values) == instances for values in found), "one header per instance"
    return np.array(found, float).reshape(-1)


def under_vmap(strategy, domain) -> tuple[Callable, Callable]:
    """Compiled `start(keys)` and `step(keys, generation, states, x, loss, grad)`, over runs; both ask at their end."""

    @functools.partial(jax.jit, donate_argnums=2)
    def step(keys, generation, states, x, loss, grad=None):
        def one(key, state, x, loss, grad):
            state = strategy.tell(state, js.Candidates(x), js.Results(loss, grad))
            return strategy.ask(jax.random.fold_in(key, generation), state)

        return jax.vmap(one)(keys, states, x, loss, grad)

    @jax.jit
    @jax.vmap
    def start(key):
        return strategy.ask(jax.random.fold_in(key, 0), strategy.init(key, domain))

    return start, step


def ours(strategy, suite: Suite, seed: int = 0) -> Recorder:
    """All runs of one strategy, `ask` and `tell` under `vmap` over the problems."""
    recorder, domain = Recorder(len(suite.problems)), suite.domain
    keys = jax.random.split(jax.random.key(seed), len(suite.problems))
    start, step = under_vmap(strategy, domain)
    candidates, states = start(keys)
    generation = 0
    while recorder.count[0] < BUDGET * domain.size:
        x = np.asarray(candidates.x)
        points = suite.points(x)
        loss = np.empty(x.shape[:2])
        for run, problem in enumerate(suite.problems):
            loss[run] = problem(points[run])
            recorder.add(run, loss[run] - suite.minima[run])
        generation += 1
        candidates, states = step(keys, generation, states, x, loss)
    return recorder


def shrinking(suite: Suite) -> Recorder:
    """DE that is told how many generations the budget allows; it ends with them, so there is no `Restart`."""
    size = len(jax.eval_shape(lambda key: js.DE().init(key, suite.domain).weight, jax.random.key(0)))
    return ours(js.DE(num_generations=BUDGET * suite.domain.size / size), suite)


def theirs(peer, suite: Suite) -> Recorder:
    """All runs of a peer, one after the other."""
    recorder, dimension = Recorder(len(suite.problems)), suite.domain.size
    for run, problem in enumerate(suite.problems):

        def f(x, run=run, problem=problem):
            values = np.asarray(problem(np.ascontiguousarray(x, float)))
            recorder.add(run, values[: BUDGET * dimension - recorder.count[run]] - suite.minima[run])
            if recorder.count[run] >= BUDGET * dimension:
                raise SpentError
            return values

        with contextlib.suppress(SpentError):
            peer(f, dimension, run)
    return recorder


def summary(recorder: Recorder, dimension: int) -> dict:
    """Shares of solved (function, target) pairs, and how many targets each run met `[functions][instances]`."""
    met = recorder.met(BUDGET * dimension).reshape(len(FUNCTIONS), -1)

    def share(budget: float) -> float:
        return round(float(recorder.met(budget * dimension).mean() / len(TARGETS)), 4)

    return {
        "shares": {str(budget): share(budget) for budget in READ_OUTS},
        "interval": [round(bound, 4) for bound in interval(met.mean(axis=0) / len(TARGETS))],
        "curve": [share(budget) for budget in CURVE],
        "met": met.tolist(),
        "instances": met.shape[1],
    }


def main(doc: str, make: Callable, skipped: Iterable[str], peers: dict, packages: Iterable[str], path: Path) -> None:
    """The command of a benchmark: every strategy but the `skipped` and every peer, on every dimension."""
    parser = command(doc, path)
    parser.add_argument("--instances", type=int, default=15)
    parser.add_argument("--dimensions", type=int, nargs="+", default=[5, 10, 20])
    options = parser.parse_args()
    jax.config.update("jax_enable_x64", True)

    def method(run, dimension):
        return summary(run(make(int(dimension), options.instances)), int(dimension))

    # The name of a row is what its user writes, inside of `Restart`.
    strategies = {cls.__name__: cls() for name, cls in registry.items() if name not in skipped}
    if bare := strategies.pop("GradientSearch", None):
        strategies["FiniteDifferences(GradientSearch)"] = js.FiniteDifferences(bare)
        strategies["FiniteDifferences(GradientSearch), step=1.5e-8"] = js.FiniteDifferences(bare, step=1.5e-8)
    own = {name: functools.partial(ours, js.Restart(strategy)) for name, strategy in strategies.items()}
    own["DE, num_generations known"] = shrinking
    runs = own | {name: functools.partial(theirs, peer) for name, peer in peers.items()}
    methods = {name: functools.partial(method, run) for name, run in runs.items()}
    settings = {"targets": len(TARGETS), "budgets": CURVE}
    measure(options, settings, ("coco-experiment", *packages), methods, [str(d) for d in options.dimensions])
