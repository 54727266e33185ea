import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxsearch.core import random
from jaxsearch.core.fusion import once

SHAPES = [(), (1,), (5,), (7, 9), (3, 4, 5), (0, 3)]
SAME = {
    "bits": (random.bits, lambda key, shape: jax.random.bits(key, shape, jnp.uint32)),
    "uniform": (random.uniform, lambda key, shape: jax.random.uniform(key, shape, jnp.result_type(float))),
    "normal": (random.normal, lambda key, shape: jax.random.normal(key, shape, jnp.result_type(float))),
}


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("implementation", ["threefry2x32", "rbg"])
def test_the_draws_are_those_of_jax(name, implementation):
    ours, theirs = SAME[name]
    for shape in SHAPES:
        draws = jax.jit(ours, static_argnums=1), theirs
        here, there = (draw(jax.random.key(3, impl=implementation), shape) for draw in draws)
        assert here.dtype == there.dtype
        np.testing.assert_array_equal(here, there)


def test_both_words_of_a_counter_make_the_bits_of_jax():
    both = random._words(jax.random.key(5), (6, 7))
    np.testing.assert_array_equal(both[0] ^ both[1], jax.random.bits(jax.random.key(5), (6, 7), jnp.uint32))


def test_blocks_of_one_key_do_not_overlap():
    key = jax.random.key(1)
    whole = random.bits(key, (30,))  # later blocks are of the same use of the key
    np.testing.assert_array_equal(random.bits(key, (4, 5), start=10), whole[10:].reshape(4, 5))
    assert random.bits(key, (), start=10) == whole[10]


def test_more_draws_than_can_be_counted_are_those_of_another_key():
    far = jax.jit(lambda key, start: random.bits(key, (3,), start), static_argnums=1)
    found = {tuple(far(jax.random.key(1), start).tolist()) for start in (0, 1, 2**32, 2**32 + 1, 2**33)}
    assert len(found) == 5


@pytest.mark.parametrize("implementation", ["threefry2x32", "rbg"])
def test_two_draws_at_once_are_uniform_and_independent(implementation):
    u, v = random.uniforms(jax.random.key(2, impl=implementation), (300, 200))
    assert u.dtype == v.dtype == jnp.result_type(float)
    for draws in (u, v, (u + v) % 1):
        assert stats.kstest(np.ravel(draws), "uniform").pvalue > 0.01
    assert abs(stats.pearsonr(np.ravel(u), np.ravel(v)).statistic) < 0.015  # 3.7 standard errors


def test_a_row_hashed_from_a_word_is_uniform_and_independent():
    rows = np.asarray(random.across(random.bits(jax.random.key(0), (2000,)), 40))
    assert stats.kstest(rows.ravel(), "uniform").pvalue > 0.01
    number = (rows < 0.3).sum(axis=1)  # binomial, if coordinates are independent
    expected = stats.binom(40, 0.3).pmf(np.arange(41)) * len(rows)
    bins = np.searchsorted(np.cumsum(expected), np.linspace(0, len(rows), 9)[1:-1])
    observed = np.histogram(number, [0, *bins, 41])[0]
    assert stats.chisquare(observed, np.add.reduceat(expected, [0, *bins])).pvalue > 0.01
    correlation = np.corrcoef(rows.T) - np.eye(40)
    assert np.abs(correlation).max() < 4.5 / np.sqrt(len(rows))


def test_rows_of_neighbouring_words_share_nothing():
    rows = np.asarray(random.across(jnp.arange(64, dtype=jnp.uint32), 64))
    assert len(np.unique(rows)) > 64 * 64 - 10  # of 2^23 values each


def test_gaussian_draws():
    assert np.isfinite(random.gaussian(jnp.array([0.0, 1 - 2.0**-23]))).all()
    draws = random.gaussian(random.uniform(jax.random.key(4), (50_000,)))
    assert stats.kstest(np.asarray(draws), "norm").pvalue > 0.01


def test_ranges_and_vmap():
    keys = jax.random.split(jax.random.key(0), 4)
    ours = jax.jit(jax.vmap(lambda key: random.uniform(key, (6,), -1.0, 3.0)))(jax.random.clone(keys))
    theirs = jax.jit(jax.vmap(lambda key: jax.random.uniform(key, (6,), minval=-1.0, maxval=3.0)))(keys)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert ours.dtype == jnp.result_type(float)


def test_what_is_computed_once_is_the_same_but_for_one_word():
    for numbers in ([-1.5, 0.0, jnp.inf, 1e-38], [0, 3, -(2**31)]):
        x = jnp.asarray(numbers)
        np.testing.assert_array_equal(once(x), x)
    assert once(jnp.array(-1)) == 0


def test_a_row_is_computed_once_and_has_a_derivative():
    def rows(x, wrap):
        return jnp.exp(wrap(jnp.log(x)))[:, None] * jnp.ones((4, 8), x.dtype)

    x = jnp.arange(1.0, 5.0)
    assert "remainder" in jax.jit(rows, static_argnums=1).lower(x, once).compile().as_text()
    slope = jax.grad(lambda x, wrap: jnp.sum(rows(x, wrap)))
    np.testing.assert_array_equal(slope(x, once), slope(x, lambda x: x))
