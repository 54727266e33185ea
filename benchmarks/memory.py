"""How much memory does a search need, beside one array of its population?

    python benchmarks/memory.py [--populations 64 ...] [--dimensions 1 ...] [--rounds 3] [--largest [--room 24]]

analysis: what the compiler sets aside for a search of the sphere (`jaxsearch.memory`), for every strategy, and how many
arrays of N x D 32-bit numbers that is. measured: by how much the resident set of a fresh process really grew, at its
peak, beside what the compiler said. largest: the population of 1,000 coordinates that fits in `room` GB, the process
included, found by the analysis and then run once. `--largest` runs this part only, and the others stay as they are.

The resident set is read from /proc, which only Linux has.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import jax
from recorder import about
from timing import command, load, rounded, save, spread

import jaxsearch as js
from jaxsearch.problems.functions import sphere
from jaxsearch.strategies import registry

POPULATIONS = (64, 256, 1024, 4096, 16384, 65536)
DIMENSIONS = (1, 4, 16, 64, 256, 1024)
MEASURED = {"RandomSearch": (65536, 256), "PSO": (65536, 256), "GA": (65536, 256), "DE": (65536, 256)}
MEASURED |= {"CMAES": (4096, 1024), "SepCMAES": (65536, 256)}
LARGEST, COORDINATES, GENERATIONS = ("RandomSearch", "PSO", "DE"), 1000, 10
SAMPLE = 10**5  # points from which the bytes of one more are known: beyond, the peak is proportional to the population
GB, ITEMSIZE = 1e9, 4
STRATEGIES = {strategy.__name__: strategy for strategy in registry.values()}


def arguments(strategy: str, population: int, dimension: int) -> tuple:
    """What `minimize` and `memory` take; only GradientSearch asks for gradients, which need memory too."""
    evaluator = js.Vectorized(lambda key, x: sphere(x), gradients=strategy == "GradientSearch")
    return evaluator, js.Float(-5, 5, shape=(dimension,)), STRATEGIES[strategy](population_size=population)


def analysis(options: argparse.Namespace) -> dict:
    """Bytes at the peak, and how many times the population they are, by strategy, N and D."""
    found = {}
    for name in STRATEGIES:
        for population in options.populations:
            for dimension in options.dimensions:
                needed = js.memory(*arguments(name, population, dimension))
                size = population * dimension * ITEMSIZE
                row = {"state": needed.state, "peak": needed.peak, "populations": rounded(needed.peak / size)}
                found.setdefault(name, {})[f"{population}x{dimension}"] = row
        print(name, list(found[name].values())[-1], flush=True)
    return found


def resident(field: str) -> int:
    """Bytes of this process in memory: VmRSS now, VmHWM at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def run(strategy: str, population: int, dimension: int, generations: int) -> dict:
    """Runs a search in this process, which should be a fresh one, and says what it took."""
    compiled = jax.jit(
        lambda key: js.minimize(*arguments(strategy, population, dimension), key=key, num_generations=generations)
    )
    key = jax.random.key(0)
    # Compiled apart, and what that took forgotten: the compiler's own peak may be higher than that of a small search.
    compiled = compiled.lower(key).compile()
    Path("/proc/self/clear_refs").write_text("5")
    before, start = resident("VmRSS"), time.perf_counter()
    loss = jax.block_until_ready(compiled(key)).loss
    seconds = time.perf_counter() - start
    return {
        "grown": resident("VmHWM") - before,
        "process": resident("VmHWM"),
        "said": js.memory(*arguments(strategy, population, dimension), num_generations=generations).peak,
        "seconds_per_generation": rounded(seconds / generations),
        "loss": rounded(float(loss)),
    }


def run_largest(strategy: str, room: float) -> dict:
    """Runs the largest population, in thousands, that fits beside what this process already takes.

    Beyond 2^32 numbers draws are those of `jax.random`, whose counters take several times the population.
    """
    per_point = js.memory(*arguments(strategy, SAMPLE, COORDINATES)).peak / SAMPLE
    population = min(int((room * GB - resident("VmRSS")) // per_point), 2**32 // COORDINATES) // 1000 * 1000
    return {"population": population, **run(strategy, population, COORDINATES, GENERATIONS)}


def in_a_fresh_process(function: str, *values: str | float) -> dict:
    """What a function of this script returns in a process that has done nothing else."""
    child = [sys.executable, __file__, "--child", json.dumps([function, *values])]
    return json.loads(subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measured(options: argparse.Namespace) -> dict:
    """Growth of the resident set, beside what the compiler said."""
    found = {}
    for name, (population, dimension) in MEASURED.items():
        population = min(population, max(options.populations))
        dimension = min(dimension, max(options.dimensions))
        rows = [in_a_fresh_process("run", name, population, dimension, GENERATIONS) for _ in range(options.rounds)]
        ratio = spread([row["grown"] / row["said"] for row in rows])
        grown = spread([float(row["grown"]) for row in rows])
        found[name] = {"size": f"{population}x{dimension}", "said": rows[0]["said"], "grown": grown, "ratio": ratio}
        print(name, found[name], flush=True)
    return found


def largest(options: argparse.Namespace) -> dict:
    """The largest populations, run; raises ValueError where the machine has less memory than that."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    free = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / GB
    if options.room > free:  # Linux would end the process without a word, and perhaps others
        raise ValueError(f"room must be free memory, {free:.1f} GB; got {options.room}. Try --room {int(free) - 1}.")
    found = {}
    for name in LARGEST:
        found[name] = in_a_fresh_process("run_largest", name, options.room)
        print(name, found[name], flush=True)
    return {"room": options.room, "coordinates": COORDINATES, "generations": GENERATIONS, "strategies": found}


PARTS = {"analysis": analysis, "measured": measured, "largest": largest}


def main() -> None:
    parser = command(__doc__, "memory")
    parser.set_defaults(rounds=3)  # processes, whose memory hardly differs
    parser.add_argument("--populations", nargs="+", type=int, default=POPULATIONS)
    parser.add_argument("--dimensions", nargs="+", type=int, default=DIMENSIONS)
    parser.add_argument("--largest", action="store_true", help="needs minutes and the memory")
    parser.add_argument("--room", type=float, default=24.0, help="GB")
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        function, *values = options.child
        print(json.dumps({"run": run, "run_largest": run_largest}[function](*values)))
        return
    result = {name: found for name, found in load(options.result).items() if name in PARTS}
    for name in ["largest"] if options.largest else ["analysis", "measured"]:
        result[name] = {"about": about(), "found": PARTS[name](options)}
        save(options.result, result)


if __name__ == "__main__":
    main()
