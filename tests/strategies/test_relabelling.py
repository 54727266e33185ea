"""Arithmetic on category numbers is a defect: the order of a Choice's options must not matter."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxsearch as js
from jaxsearch.strategies import registry

COORDINATES, OPTIONS, SEEDS = 5, 12, 300
SPACE = [js.Choice(*range(OPTIONS)) for _ in range(COORDINATES)]
SHUFFLED = np.stack([np.random.default_rng(i).permutation(OPTIONS) for i in range(COORDINATES)])


def ladder(rank, key, params):
    """A ladder: the loss falls step by step with the rank of the options."""
    index = jnp.stack(params)
    return jnp.sum(jnp.take_along_axis(rank, index[:, None], axis=1))


@functools.partial(jax.jit, static_argnames="name")
def losses(name, rank):
    objective = js.Vectorized(jax.tree_util.Partial(ladder, rank), gradients=name == "gradient_search")
    strategy = registry[name](population_size=8)
    run = functools.partial(js.minimize, objective, SPACE, strategy, num_generations=25)
    # The middle of the ladder at the end of the search, so that a better or worse search shows.
    return jax.vmap(lambda key: run(key=key).loss)(jax.random.split(jax.random.key(0), SEEDS))


@pytest.mark.parametrize("name", registry)
def test_relabelling_the_options_changes_nothing(name):
    plain = np.asarray(losses(name, jnp.broadcast_to(jnp.arange(OPTIONS, dtype=float), (COORDINATES, OPTIONS))))
    shuffled = np.asarray(losses(name, jnp.asarray(SHUFFLED, plain.dtype)))
    assert plain.std() > 0, "a search that always ends at the same loss shows nothing"
    assert stats.ks_2samp(plain, shuffled).pvalue > 1e-3


@pytest.mark.parametrize("name", ["local_search", "pso", "ga"])
def test_learning_beats_random_search_on_the_ladder(name):
    rank = jnp.asarray(SHUFFLED, jnp.result_type(float))
    better = np.asarray(losses(name, rank) < losses("random_search", rank))
    worse = np.asarray(losses(name, rank) > losses("random_search", rank))
    assert stats.binomtest(int(better.sum()), int(better.sum() + worse.sum()), alternative="greater").pvalue < 0.01
