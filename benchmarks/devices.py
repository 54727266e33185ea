"""How are all cores of a CPU put to work on one search, and what do simulated devices cost?

    python benchmarks/devices.py [--sizes 16384x32 ...] [--rounds 9] [--sides "2 devices" ...] [--work 22]

Milliseconds per generation of one search on 1, 2, 4 and 8 devices of one CPU (`jax_num_cpu_devices`, `Sharded`) and in
two processes of one device each (gloo). Beside them the same search without `Sharded` on one device, with all cores and
held to one core: the two differ by what XLA's own threads gain. `cores` is processor time over wall-clock time, so how
many cores were busy. The sphere costs next to nothing, so that the strategy is timed; the costly objective takes 200
sines a coordinate, so that the evaluation is.

The number of devices is fixed when JAX starts, so every side is a process (or two), and they take turns: a side whose
turn it is not waits for its standard input. More devices than cores share them. The speedup is that of medians, over
one device with all cores and without `Sharded`.
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from timing import command, in_turns, rounded, save

import jaxsearch as js
from jaxsearch.problems.functions import sphere

STRATEGIES = {strategy.__name__: strategy for strategy in (js.RandomSearch, js.PSO, js.GA, js.DE, js.CMAES)}
SIZES = ("1024x32", "16384x32", "4096x256")
SINES = 200
LIMIT = 300  # seconds of a turn


class Setting(NamedTuple):
    """How the processes of a side are set up."""

    devices: int  # in each process
    sharded: bool = True
    processes: int = 1
    one_core: bool = False


BASELINE = "1 device, not sharded"
SIDES = {
    "1 device, one core": Setting(1, sharded=False, one_core=True),
    BASELINE: Setting(1, sharded=False),
    **{f"{count} device{'s' * (count > 1)}": Setting(count) for count in (1, 2, 4, 8)},
    "2 processes": Setting(1, processes=2),
}


def costly(x: jax.Array) -> jax.Array:
    """An objective that costs arithmetic and no memory."""
    return sphere(jax.lax.fori_loop(0, SINES, lambda _, y: y + 0.1 * jnp.sin(y), x))


OBJECTIVES = {"sphere": sphere, "costly": costly}


def serve(setting: Setting, process: int, address: str) -> None:
    """A process of a side: runs the case on every line of its input, and answers with what that took."""
    if setting.one_core:  # before JAX makes its threads
        os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
    jax.config.update("jax_num_cpu_devices", setting.devices)
    if setting.processes > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(address, setting.processes, process)
    print(json.dumps({"devices": jax.device_count()}), flush=True)
    for line in sys.stdin:
        strategy, objective, size, dimension, generations = json.loads(line)
        spent = time.process_time()
        loss = float(search(strategy, objective, size, dimension, generations, setting.sharded)(jax.random.key(0)))
        print(json.dumps({"loss": loss, "spent": time.process_time() - spent}), flush=True)


_programs = {}


def search(*case) -> Callable:
    """The compiled search of a case, which compiles at its first call only."""
    strategy, objective, size, dimension, generations, sharded = case

    def run(key):
        evaluator = js.Vectorized(lambda key, x: OBJECTIVES[objective](x))
        evaluator = js.Sharded(evaluator) if sharded else evaluator
        space = js.Float(-5, 5, shape=(dimension,))
        chosen = STRATEGIES[strategy](population_size=size)
        return js.minimize(evaluator, space, chosen, key=key, num_generations=generations).loss

    return _programs.setdefault(case, jax.jit(run))


class Side:
    """The processes of a side, which run a case when it is called with one."""

    def __init__(self, setting: Setting, stack: contextlib.ExitStack):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            address = f"localhost:{free.getsockname()[1]}"
        self.processes = []
        for process in range(setting.processes):
            child = [sys.executable, __file__, "--child", json.dumps([setting, process, address])]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self.processes.append(stack.enter_context(subprocess.Popen(child, **pipes)))
            stack.callback(self.processes[-1].kill)  # called before the wait at the end of Popen's context
        self.devices = self.read("start")[0]["devices"]  # so that no turn waits for imports
        self.answers = []

    def __call__(self, case: tuple) -> None:
        for process in self.processes:
            process.stdin.write(json.dumps(case) + "\n")
            process.stdin.flush()
        self.answers.append(self.read(f"case {case}"))

    def read(self, task: str) -> list[dict]:
        """The next answer of every process."""
        # A process whose partner is gone waits for ever.
        deadline = threading.Timer(LIMIT, lambda: [process.kill() for process in self.processes])
        deadline.start()
        # Gloo writes to the standard output too.
        lines = [next((line for line in process.stdout if line.startswith("{")), None) for process in self.processes]
        deadline.cancel()
        if None in lines:
            raise RuntimeError(f"A process ended, or took over {LIMIT} s, in the {task}; see its words above.")
        return [json.loads(line) for line in lines]


def measure(sides: dict[str, Side], case: tuple, rounds: int) -> dict:
    """Times of a case on all sides, in milliseconds per generation."""
    generations = case[-1]
    for side in sides.values():
        side.answers.clear()
    calls = {name: lambda side=side: side(case) for name, side in sides.items()}
    found = in_turns(calls, rounds, generations * 1e-3)
    for name, side in sides.items():
        spent = [sum(one["spent"] for one in answers) for answers in side.answers[1:]]  # the first compiles
        found[name]["cores"] = rounded(statistics.median(spent) / (found[name]["median"] * generations * 1e-3))
        found[name]["loss"] = rounded(side.answers[0][0]["loss"])
        found[name]["devices"] = side.devices
        if BASELINE in sides:
            found[name]["speedup"] = rounded(found[BASELINE]["median"] / found[name]["median"])
    return found


def cases(options: argparse.Namespace) -> dict[str, tuple]:
    """The names of all cases, and what they run; about as many coordinates each."""
    found = {}
    for size in options.sizes:
        population, dimension = map(int, size.split("x"))
        for objective in OBJECTIVES:
            work = 2**options.work // (SINES // 10 if objective == "costly" else 1)
            generations = max(4, work // (population * dimension))
            for strategy in options.strategies:
                found[f"{strategy}, {objective}, {size}"] = (strategy, objective, population, dimension, generations)
    return found


def main() -> None:
    parser = command(__doc__, "devices")
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="N x D")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=SIDES)
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=STRATEGIES)
    parser.add_argument("--work", type=int, default=22, help="log2 of the coordinates drawn in a turn")
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        setting, *rest = options.child
        serve(Setting(*setting), *rest)
        return
    result = {"rounds": options.rounds, "cases": {}}
    with contextlib.ExitStack() as stack:
        sides = {name: Side(SIDES[name], stack) for name in options.sides}
        for name, case in cases(options).items():
            result["cases"][name] = {"generations": case[-1], "sides": measure(sides, case, options.rounds)}
            save(options.result, result)
            print(name, {side: found["median"] for side, found in result["cases"][name]["sides"].items()}, flush=True)


if __name__ == "__main__":
    main()
