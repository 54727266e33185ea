"""The program of a generation is as long for a thousand discrete coordinates as for a hundred."""

import jax
import jax.numpy as jnp
import pytest

import jaxsearch as js
from jaxsearch.strategies import registry

STRATEGIES = registry | {
    "sobol": lambda: js.RandomSearch(sobol=True),
    "sphere": lambda: js.PSO(update="sphere"),
    "shrinking": lambda: js.DE(num_generations=10.0),
    "restart": lambda: js.Restart(js.CMAES()),
}


def equations(jaxpr):
    """The number of equations of a program, those of its loops and branches included."""
    inner = [leaf for equation in jaxpr.eqns for leaf in jax.tree.leaves(list(equation.params.values()))]
    parts = [getattr(leaf, "jaxpr", leaf) for leaf in inner if hasattr(leaf, "eqns") or hasattr(leaf, "jaxpr")]
    return len(jaxpr.eqns) + sum(map(equations, parts))


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_generation_is_as_long_for_more_coordinates(name):
    strategy = STRATEGIES[name]()

    def length(half):
        domain = js.Domain((2, 3) * half, (True, False) * half)

        def generation(key):
            candidates, state = strategy.ask(key, strategy.init(key, domain))
            return strategy.tell(state, candidates, js.Results(candidates.x[:, 0], candidates.x))

        return equations(jax.make_jaxpr(generation)(jax.random.key(0)).jaxpr)

    assert length(50) == length(500)


@pytest.mark.parametrize("strategy", [js.GA(), js.DE(), js.LocalSearch()])
def test_a_search_is_as_long_for_more_coordinates(strategy):
    def length(size):
        space = js.Int(0, 1, shape=(size,))

        def search(key):
            return js.minimize(lambda key, x: jnp.sum(x, dtype=float), space, strategy, key=key, num_generations=3).loss

        return equations(jax.make_jaxpr(search)(jax.random.key(0)).jaxpr)

    assert length(100) == length(1000)
