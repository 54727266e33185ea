"""The order of the coordinates and the direction in which each grows are the user's choice, and change nothing."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxsearch as js
from jaxsearch.strategies import registry

SPACE = {"n": js.Int(0, 8, shape=(2,)), "x": js.Float(0, 1, shape=(3,))}
SEEDS = 500
LEVEL = 0.01 / (2 * len(registry))  # the error of all comparisons (Bonferroni)
WEIGHTS, TARGET = np.array([1.0, 9.0, 1.0, 5.0, 25.0]), np.array([0.25, 0.875, 0.1, 0.35, 0.85])
SHUFFLED = np.array([1, 0, 4, 2, 3])  # integers among themselves, reals too


def bowl(weights, target, key, params):
    return jnp.sum(weights * (jnp.concatenate([params["n"] / 8, params["x"]]) - target) ** 2)


@functools.partial(jax.jit, static_argnames="name")
def losses(name, weights, target):
    strategy = js.TPE(population_size=8, memory=50, samples=4) if name == "tpe" else registry[name](population_size=8)
    objective = js.Vectorized(jax.tree_util.Partial(bowl, weights, target), gradients=name == "gradient_search")
    run = functools.partial(js.minimize, objective, SPACE, strategy, num_generations=12)
    return jax.vmap(lambda key: run(key=key).loss)(jax.random.split(jax.random.key(0), SEEDS))


@pytest.mark.parametrize("name", registry)
def test_order_and_direction_change_nothing(name):
    def found(weights, target):
        return np.asarray(losses(name, *(jnp.asarray(part, jnp.result_type(float)) for part in (weights, target))))

    plain = found(WEIGHTS, TARGET)
    assert stats.ks_2samp(plain, found(WEIGHTS[SHUFFLED], TARGET[SHUFFLED])).pvalue > LEVEL
    assert stats.ks_2samp(plain, found(WEIGHTS, 1 - TARGET)).pvalue > LEVEL
