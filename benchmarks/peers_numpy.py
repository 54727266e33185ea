"""The peers of the speed benchmarks: populations of a given size that minimize f over the box [-5, 5]^D until f raises.

Each takes (f, dimension, size, seed), f as in peers.py: it is called once per generation, with all rows that the
library evaluates. All else is the library's default, but that no run ends early. DEAP and pyswarms have no defaults
for their rates and coefficients; those here are of the first examples in their documentation.
"""

import contextlib
import importlib
import random
import tempfile

import numpy as np
from peers import pymoo_problem


def random_search(f, dimension, size, seed):
    generator, lowest, best = np.random.default_rng(seed), np.inf, None
    while True:
        x = generator.uniform(-5, 5, (size, dimension))
        losses = f(x)
        index = np.argmin(losses)
        if losses[index] < lowest:
            lowest, best = losses[index], x[index]  # noqa: F841  # what a search is for


def _pymoo(name, adaptive=True):
    """adaptive: whether PSO adapts its coefficients to the mean distance of its particles, as by default."""

    def run(f, dimension, size, seed):
        from pymoo.core.termination import NoTermination
        from pymoo.operators.sampling.rnd import FloatRandomSampling
        from pymoo.optimize import minimize

        make = getattr(importlib.import_module(f"pymoo.algorithms.soo.nonconvex.{name.lower()}"), name)
        options = {} if adaptive else {"adaptive": False, "sampling": FloatRandomSampling()}  # the usual sample is slow
        algorithm = make(pop_size=size, **options)
        minimize(pymoo_problem(f, dimension), algorithm, NoTermination(), seed=seed, verbose=False)

    return run


def pyswarms_pso(f, dimension, size, seed):
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # pyswarms writes a report.log
        from pyswarms.single import GlobalBestPSO

        np.random.seed(seed)  # noqa: NPY002  # what pyswarms draws from
        bounds = np.full(dimension, -5.0), np.full(dimension, 5.0)
        swarm = GlobalBestPSO(size, dimension, {"c1": 0.5, "c2": 0.3, "w": 0.9}, bounds)
        swarm.optimize(f, iters=10**9, verbose=False)


def scipy_de(f, dimension, size, seed):
    from scipy.optimize import differential_evolution

    if size % dimension:
        raise ValueError(f"scipy's populations are multiples of D; got {size} of {dimension}-D. Take one that is.")
    bounds, options = [(-5, 5)] * dimension, {"maxiter": 10**9, "tol": 0, "polish": False}
    differential_evolution(
        lambda x: f(x.T), bounds, popsize=size // dimension, updating="deferred", vectorized=True, rng=seed, **options
    )


def deap_ga(f, dimension, size, seed):
    """eaSimple; the operators work on one individual at a time, the evaluation on all."""
    from deap import algorithms, base, creator, tools

    if not hasattr(creator, "Individual"):
        creator.create("Fitness", base.Fitness, weights=(-1.0,))
        creator.create("Individual", list, fitness=creator.Fitness)
    random.seed(seed)
    toolbox = base.Toolbox()
    toolbox.register("map", lambda f, individuals: [(loss,) for loss in f(np.array(individuals))])
    toolbox.register("evaluate", f)
    toolbox.register("mate", tools.cxTwoPoint)
    toolbox.register("mutate", tools.mutGaussian, mu=0, sigma=1, indpb=0.1)
    toolbox.register("select", tools.selTournament, tournsize=3)
    population = [creator.Individual(random.uniform(-5, 5) for _ in range(dimension)) for _ in range(size)]
    algorithms.eaSimple(population, toolbox, cxpb=0.5, mutpb=0.2, ngen=10**9, verbose=False)


def pycma(f, dimension, size, seed):
    """As in peers.py, its first step a fifth of the range, but without restarts."""
    import cma

    start = np.random.default_rng(seed).uniform(-4, 4, dimension)
    strategy = cma.CMAEvolutionStrategy(start, 2.0, {"popsize": size, "seed": seed + 1, "verbose": -9})
    while True:
        points = strategy.ask()
        strategy.tell(points, f(np.array(points)))


PEERS = {
    "numpy random search": random_search,
    "pymoo PSO": _pymoo("PSO"),
    "pymoo PSO, not adaptive": _pymoo("PSO", adaptive=False),
    "pymoo GA": _pymoo("GA"),
    "pymoo DE": _pymoo("DE"),
    "pyswarms GlobalBestPSO": pyswarms_pso,
    "scipy DE": scipy_de,
    "DEAP eaSimple": deap_ga,
    "pycma CMA-ES": pycma,
}


def pair_bytes(name, dimension, size):
    """About how much memory a peer takes for all pairs: of pymoo PSO their differences, of all of pymoo distances."""
    if name == "pymoo PSO":
        return 4 * 8 * dimension * size**2
    return 3 * 8 * size**2 if name.startswith("pymoo") else 0
