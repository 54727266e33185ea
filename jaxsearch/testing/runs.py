"""The runs that the contract checks look at: an objective on any domain, a few generations."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsearch.core.protocols import State, Strategy
from jaxsearch.core.types import Array, Domain, Key, PyTree, Results


class Run(NamedTuple):
    """What there is to see of a run of G generations."""

    state: State  # the last
    x: Array  # [G, P, D] the candidates
    loss: Array  # [G, P] theirs, before anything was made of it
    pure: Array  # [] bool, whether every tell, done twice, gave the same state


def losses(x: Array, domain: Domain) -> Results:
    """A bowl on ordered coordinates plus the number of categorical ones that are not 0, with its gradient.

    As of a decoded point: equal within the cells of discrete coordinates, whatever those that do not matter are.
    """
    row = (1,) * (x.ndim - 1) + (-1,)
    discrete, categorical = domain.discrete.reshape(row), domain.categorical.reshape(row)
    point = jnp.where(discrete, domain.centre(domain.index(x), x.dtype), x)
    distance = jnp.where(domain.active(x) & ~categorical, point - 0.3, 0)
    wrong = domain.active(x) & categorical & (domain.index(x) != 0)
    return Results(jnp.sum(distance**2, axis=-1) + jnp.sum(wrong, axis=-1, dtype=x.dtype), 2 * distance)


def run(
    strategy: Strategy,
    key: Key,
    domain: Domain,
    num_generations: int,
    bad: Array | float = 0.0,
    bad_generations: Array | int = 0,
    kink: Array | float = 1.0,
) -> Run:
    """A few generations on `losses`.

    bad: the loss of everything in the first `bad_generations`. kink: the factor on losses above 1/2; a power of two
        bends the objective without rounding, so it neither makes nor breaks ties as exp(loss) would.
    """

    def generation(state: State, number: Array) -> tuple[State, tuple[Array, Array, Array]]:
        candidates, state = strategy.ask(jax.random.fold_in(key, number), state)
        results = losses(candidates.x, domain)
        told = results.loss * jnp.where(results.loss > 0.5, kink, 1)
        told = jnp.where(number < bad_generations, bad, told).astype(results.loss.dtype)
        state, again = (strategy.tell(state, candidates, results._replace(loss=told)) for _ in range(2))
        return state, (candidates.x, results.loss, _same(state, again))

    state, (x, loss, pure) = jax.lax.scan(generation, strategy.init(key, domain), jnp.arange(num_generations))
    return Run(state, x, loss, jnp.all(pure))


def _same(one: PyTree, other: PyTree) -> Array:
    """Whether all leaves are equal up to rounding, since XLA need not compile both alike; NaN equals NaN."""

    def same(a: Array, b: Array) -> Array:
        if jnp.issubdtype(a.dtype, jnp.floating):
            return jnp.all(jnp.isclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True))
        return jnp.all(a == b)

    return jnp.stack(jax.tree.leaves(jax.tree.map(same, one, other))).all()
