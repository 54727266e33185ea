"""What is left of a state when a search goes on for long after it has found its minimum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.tree_util import Partial

import jaxsearch as js
from jaxsearch.strategies import registry

SPACE, GENERATIONS = js.Float(0, 1, shape=(3,)), 3000


@pytest.mark.parametrize("name", registry)
def test_no_state_turns_into_nan(name):
    @jax.jit
    @jax.vmap
    def state(scale):
        evaluator = js.Vectorized(Partial(sphere, scale), gradients=name == "gradient_search")
        strategy = registry[name](population_size=6)
        return js.minimize(evaluator, SPACE, strategy, key=jax.random.key(0), num_generations=GENERATIONS).state

    def sphere(scale, key, x):
        return scale * jnp.sum((x - 0.3) ** 2)

    for leaf in jax.tree.leaves(state(jnp.array([1.0, 0.0]))):  # 0: nothing but a plateau
        assert not np.isnan(leaf).any()
