"""What does a generation cost as the population and the dimension grow, beside the least that it could?

    python benchmarks/overhead.py [--rounds 9] [--populations 10 ...] [--dimensions 1 ...] [--strategies DE ...]

Microseconds per generation of `minimize` on the sphere, as a function of N with 10 coordinates and of D with 100
points; CMAES takes its own population along D. Beside it, in turns, the floor: a compiled loop that only reads and
writes the state once, makes the draws and evaluates the sphere. What comes before the first generation is shared among
all. growth: by how much more than tenfold the time grew per tenfold number of elements, at worst, between consecutive
sizes. Strategies that are not asked for stay as they are.
"""

import argparse
import functools
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
from against_evosax import ours, sphere
from recorder import about
from timing import command, in_turns, load, rounded, save, seconds

import jaxsearch as js
from jaxsearch.core import random
from jaxsearch.runners.generation import population_size

STRATEGIES = {make.__name__: make for make in (js.RandomSearch, js.PSO, js.GA, js.DE, js.SepCMAES, js.CMAES)}
POPULATIONS, DIMENSIONS = (10, 100, 1000, 10**4, 10**5, 10**6), (1, 10, 100, 1000, 10**4)
POPULATION, DIMENSION = 100, 10  # of the axis along which the other one grows
LARGEST = {"CMAES": 1000}  # coordinates
TURN, LEAST = 0.1, 16  # seconds of a call, and its generations: CMAES decomposes in every eighth with 1,000 coordinates
COUNTED = 1000  # elements; where there are fewer, a generation is all fixed costs
TARGET = 1.3  # growth over the linear one per decade
UNCHANGED = ("archive",)  # of which DE reads and writes but a few rows
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


class Draws(NamedTuple):
    """What a strategy draws in a generation of N points of D coordinates."""

    block: Callable | None = None  # of the key and [N, D]: the draws per coordinate, one block of Threefry each
    words: int = 0  # random words per point, one block each
    mask: bool = False  # a hash per coordinate


DRAWS = {
    "RandomSearch": Draws(random.uniform),
    "PSO": Draws(lambda key, shape: sum(random.uniforms(key, shape)), words=3 + 4, mask=True),  # 3 informants
    "GA": Draws(random.uniform, words=6, mask=True),
    "DE": Draws(words=8, mask=True),
    "SepCMAES": Draws(random.normal),
    "CMAES": Draws(random.normal),
}


def floor(shapes: list, draws: Draws, shape: tuple[int, int], generations: int) -> Callable:
    """A loop that does per generation the least that a strategy with such a state and such draws could do.

    It adds one to every array of the state, which is so read and written once; makes the draws, and adds them to the
    first arrays of the state that have their shapes, or to nothing that is stored; evaluates the sphere of `[N, D]`
    points; and keeps the lowest value. No order, no choice of points, no product of matrices, no eigendecomposition.
    """

    def stored(state: list, new: jax.Array) -> jax.Array:
        for place, leaf in enumerate(state):
            if (leaf.shape, leaf.dtype) == (new.shape, new.dtype):
                state[place] = leaf + new  # in the same pass as the one that adds one
                return state[place]
        return new

    def generation(carry, _):
        key, lowest, state = carry
        key, key_draws = jax.random.split(key)
        state = [~leaf if leaf.dtype == bool else leaf + 1 for leaf in state]
        points, count = jnp.zeros(shape), shape[0]
        if draws.block is not None:
            points += draws.block(key_draws, shape)
        if draws.mask:
            points += random.across(jax.random.key_data(key_draws)[0] + jnp.arange(count, dtype=jnp.uint32), shape[1])
        words = [random.bits(key_draws, (count,), points.size + row * count) for row in range(draws.words)]
        extra = stored(state, sum(map(random.unit, words), jnp.zeros(count)))
        lowest = jnp.minimum(lowest, jnp.min(sphere(stored(state, points)) + extra))
        return (key, lowest, state), None

    @jax.jit
    def run(key):
        start = key, jnp.inf, [jnp.zeros(leaf.shape, leaf.dtype) for leaf in shapes]
        return jax.lax.scan(generation, start, None, length=generations)[0][1:]

    return lambda: run(jax.random.key(0))


def fitting(make: Callable[[int], Callable], guess: int) -> int:
    """The generations of a call of about a tenth of a second, from the second call with `guess` of them."""
    call = make(guess)
    seconds(call)
    return max(LEAST, round(TURN / seconds(call) * guess))


def measure(name: str, strategy: js.Strategy, dimension: int, rounds: int) -> dict:
    """Both sides in turns, in microseconds per generation."""
    key, domain = jax.random.key(0), js.domain(js.Float(0.0, 1.0, shape=(dimension,)))
    state = jax.eval_shape(lambda key: strategy.init(key, domain), key)
    population = population_size(strategy, state, key)
    streamed = jax.tree.leaves([part for field, part in vars(state).items() if field not in UNCHANGED])
    elements = population * dimension + (dimension**2 if name == "CMAES" else 0)
    sides = {
        "ours": functools.partial(ours, strategy, dimension),
        "floor": functools.partial(floor, streamed, DRAWS[name], (population, dimension)),
    }
    counts = {side: fitting(make, max(LEAST, min(1000, 10**7 // elements))) for side, make in sides.items()}
    times = in_turns({side: make(counts[side]) for side, make in sides.items()}, rounds)
    found = {
        side: {number: rounded(times[side][number] / count * 1e6) for number in ("median", "low", "high")}
        for side, count in counts.items()
    }
    return {
        "population": population,
        "dimension": dimension,
        "elements": elements,
        "state": sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)),
        "generations": counts["ours"],
        **found,
        "ratio": rounded(found["ours"]["median"] / found["floor"]["median"]),
    }


def growth(rows: list[dict], caches: dict[str, int]) -> dict | None:
    """The largest growth over the linear one per decade of elements, between which rows, and the caches passed."""
    found = []
    for small, large in itertools.pairwise(rows):
        if small["elements"] >= COUNTED:
            decades = math.log10(large["elements"] / small["elements"])
            factor = (large["ours"]["median"] / small["ours"]["median"]) ** (1 / decades) / 10
            passed = [level for level, size in caches.items() if small["state"] <= size < large["state"]]
            found.append({"factor": rounded(factor), "rows": [rows.index(small), rows.index(large)], "passed": passed})
    return max(found, key=lambda one: one["factor"], default=None)


def caches() -> dict[str, int]:
    """Bytes of the second and the third level, where Linux says."""
    found = {}
    for index in sorted(CACHES.glob("index*")):
        level, size = ((index / name).read_text().strip() for name in ("level", "size"))
        if level in "23" and size.endswith("K"):
            found[f"L{level}"] = 1024 * int(size[:-1])
    return found


def axes(name: str, options: argparse.Namespace) -> dict[str, list[tuple]]:
    """The strategies and dimensions of both axes."""
    make, largest = STRATEGIES[name], LARGEST.get(name, math.inf)
    fixed = make() if name == "CMAES" else make(population_size=POPULATION)
    return {
        "population": [(make(population_size=population), DIMENSION) for population in options.populations],
        "dimension": [(fixed, dimension) for dimension in options.dimensions if dimension <= largest],
    }


def main() -> None:
    parser = command(__doc__, "overhead")
    parser.add_argument("--populations", nargs="+", type=int, default=POPULATIONS, help=f"of {DIMENSION} coordinates")
    parser.add_argument("--dimensions", nargs="+", type=int, default=DIMENSIONS, help=f"of {POPULATION} points")
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=STRATEGIES)
    options = parser.parse_args()
    known = load(options.result).get("strategies", {})
    result = {"caches": caches(), "counted": COUNTED, "target": TARGET, "strategies": known}
    for name in options.strategies:
        parts = axes(name, options)
        known[name] = {"about": about(), "rounds": options.rounds, **{axis: {"rows": []} for axis in parts}}
        for axis, cases in parts.items():
            part = known[name][axis]
            for strategy, dimension in cases:
                part["rows"].append(measure(name, strategy, dimension, options.rounds))
                part["growth"] = growth(part["rows"], result["caches"])
                save(options.result, result)
                print(name, axis, part["rows"][-1], flush=True)
                jax.clear_caches()  # a process may map only so many pieces of memory, and programs hold some


if __name__ == "__main__":
    main()
