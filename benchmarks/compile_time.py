"""How long does the first search take in a process, what of it is compiling, and does the next one compile anything?

    python benchmarks/compile_time.py [--rounds 3] [--strategies PSO ...]

Every strategy of the registry with its defaults, on the sphere in 10-D, in fresh processes. first: the whole call of
`minimize`, wall-clock. trace, lower and compile: what of it JAX says that it spent on the program of the search
(`jax.monitoring`, events of `_minimize`). compilations: programs that XLA compiled, also those of single operations;
one that was read from the persistent cache is none. next: another call in the same process, with another seed, other
bounds and other hyperparameters.

cold: with an empty persistent cache, which is then filled; cached: with that cache, in another process. The time to
import is not in it. evosax: the same of its algorithm of that kind, with as many points and generations, a `scan` in
one `jit` (against_evosax.py), cold. Strategies that are not asked for stay as they are.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import jax
from against_evosax import PAIRS, theirs
from recorder import about
from timing import command, load, rounded, save, spread

import jaxsearch as js
from jaxsearch.problems.functions import sphere
from jaxsearch.runners.generation import population_size
from jaxsearch.strategies import registry

DIMENSION, GENERATIONS = 10, 100
STRATEGIES = {strategy.__name__: strategy for strategy in registry.values()}
PEERS = {name: peer for name, (_, peer) in PAIRS.items() if name in STRATEGIES}
STAGES = {"jaxpr_trace": "trace", "jaxpr_to_mlir_module": "lower", "backend_compile": "compile"}
COUNTS = ("compilations", "next_compilations")


class Watch:
    """Hears what JAX says of compiling, from its making on."""

    def __init__(self):
        self.spent, self.cached = [], 0  # (stage, program, seconds); programs read from the persistent cache
        jax.monitoring.register_event_duration_secs_listener(self.timed)
        jax.monitoring.register_event_listener(self.happened)

    def timed(self, event: str, duration: float, fun_name: str = "", **_) -> None:
        stage = STAGES.get(event.split("/")[-1].removesuffix("_duration"))
        self.spent.append((stage, fun_name.removeprefix("jit(").removesuffix(")"), duration))

    def happened(self, event: str, **_) -> None:
        self.cached += event.endswith("cache_hits")

    def call(self, call: Callable, program: str) -> dict:
        """The seconds of a call, those of the stages of `program`, and the number of compilations of any."""
        self.spent, self.cached = [], 0
        start = time.perf_counter()
        jax.block_until_ready(call())
        found = {"first": time.perf_counter() - start}
        for wanted in STAGES.values():
            found[wanted] = sum(took for stage, name, took in self.spent if (stage, name) == (wanted, program))
        return found | {"compilations": sum(stage == "compile" for stage, *_ in self.spent) - self.cached}


def run_ours(name: str) -> dict:
    """The first and the next search of this process, which should be a fresh one."""
    keys = [jax.random.key(seed) for seed in range(2)]
    evaluator = js.Vectorized(lambda key, x: sphere(x), gradients=name == "GradientSearch")
    strategy = STRATEGIES[name]()
    other = jax.tree.map(lambda hyperparameter: 0.9 * hyperparameter, strategy)

    def search(key, strategy, low, high):
        space = js.Float(low, high, shape=(DIMENSION,))
        return js.minimize(evaluator, space, strategy, key=key, num_generations=GENERATIONS)

    watch = Watch()
    first = watch.call(lambda: search(keys[0], strategy, -5.0, 5.0), "_minimize")
    following = watch.call(lambda: search(keys[1], other, -2.0, 3.5), "_minimize")
    return first | {"next": following["first"], "next_compilations": following["compilations"]}


def run_theirs(name: str) -> dict:
    """The first search of evosax in this process, which should be a fresh one."""
    strategy, key = STRATEGIES[name](), jax.random.key(0)
    domain = js.domain(js.Float(-5.0, 5.0, shape=(DIMENSION,)))
    state = jax.eval_shape(lambda key: strategy.init(key, domain), key)
    run = theirs(PEERS[name], population_size(strategy, state, key), DIMENSION, GENERATIONS)
    return Watch().call(run, "run")


def in_a_fresh_process(function: str, name: str, cache: str) -> dict:
    """What a function of this script returns in a process that has done nothing else."""
    everything = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": cache} | everything
    child = [sys.executable, __file__, "--child", json.dumps([function, name])]
    return json.loads(subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout)


def measure(name: str, rounds: int) -> dict:
    """All sides of a strategy in turns: medians and quartiles in seconds, and the most compilations."""
    sides = {"cold": [], "cached": []} | ({"evosax": []} if name in PEERS else {})
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            sides["cold"].append(in_a_fresh_process("run_ours", name, cache))
            sides["cached"].append(in_a_fresh_process("run_ours", name, cache))
        if name in PEERS:
            with tempfile.TemporaryDirectory() as cache:
                sides["evosax"].append(in_a_fresh_process("run_theirs", name, cache))

    def summary(runs: list[dict]) -> dict:
        columns = {part: [one[part] for one in runs] for part in runs[0]}
        return {part: max(column) if part in COUNTS else spread(column) for part, column in columns.items()}

    found = {side: summary(runs) for side, runs in sides.items()}
    if name in PEERS:
        found["ratio"] = rounded(found["evosax"]["first"]["median"] / found["cold"]["first"]["median"])
    return found


def main() -> None:
    parser = command(__doc__, "compile_time")
    parser.set_defaults(rounds=3)  # of three processes each
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=STRATEGIES)
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        function, name = options.child
        print(json.dumps({"run_ours": run_ours, "run_theirs": run_theirs}[function](name)))
        return
    known = load(options.result).get("strategies", {})
    for name in options.strategies:
        known[name] = {"about": about("evosax"), "rounds": options.rounds, **measure(name, options.rounds)}
        save(options.result, {"dimension": DIMENSION, "generations": GENERATIONS, "strategies": known}, ("evosax",))
        print(name, known[name], flush=True)


if __name__ == "__main__":
    main()
