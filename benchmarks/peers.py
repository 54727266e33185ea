"""Other libraries' optimizers behind one signature: minimize f over the box [-5, 5]^D until f raises.

Each takes (f, dimension, seed): f maps rows `[n, D]` to `[n]` losses and raises `SpentError` when the budget is
spent. Plain defaults, restarted with a new seed when the library ends early.
"""

import itertools
import warnings

import numpy as np
from differences import ForwardDifferences


class SpentError(Exception):
    """The budget of evaluations is spent."""


def random_search(f, dimension, seed):
    random = np.random.default_rng(seed)
    while True:
        f(random.uniform(-5, 5, (100, dimension)))


def pycma(f, dimension, seed):
    import cma

    random = np.random.default_rng(seed)

    def single(x):
        return float(f(np.asarray(x)[None])[0])

    for trial in itertools.count():
        options = {"verbose": -9, "seed": 1000 * seed + trial + 1}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cma.fmin2(single, lambda: random.uniform(-4, 4, dimension), 2.0, options, restarts=9, bipop=True)


def scipy_de(f, dimension, seed):
    from scipy.optimize import differential_evolution

    bounds = [(-5, 5)] * dimension
    for trial in itertools.count():
        differential_evolution(lambda x: float(f(x[None])[0]), bounds, rng=1000 * seed + trial, maxiter=10**6)


def scipy_lbfgsb(f, dimension, seed):
    from scipy.optimize import minimize

    random = np.random.default_rng(seed)

    differences = ForwardDifferences(f, 5.0)

    def with_gradient(x):
        values, gradient = differences(x)
        return values[0], gradient

    while True:
        start = random.uniform(-4, 4, dimension)
        minimize(with_gradient, start, jac=True, method="L-BFGS-B", bounds=[(-5, 5)] * dimension)


def pymoo_problem(f, dimension):
    from pymoo.core.problem import Problem

    class Box(Problem):
        def __init__(self):
            super().__init__(n_var=dimension, n_obj=1, xl=-5.0, xu=5.0)

        def _evaluate(self, x, out, *args, **kwargs):
            out["F"] = f(x)[:, None]

    return Box()


def _pymoo(algorithm):
    def run(f, dimension, seed):
        from pymoo.optimize import minimize

        for trial in itertools.count():
            minimize(pymoo_problem(f, dimension), algorithm(), seed=1000 * seed + trial, verbose=False)

    return run


def _ga():
    from pymoo.algorithms.soo.nonconvex.ga import GA

    return GA()


def _pso():
    from pymoo.algorithms.soo.nonconvex.pso import PSO

    return PSO()


def _minion(name):
    def run(f, dimension, seed):
        import minionpy

        spent = False

        def rows(x):  # an exception cannot pass through minion's C++
            nonlocal spent
            try:
                return f(np.asarray(x)).tolist()
            except SpentError:
                spent = True
                return [np.inf] * len(x)

        for trial in itertools.count():
            minionpy.Minimizer(
                func=rows,
                bounds=[(-5, 5)] * dimension,
                algo=name,
                maxevals=1000 * dimension,
                seed=1000 * seed + trial,
            ).optimize()
            if spent:
                raise SpentError

    return run


PEERS = {
    "numpy random search": random_search,
    "pycma BIPOP-CMA-ES": pycma,
    "scipy differential evolution": scipy_de,
    "scipy L-BFGS-B multistart": scipy_lbfgsb,
    "pymoo GA": _pymoo(_ga),
    "pymoo PSO": _pymoo(_pso),
    "minion SPSO-2011": _minion("SPSO2011"),
    "minion L-SHADE": _minion("LSHADE"),
    "minion ARRDE": _minion("ARRDE"),
}

NEAREST = {  # the peer that works most like each of our strategies; LocalSearch and SepCMAES have none here
    "RandomSearch": "numpy random search",
    "FiniteDifferences(GradientSearch)": "scipy L-BFGS-B multistart",
    "PSO": "pymoo PSO",
    "GA": "pymoo GA",
    "DE": "minion ARRDE",
    "DE, num_generations known": "minion L-SHADE",
    "CMAES": "pycma BIPOP-CMA-ES",
}
