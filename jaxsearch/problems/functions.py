"""Classic test functions of a real vector, with their domains and known minima.

References: Jamil, Yang, A literature survey of benchmark functions for global optimisation problems, IJMMNO, 2013.
    Surjanovic, Bingham, Virtual Library of Simulation Experiments, sfu.ca/~ssurjano, 2013 (domains and minima).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.core.types import Array, Key
from jaxsearch.problems.problem import Problem
from jaxsearch.spaces.dimensions import Float


class Function(NamedTuple):
    """A formula and what is known of it.

    formula: of one point `[D]`. low, high: the bounds of every coordinate. minimum: the lowest value.
    minimizer: one point where it is taken, or the value of all its coordinates.
    dimensions: the least and the largest D of the formula; None is no largest.
    """

    formula: Callable[[Array], Array]
    low: float
    high: float
    minimum: float
    minimizer: float | tuple[float, ...]
    dimensions: tuple[int, int | None] = (1, None)


def load(name: str, dimension: int | None = None) -> Problem:
    """One of `FUNCTIONS` as a problem whose parameters are one array `[D]`.

    dimension: D; if None 2, or the least that the formula has when that is more.
    Raises ValueError for an unknown name and for a dimension that the function does not have.
    """
    check_name("function", name, FUNCTIONS)
    function = FUNCTIONS[name]
    least, most = function.dimensions
    size = max(least, 2) if dimension is None else dimension
    if size < least or (most is not None and size > most):
        rule = f"exactly {least}" if least == most else f"at least {least}"
        raise ValueError(f"The dimension of {name} must be {rule}; got {dimension}. Leave it out for the default.")
    objective = jax.tree_util.Partial(_without_key, jax.tree_util.Partial(function.formula))
    return Problem(Float(function.low, function.high, shape=(size,)), objective, function.minimum)


def _without_key(formula: Callable[[Array], Array], key: Key, params: Array) -> Array:
    return formula(params)


def sphere(x: Array) -> Array:
    """The squared distance from the origin."""
    return jnp.sum(x**2)


def ellipsoid(x: Array) -> Array:
    """Convex and separable, with condition number 10^6."""
    return jnp.sum(jnp.asarray(np.logspace(0, 6, x.shape[0]), x.dtype) * x**2)


def rosenbrock(x: Array) -> Array:
    """A bent valley; from 4 dimensions on with a second, local minimum."""
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def zakharov(x: Array) -> Array:
    """Unimodal, a plate with a steep rim."""
    weighted = jnp.sum(jnp.arange(1, x.shape[0] + 1, dtype=x.dtype) * x) / 2
    return jnp.sum(x**2) + weighted**2 + weighted**4


def rastrigin(x: Array) -> Array:
    """A bowl with a regular lattice of deep local minima."""
    return jnp.sum(x**2 + 10 * (1 - jnp.cos(2 * jnp.pi * x)))


def ackley(x: Array) -> Array:
    """Nearly flat far away, with many shallow minima on the way into a narrow hole."""
    # expm1 gives 0 at the origin, where 20 + e - 20 - e would leave the rounding of 20; |x| is not smooth there.
    distance, waves = jnp.sqrt(jnp.mean(x**2)), jnp.mean(jnp.cos(2 * jnp.pi * x))
    return -20 * jnp.expm1(-0.2 * distance) - jnp.e * jnp.expm1(waves - 1)


def griewank(x: Array) -> Array:
    """A wide bowl with fine waves that depend on all coordinates together."""
    scale = jnp.sqrt(jnp.arange(1, x.shape[0] + 1, dtype=x.dtype))
    return 1 + jnp.sum(x**2) / 4000 - jnp.prod(jnp.cos(x / scale))


def schwefel(x: Array) -> Array:
    """The best and the second-best minimum lie in different corners."""
    return jnp.sum(418.9828872724338 - x * jnp.sin(jnp.sqrt(jnp.abs(x))))


def levy(x: Array) -> Array:
    """Waves of growing height around a minimum away from the centre."""
    w = 1 + (x - 1) / 4
    middle = jnp.sum((w[:-1] - 1) ** 2 * (1 + 10 * jnp.sin(jnp.pi * w[:-1] + 1) ** 2))
    return jnp.sin(jnp.pi * w[0]) ** 2 + middle + (w[-1] - 1) ** 2 * (1 + jnp.sin(2 * jnp.pi * w[-1]) ** 2)


def branin(x: Array) -> Array:
    """Three equal minima; on the square around its usual rectangle [-5, 10] x [0, 15]."""
    valley = x[1] - 5.1 / (4 * jnp.pi**2) * x[0] ** 2 + 5 / jnp.pi * x[0] - 6
    return valley**2 + 10 * (1 - 1 / (8 * jnp.pi)) * jnp.cos(x[0]) + 10


def six_hump_camel(x: Array) -> Array:
    """Six minima, two of them lowest."""
    a, b = x[0] ** 2, x[1] ** 2
    return (4 - 2.1 * a + a**2 / 3) * a + x[0] * x[1] + (4 * b - 4) * b


def goldstein_price(x: Array) -> Array:
    """Four minima on values from 3 to a million."""
    a, b = x[0], x[1]
    first = 1 + (a + b + 1) ** 2 * (19 - 14 * a + 3 * a**2 - 14 * b + 6 * a * b + 3 * b**2)
    second = 30 + (2 * a - 3 * b) ** 2 * (18 - 32 * a + 12 * a**2 + 48 * b - 36 * a * b + 27 * b**2)
    return first * second


def hartmann6(x: Array) -> Array:
    """Four Gaussian wells in six dimensions."""
    width = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    centre = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
    exponent = jnp.sum(jnp.asarray(width, x.dtype) * (x[None] - jnp.asarray(centre, x.dtype)) ** 2, axis=1)
    return -jnp.sum(jnp.asarray([1.0, 1.2, 3.0, 3.2], x.dtype) * jnp.exp(-exponent))


FUNCTIONS = {
    "sphere": Function(sphere, -5.12, 5.12, 0.0, 0.0),
    "ellipsoid": Function(ellipsoid, -5.0, 5.0, 0.0, 0.0),
    "rosenbrock": Function(rosenbrock, -5.0, 10.0, 0.0, 1.0, (2, None)),
    "zakharov": Function(zakharov, -5.0, 10.0, 0.0, 0.0),
    "rastrigin": Function(rastrigin, -5.12, 5.12, 0.0, 0.0),
    "ackley": Function(ackley, -32.768, 32.768, 0.0, 0.0),
    "griewank": Function(griewank, -600.0, 600.0, 0.0, 0.0),
    "schwefel": Function(schwefel, -500.0, 500.0, 0.0, 420.96874635998),
    "levy": Function(levy, -10.0, 10.0, 0.0, 1.0),
    "branin": Function(branin, -5.0, 15.0, 0.39788735772973816, (np.pi, 2.275), (2, 2)),
    "six_hump_camel": Function(six_hump_camel, -3.0, 3.0, -1.031628453489877, (0.08984201368, -0.71265640331), (2, 2)),
    "goldstein_price": Function(goldstein_price, -2.0, 2.0, 3.0, (0.0, -1.0), (2, 2)),
    "hartmann6": Function(
        hartmann6, 0.0, 1.0, -3.322368011, (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573), (6, 6)
    ),
}
