"""Which share of the bbob-mixint targets does each strategy meet per evaluation, beside other libraries?

    python benchmarks/quality_mixint.py [--instances 15] [--dimensions 5 10 20] [--only NAME ...]

As quality_bbob.py, but four fifths of the coordinates are integers with 2, 4, 8 and 16 values. Writes
results/quality_mixint.json after every method. TPE is left out, and GradientSearch: there are no slopes.
"""

import itertools
import warnings
from pathlib import Path

import numpy as np
from suites import bbob_mixint, main, mixint_cells

RESULT = Path(__file__).parent / "results" / "quality_mixint.json"


def bounds(dimension: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lowest and the highest value of every coordinate, and which of them are integers."""
    cells = mixint_cells(dimension)
    return np.where(cells > 0, 0.0, -5.0), np.where(cells > 0, cells - 1.0, 5.0), cells > 0


def random_search(f, dimension, seed):
    low, high, integer = bounds(dimension)
    random = np.random.default_rng(seed)
    while True:
        whole = random.integers(low.astype(int), high.astype(int) + 1, (100, dimension))
        f(np.where(integer, whole, random.uniform(low, high, (100, dimension))))


def scipy_de(f, dimension, seed):
    from scipy.optimize import differential_evolution

    low, high, integer = bounds(dimension)
    for trial in itertools.count():
        differential_evolution(
            lambda x: float(f(x[None])[0]),
            list(zip(low, high, strict=True)),
            integrality=integer,
            rng=1000 * seed + trial,
            maxiter=10**6,
        )


def pycma(f, dimension, seed):
    import cma

    low, high, integer = bounds(dimension)
    random = np.random.default_rng(seed)
    rim = np.where(integer, 0.5, 0.0)

    def single(x):
        x = np.where(integer, np.clip(np.rint(x), low, high), x)
        return float(f(x[None])[0])

    for trial in itertools.count():
        options = {
            "verbose": -9,
            "seed": 1000 * seed + trial + 1,
            "bounds": [(low - rim).tolist(), (high + rim).tolist()],
            "integer_variables": np.flatnonzero(integer).tolist(),
            "CMA_stds": ((high - low) / 5).tolist(),
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cma.fmin2(single, lambda: random.uniform(low, high), 1.0, options, restarts=9, bipop=True)


if __name__ == "__main__":
    main(
        __doc__,
        bbob_mixint,
        ("tpe", "gradient_search", "pbt"),
        {
            "numpy random search": random_search,
            "pycma BIPOP-CMA-ES": pycma,
            "scipy differential evolution": scipy_de,
        },
        ("cma", "scipy"),
        RESULT,
    )
