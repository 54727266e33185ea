"""Sobol points against SciPy's, and what makes them worth having."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.stats import qmc

import jaxsearch as js
from jaxsearch.core import sobol

NUMBERS = jnp.arange(256, dtype=jnp.uint32)


def block(key, numbers=NUMBERS, dimension=6):
    return sobol.points(numbers, *sobol.scramble(key, dimension))


def test_without_scrambling_they_are_the_points_of_scipy():
    words = jnp.asarray(sobol.directions(9))
    ours = np.asarray(sobol.points(NUMBERS, words, jnp.zeros(9, jnp.uint32)), float)
    theirs = qmc.Sobol(9, scramble=False).random(256)  # in another order within each 2^k
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


@pytest.mark.parametrize("start", [0, 512, 2**20])
def test_every_dyadic_interval_holds_as_many(start):
    x = np.asarray(block(jax.random.key(3), NUMBERS + jnp.uint32(start)))
    for coordinate in range(6):
        np.testing.assert_array_equal(np.bincount((256 * x[:, coordinate]).astype(int), minlength=256), 1)
    first, second = (16 * x[:, :2]).astype(int).T
    np.testing.assert_array_equal(np.bincount(16 * first + second, minlength=256), 1)


def test_every_point_is_uniform():
    keys = jax.random.split(jax.random.key(0), 2000)
    x = jax.jit(jax.vmap(lambda key: block(key, jnp.array([0, 77, 2**20 + 5], jnp.uint32), 3)))(keys)
    for number in range(3):
        for coordinate in range(3):
            assert stats.kstest(np.asarray(x[:, number, coordinate], float), "uniform").pvalue > 1e-3


def test_the_sequence_goes_on_with_other_points():
    first, later = block(jax.random.key(1)), block(jax.random.key(1), NUMBERS + jnp.uint32(2**20))
    assert not np.intersect1d(np.asarray(first[:, 0]), np.asarray(later[:, 0])).size


def test_an_integral_is_met_better_than_by_independent_points():
    def error(strategy, key):
        key_init, key_ask = jax.random.split(key)
        state = strategy.init(key_init, js.Domain((0,) * 4, (True,) * 4))
        x = strategy.ask(key_ask, state)[0].x
        return jnp.mean(jnp.prod(2 * x, axis=1)) - 1

    def errors(sobol):
        keys = jax.random.split(jax.random.key(0), 200)
        return jax.jit(jax.vmap(lambda key: error(js.RandomSearch(256, sobol), key)))(keys)

    spread = [float(jnp.std(errors(sobol))) for sobol in (True, False)]
    assert spread[0] < 0.3 * spread[1]


def test_too_many_coordinates_are_refused():
    with pytest.raises(ValueError, match="at most 21201 coordinates; got 30000"):
        sobol.directions(30_000)
