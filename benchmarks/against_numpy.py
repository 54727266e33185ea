"""How long is a generation, beside the libraries that run in numpy?

    python benchmarks/against_numpy.py [--sizes 256x16 ...] [--rounds 9] [--seconds 1] [--patience 60] [--memory 8]

Microseconds per generation on the sphere, by N x D of the population. Ours is one call of `minimize`, in 32 bits and in
64, with all its set-up but the compilation, divided by the number of generations. A peer is timed from one evaluation
of its population to the next, so without any set-up. The sides take turns; a ratio is that of one round. XLA may use
all cores; numpy uses one for what is not a matrix product, and no peer takes more without processes or compiled code.

A peer whose turns took more than `patience` seconds sits out after the third; one that would take more than `memory` GB
for the pairs of its population is not run. DEAP evaluates only those whom crossover or mutation changed.
"""

import contextlib
import functools
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from peers import SpentError
from peers_numpy import PEERS, pair_bytes
from timing import command, save, seconds, spread

import jaxsearch as js
from jaxsearch.problems.functions import sphere

SIZES = ("256x16", "16384x32", "4096x256")
STRATEGIES = {
    "PSO, global": functools.partial(js.PSO, topology="global"),
    "PSO": js.PSO,
    "GA": js.GA,
    "DE": js.DE,
    "RandomSearch": js.RandomSearch,
}
PAIRS = {
    "PSO, global": ("pyswarms GlobalBestPSO", "pymoo PSO", "pymoo PSO, not adaptive"),
    "PSO": ("pyswarms GlobalBestPSO", "pymoo PSO", "pymoo PSO, not adaptive"),
    "GA": ("pymoo GA", "DEAP eaSimple"),
    "DE": ("pymoo DE", "scipy DE"),
    "RandomSearch": ("numpy random search",),
}
MICROSECOND = 1e-6


class Turn(NamedTuple):
    """What one turn of a side took per generation, over how many of how many rows, in which numbers."""

    seconds: float
    generations: int
    rows: int
    numbers: str


def ours(make: Callable, size: int, dimension: int, bits: int) -> Callable[[int], Turn]:
    """One of our strategies, compiled."""
    generations = int(np.clip(2**24 // (size * dimension), 32, 4096))

    @jax.jit
    def run(key):
        strategy, box = make(population_size=size), js.Float(-5, 5, shape=(dimension,))
        return js.minimize(lambda key, x: sphere(x), box, strategy, key=key, num_generations=generations).loss

    def turn(seed):
        with jax.enable_x64(bits == 64):
            key = jax.random.key(seed)
            return Turn(seconds(lambda: run(key)) / generations, generations, size, str(run.eval_shape(key).dtype))

    turn(0)
    return turn


def theirs(peer: Callable, size: int, dimension: int, limit: float) -> Callable[[int], Turn]:
    """One of the peers, stopped in the first generation after `limit` seconds."""

    def turn(seed):
        starts, rows, numbers = [], 0, ""

        def f(x):
            nonlocal rows, numbers
            starts.append(time.perf_counter())
            if len(starts) > 2 and starts[-1] - starts[0] > limit:
                raise SpentError
            rows, numbers = len(x), str(x.dtype)
            return np.sum(x * x, axis=1)

        with contextlib.suppress(SpentError):
            peer(f, dimension, size, seed)
        generations = len(starts) - 2  # the first evaluation is that of the initial sample
        return Turn((starts[-1] - starts[1]) / generations, generations, rows, numbers)

    return turn


def in_turns(sides: dict[str, Callable[[int], Turn]], rounds: int, patience: float) -> dict[str, list[Turn]]:
    """The turns of every side, one a round."""
    turns, spent = {name: [] for name in sides}, dict.fromkeys(sides, 0.0)
    for number in range(rounds):
        for name, side in sides.items():
            if number < 3 or spent[name] < patience:
                start = time.perf_counter()
                turns[name].append(side(number))
                spent[name] += time.perf_counter() - start
    return turns


def summary(turns: list[Turn]) -> dict:
    """The microseconds per generation, and what the last turn was made of."""
    about = {"turns": len(turns), **turns[-1]._asdict()}
    return spread([turn.seconds for turn in turns], MICROSECOND) | {k: v for k, v in about.items() if k != "seconds"}


def measure(size: int, dimension: int, options) -> dict:
    """Times of all sides, ratios of all pairs, and the memory that kept a peer from running."""
    gigabytes = {peer: pair_bytes(peer, dimension, size) / 1e9 for peers in PAIRS.values() for peer in peers}
    absent = {peer: round(needed, 1) for peer, needed in gigabytes.items() if needed > options.memory}
    names = {(name, bits): f"{name}, {bits} bits" for name in STRATEGIES for bits in (32, 64)}
    sides = {label: ours(STRATEGIES[name], size, dimension, bits) for (name, bits), label in names.items()}
    sides |= {peer: theirs(PEERS[peer], size, dimension, options.seconds) for peer in gigabytes if peer not in absent}
    turns = in_turns(sides, options.rounds, options.patience)
    times = {label: summary(taken) for label, taken in turns.items()}

    def ratio(label: str, peer: str) -> dict[str, float]:
        rounds = zip(turns[label], turns[peer], strict=False)  # as many as the slower side took part in
        return spread([there.seconds / here.seconds for here, there in rounds])

    ratios = {
        name: {peer: {bits: ratio(names[name, bits], peer) for bits in (32, 64)} for peer in peers if peer in turns}
        for name, peers in PAIRS.items()
    }
    return {"microseconds": times, "ratios": ratios, "not_run_gigabytes": absent}


def main() -> None:
    parser = command(__doc__, "against_numpy")
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="N x D")
    parser.add_argument("--seconds", type=float, default=1.0, help="least seconds of a peer's turn")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds")
    parser.add_argument("--memory", type=float, default=8.0, help="GB")
    options = parser.parse_args()
    result = {"rounds": options.rounds, "sizes": {}}
    for name in options.sizes:
        result["sizes"][name] = measure(*map(int, name.split("x")), options)
        save(options.result, result, ("pymoo", "pyswarms", "scipy", "deap"))
        for strategy, found in result["sizes"][name]["ratios"].items():
            print(name, strategy, {peer: by_bits[32]["median"] for peer, by_bits in found.items()}, flush=True)


if __name__ == "__main__":
    main()
