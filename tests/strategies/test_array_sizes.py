"""No generation of any strategy holds more than a small multiple of its population, and never the square of it."""

import math

import jax
import jax.numpy as jnp
import pytest

import jaxsearch as js
from jaxsearch.strategies import registry

CHAINS = {"local_search", "gradient_search"}  # every member has a matrix of its own
KERNELS = {"tpe"}  # every candidate is chosen among samples by their distances to a memory
SIZES = [(64, 4), (512, 4), (4096, 4), (64, 64)]
STRATEGIES = {name: strategy for name, strategy in registry.items() if name not in KERNELS} | {
    "sobol": lambda population_size: js.RandomSearch(population_size, sobol=True),
    "sphere": lambda population_size: js.PSO(population_size, update="sphere"),
    "ring": lambda population_size: js.PSO(population_size, topology="ring"),
    "global": lambda population_size: js.PSO(population_size, topology="global"),
    "shrinking": lambda population_size: js.DE(population_size, num_generations=10.0),
    "aging": lambda population_size: js.GA(population_size, aging=True),
    "restart": lambda population_size: js.Restart(js.PSO(population_size)),
}


def sizes(jaxpr):
    """The number of elements of every array that a program makes, those of its loops and branches included."""
    for equation in jaxpr.eqns:
        yield from (math.prod(variable.aval.shape) for variable in equation.outvars)
        for inner in jax.tree.leaves(list(equation.params.values())):
            if hasattr(inner, "eqns") or hasattr(inner, "jaxpr"):
                yield from sizes(getattr(inner, "jaxpr", inner))


@pytest.mark.parametrize(("population", "dimension"), SIZES)
@pytest.mark.parametrize("name", STRATEGIES)
def test_no_array_is_larger_than_a_few_populations(name, population, dimension):
    strategy, domain = STRATEGIES[name](population_size=population), js.Domain((0,) * dimension, (True,) * dimension)

    def generation(key, state):
        candidates, state = strategy.ask(key, state)
        results = js.Results(jnp.sum(candidates.x, axis=1), candidates.x)
        return strategy.tell(state, candidates, results)

    members = population if name != "shrinking" else max(population, 4 * dimension)
    room = 8 * members * dimension * (dimension if name in CHAINS else 1)
    state = jax.eval_shape(lambda key: strategy.init(key, domain), jax.random.key(0))
    found = list(sizes(jax.make_jaxpr(generation)(jax.random.key(0), state).jaxpr))
    assert len(found) > 5
    assert max(found) <= max(room, 8 * dimension**2)


@pytest.mark.parametrize("name", ["random_search", "pso", "ga", "de", "sep_cmaes"])
def test_a_generation_of_five_billion_numbers_can_be_planned(name):
    strategy, domain = registry[name](population_size=10**6), js.Domain((0,) * 5000, (True,) * 5000)
    state = jax.eval_shape(lambda key: strategy.init(key, domain), jax.random.key(0))
    candidates, _ = jax.eval_shape(strategy.ask, jax.random.key(0), state)
    assert candidates.x.shape == (10**6, 5000)


@pytest.mark.parametrize("name", sorted(STRATEGIES.keys() - {"sobol"} | KERNELS))
def test_a_generation_of_many_coordinates_can_be_planned(name):
    """The square of the dimension is beyond int32."""
    strategy = (STRATEGIES | registry)[name](population_size=8)
    domain = js.Domain((0,) * 50_000, (True,) * 50_000)

    def generation(key):
        candidates, state = strategy.ask(key, strategy.init(key, domain))
        return candidates, strategy.tell(state, candidates, js.Results(candidates.x[:, 0], candidates.x))

    assert jax.eval_shape(generation, jax.random.key(0))[0].x.shape == (8, 50_000)
