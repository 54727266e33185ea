"""The runs that the contract checks look at: a mixed domain, an objective on it, a few generations."""

import jax
import jax.numpy as jnp

from jaxsearch.core.protocols import Strategy
from jaxsearch.core.types import Array, Candidates, Domain, Key, PyTree, Results

# Two reals, an integer, a log-scaled integer, two choices, and a real that matters only for one option of the last.
MIXED = Domain(
    cardinality=(0, 0, 7, 100, 3, 2, 0),
    ordered=(True, True, True, True, False, False, True),
    stretch=(0.0, 0.0, 0.0, 5.3, 0.0, 0.0, 0.0),
    parent=(-1, -1, -1, -1, -1, -1, 5),
    branch=(0, 0, 0, 0, 0, 0, 1),
)
SINGLE = Domain(cardinality=(0,), ordered=(True,))


def losses(x: Array, domain: Domain) -> Results:
    """A bowl on ordered coordinates plus the number of categorical ones that are not 0, with its gradient."""
    categorical = domain.categorical.reshape((1,) * (x.ndim - 1) + (-1,))
    distance = jnp.where(categorical, 0, x - 0.3)
    wrong = categorical & (domain.index(x) != 0)
    loss = jnp.sum(distance**2, axis=-1) + jnp.sum(wrong, axis=-1)
    return Results(loss, 2 * distance)


def run(
    strategy: Strategy,
    key: Key,
    domain: Domain = MIXED,
    num_generations: int = 12,
    bad: Array | float = 0.0,
    bad_generations: Array | int = 0,
    kink: Array | float = 1.0,
) -> tuple[PyTree, Candidates]:
    """The last state and the candidates `[G, P, D]` of a few generations.

    bad: the loss of everything in the first `bad_generations`. kink: the factor on losses above 1/2; a power of two
        bends the objective without rounding, so it neither makes nor breaks ties as exp(loss) would.
    """

    def generation(state: PyTree, number: Array) -> tuple[PyTree, Candidates]:
        candidates, state = strategy.ask(jax.random.fold_in(key, number), state)
        results = losses(candidates.x, domain)
        loss = results.loss * jnp.where(results.loss > 0.5, kink, 1)
        loss = jnp.where(number < bad_generations, bad, loss).astype(results.loss.dtype)
        return strategy.tell(state, candidates, results._replace(loss=loss)), candidates

    return jax.lax.scan(generation, strategy.init(key, domain), jnp.arange(num_generations))
