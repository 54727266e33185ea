"""How fast is a generation beside evosax, and how long is the first call?

    python benchmarks/against_evosax.py

Each side is one compiled program of a whole run on the sphere: ours is `minimize`, with all that it keeps account of,
theirs `ask` and `tell` in a `scan`, as in the documentation of evosax. Writes results/against_evosax.json.
"""

import functools

import jax
import jax.numpy as jnp
from timing import command, in_turns, rounded, save

import jaxsearch as js

SIZES = ((256, 16), (16384, 32), (4096, 256))
DIMENSIONS = (16, 64, 256)  # of the evolution strategies, whose populations are those that each side takes for them
UNCONVERGED = 300  # generations: a good while later evosax's state is NaN, which an eigendecomposition takes long over
TARGETS = {  # times evosax, at the three sizes or dimensions
    "DE": (15, 1000, 40),
    "GA": (3, 2, 2),
    "PSO, global": (2, 1, 1.2),
    "PSO": (1, 0.5, 0.6),
    "RandomSearch": (3, 3, 3),
    "CMAES": (2, 2, 2),
    "SepCMAES": (2, 2, 2),
}


def sphere(x):
    return jnp.sum((x - 0.3) ** 2, axis=-1)


def single(key, x):
    return sphere(x)


@functools.cache
def ours(strategy, dimension: int, generations: int):
    """A whole search; the time of its generations divides by their number."""
    space = js.Float(0.0, 1.0, shape=(dimension,))
    return lambda: js.minimize(single, space, strategy, key=jax.random.key(0), num_generations=generations).loss


def theirs(name: str, size: int, dimension: int, generations: int):
    """The same of evosax, with its defaults; the first population is uniform."""
    import evosax.algorithms

    options = {}
    if name == "RandomSearch":
        options["sampling_fn"] = lambda key: jax.random.uniform(key, (dimension,))
    algorithm = getattr(evosax.algorithms, name)(size, jnp.zeros(dimension), **options)
    params = algorithm.default_params

    @jax.jit
    def run(key):
        first = jax.random.uniform(key, (size, dimension))
        by_population = name in ("DifferentialEvolution", "SimpleGA", "PSO")
        start = (first, sphere(first)) if by_population else (jnp.full(dimension, 0.5),)
        state = algorithm.init(key, *start, params)

        def generation(state, number):
            key_ask, key_tell = jax.random.split(jax.random.fold_in(key, number))
            population, state = algorithm.ask(key_ask, state, params)
            return algorithm.tell(key_tell, population, sphere(population), state, params)[0], None

        return jax.lax.scan(generation, state, jnp.arange(generations))[0].best_fitness

    return lambda: run(jax.random.key(0))


def compare(make, name: str, size: int, dimension: int, generations: tuple[int, int], rounds: int) -> dict:
    """Both sides in turns, in microseconds per generation; a slow peer runs fewer generations than we do."""
    peer = theirs(name, size, dimension, generations[1])
    sides = {"ours": ours(make(size), dimension, generations[0]), "evosax": peer}
    found = in_turns(sides, rounds)
    for side, count in zip(sides, generations, strict=True):
        for number in ("median", "low", "high"):
            found[side][number] = rounded(found[side][number] / count * 1e6)
    ratio = rounded(found["evosax"]["median"] / found["ours"]["median"])
    return {
        "population": size,
        "dimension": dimension,
        **found,
        "ratio": ratio,
        "first_ratio": rounded(found["evosax"]["first"] / found["ours"]["first"]),
    }


PAIRS = {
    "DE": (lambda size: js.DE(population_size=size), "DifferentialEvolution"),
    "GA": (lambda size: js.GA(population_size=size), "SimpleGA"),
    "PSO, global": (lambda size: js.PSO(population_size=size, topology="global"), "PSO"),
    "PSO": (lambda size: js.PSO(population_size=size), "PSO"),
    "RandomSearch": (lambda size: js.RandomSearch(population_size=size), "RandomSearch"),
    "CMAES": (lambda size: js.CMAES(population_size=size), "CMA_ES"),
    "SepCMAES": (lambda size: js.SepCMAES(population_size=size), "Sep_CMA_ES"),
}


def main() -> None:
    options = command(__doc__, "against_evosax").parse_args()
    result = {"unit": "microseconds per generation; first: seconds", "pairs": {}}
    for name, (make, peer) in PAIRS.items():
        cases = SIZES
        if name in ("CMAES", "SepCMAES"):
            cases = [(4 + int(3 * jnp.log(dimension)), dimension) for dimension in DIMENSIONS]
        for (size, dimension), target in zip(cases, TARGETS[name], strict=True):
            elements = size * dimension + 2e4
            count = theirs_count = int(1e8 / elements)
            if cases is not SIZES:
                count = theirs_count = UNCONVERGED
            if name == "DE":  # quadratic in the population
                theirs_count = max(2, int(2e7 / (elements + size**2)))
            found = compare(make, peer, size, dimension, (count, theirs_count), options.rounds)
            result["pairs"].setdefault(name, []).append(found | {"target": target})
            print(f"{name:14s} {size:6d} {dimension:4d}  x{found['ratio']:<8g} (target {target}) {found}", flush=True)
    save(options.result, result, ("evosax",))


if __name__ == "__main__":
    main()
