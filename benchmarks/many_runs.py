"""What do many independent runs in one compiled program cost, beside a Python loop over runs of other libraries?

    python benchmarks/many_runs.py [--rounds 9] [--counts 1 64 ...] [--batch 256] [--repeats 500] [--parts runs ...]

runs: Rastrigin in 10-D, a population of 40, 100 generations, under `vmap`. Peers evaluate as many points, a population
at a time, in 64 bits; their run is timed from its first line to its last evaluation. target: what stopping at a target
costs a batch, which runs as long as its slowest member and masks the others. tables: 500 repeats of 500 evaluations
on a table of trained networks, strategies inside `Restart` as in quality_tables.py, against studies of Optuna.

Peers are timed once a round, and a loop over n runs is taken to last n times as long: its runs share nothing.
"""

import contextlib
import functools
import itertools
import statistics
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optuna
import quality_tables
from peers import SpentError
from peers_numpy import PEERS
from recorder import about
from timing import command, in_turns, load, rounded, save

import jaxsearch as js
from jaxsearch.problems import tables
from jaxsearch.problems.functions import rastrigin, sphere

DIMENSION, POPULATION, GENERATIONS = 10, 40, 100
COUNTS = (1, 64, 1024, 4096)
STRATEGIES = {make.__name__: make(population_size=POPULATION) for make in (js.PSO, js.DE, js.GA, js.CMAES)}
PAIRS = {
    "PSO": ("pymoo PSO", "pyswarms GlobalBestPSO"),
    "DE": ("pymoo DE", "scipy DE"),
    "GA": ("pymoo GA",),
    "CMAES": ("pycma CMA-ES",),
}
TARGETS = {"sphere": (sphere, 1e-2), "rastrigin": (rastrigin, 10.0)}
LIMIT = 300  # generations of the runs with a target
TABLE = "nasbench201/cifar10"
ON_TABLES = {"GA": js.GA(), "GA, aging": js.GA(aging=True), "DE": js.DE(), "TPE": js.TPE()}
SAMPLERS = {"Optuna NSGA-II": optuna.samplers.NSGAIISampler, "Optuna TPE": optuna.samplers.TPESampler}


def batch(strategy, formula: Callable, generations: int, target: float | None = None) -> Callable:
    """The program of one run per key: parameters, loss and generations of each."""

    def one(key):
        box = js.Float(-5, 5, shape=(DIMENSION,))
        objective = lambda key, x: formula(x)  # noqa: E731
        result = js.minimize(objective, box, strategy, key=key, num_generations=generations, target=target)
        return result.params, result.loss, result.num_generations

    return jax.jit(jax.vmap(one))


def keys(count: int) -> jax.Array:
    return jax.random.split(jax.random.key(0), count)


def peer_run(peer: Callable, lowest: list[float]) -> Callable[[], None]:
    """One whole run of a peer, with another seed at every call; its lowest loss is appended."""
    seeds = itertools.count()

    def run():
        spent, best = 0, np.inf

        def f(x):
            nonlocal spent, best
            losses = np.sum(x * x + 10 * (1 - np.cos(2 * np.pi * x)), axis=1)
            spent, best = spent + len(x), min(best, losses.min())
            if spent >= POPULATION * GENERATIONS:
                raise SpentError
            return losses

        with contextlib.suppress(SpentError):
            peer(f, DIMENSION, POPULATION, next(seeds))
        lowest.append(float(best))

    return run


def runs(options) -> dict:
    """Seconds of every batch and of one run of every peer, and the ratios of seconds per run."""
    programs = {name: batch(strategy, rastrigin, GENERATIONS) for name, strategy in STRATEGIES.items()}
    cases = {(name, count): (programs[name], keys(count)) for name in programs for count in options.counts}
    lowest = {peer: [] for peers in PAIRS.values() for peer in peers}
    sides = {case: functools.partial(*call) for case, call in cases.items()}
    times = in_turns(sides | {peer: peer_run(PEERS[peer], lowest[peer]) for peer in lowest}, options.rounds)
    peers = {
        peer: {**times[peer], "loss": rounded(statistics.median(losses)), "timed_runs": options.rounds}
        for peer, losses in lowest.items()
    }
    ours = {name: {} for name in programs}
    for (name, count), (program, many) in cases.items():
        median = times[name, count]["median"]
        ours[name][count] = times[name, count] | {
            "per_run": rounded(median / count),
            "runs_per_second": rounded(count / median),
            "loss": rounded(float(jnp.median(program(many)[1]))),
            "ratios": {peer: rounded(peers[peer]["median"] * count / median) for peer in PAIRS[name]},
        }
    shape = {"dimension": DIMENSION, "population": POPULATION, "generations": GENERATIONS}
    return shape | {"ours": ours, "peers": peers}


def targets(options) -> dict:
    """A batch with a target beside the same without, and after how many generations its runs met it."""

    def measure(strategy, formula, target):
        many = keys(options.batch)
        stops, goes_on = batch(strategy, formula, LIMIT, target), batch(strategy, formula, LIMIT)
        times = in_turns({"with": lambda: stops(many), "without": lambda: goes_on(many)}, options.rounds)
        _, loss, generations = map(np.asarray, stops(many))
        per_generation = times["with"]["median"] / generations.max(), times["without"]["median"] / LIMIT
        return {
            "target": target,
            "seconds": times,
            "ratio": rounded(times["with"]["median"] / times["without"]["median"]),
            "met": float(np.mean(loss <= target)),
            "generations": np.quantile(generations, (0, 0.25, 0.5, 0.75, 1)).tolist(),
            "slowest_over_mean": rounded(float(generations.max() / generations.mean())),
            "cost_of_masking": rounded(per_generation[0] / per_generation[1]),
        }

    found = {
        problem: {name: measure(strategy, *case) for name, strategy in STRATEGIES.items()}
        for problem, case in TARGETS.items()
    }
    return {"batch": options.batch, "limit": LIMIT, "problems": found}


def on_tables(options) -> dict:
    """Seconds of all repeats in one program, and of a loop over as many studies."""
    space, objective, _ = tables.load(TABLE)
    many, domain = keys(options.repeats), js.domain(space)

    def program(strategy):
        candidates = jax.eval_shape(lambda key: strategy.ask(key, strategy.init(key, domain))[0], jax.random.key(0))
        generations = -(-quality_tables.BUDGET // len(candidates.x))

        def one(objective, key):
            return js.minimize(objective, space, strategy, key=key, num_generations=generations).loss

        return functools.partial(jax.jit(jax.vmap(one, in_axes=(None, 0))), objective, many)

    def study(sampler):
        trial_loss, seeds = quality_tables.optuna_objective(TABLE), itertools.count()

        def run():
            found = optuna.create_study(sampler=sampler(seed=next(seeds)))
            found.optimize(trial_loss, n_trials=quality_tables.BUDGET)

        return run

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sides = {name: program(js.Restart(strategy)) for name, strategy in ON_TABLES.items()}
    times = in_turns(sides | {name: study(sampler) for name, sampler in SAMPLERS.items()}, options.rounds)
    ours = {
        name: times[name]
        | {"ratios": {peer: rounded(times[peer]["median"] * len(many) / times[name]["median"]) for peer in SAMPLERS}}
        for name in sides
    }
    peers = {peer: times[peer] | {"timed_runs": options.rounds} for peer in SAMPLERS}
    shape = {"table": TABLE, "repeats": len(many), "evaluations": quality_tables.BUDGET}
    return shape | {"ours": ours, "peers": peers}


PARTS = {"runs": runs, "target": targets, "tables": on_tables}


def main() -> None:
    parser = command(__doc__, "many_runs")
    parser.add_argument("--counts", nargs="+", type=int, default=COUNTS, help="runs in one program")
    parser.add_argument("--batch", type=int, default=256, help="runs with a target")
    parser.add_argument("--repeats", type=int, default=500, help="on the table")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="the others stay as they are")
    options = parser.parse_args()
    result = {name: found for name, found in load(options.result).items() if name in PARTS}
    for name in options.parts:
        today = about("pymoo", "pyswarms", "scipy", "cma", "optuna")
        result[name] = {"about": today, "rounds": options.rounds, **PARTS[name](options)}
        save(options.result, result)
        print(name, "done", flush=True)


if __name__ == "__main__":
    main()
