import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsearch.core import ranking


@pytest.fixture
def never_sorted(monkeypatch):
    """The way of large populations, for small ones."""
    monkeypatch.setattr(ranking, "SORTED_UP_TO", 0)


def losses(random, size):
    """Of all magnitudes, or with many ties, some of them infinite or NaN."""
    loss = random.normal(size=size) * 10.0 ** random.integers(-40, 30)
    if random.random() < 0.4:
        loss = random.integers(-2, 3, size) + 0.0
    for bad in (np.inf, -np.inf, np.nan):
        loss[random.random(size) < 0.1] = bad
    return jnp.asarray(loss)


def test_selecting_without_sorting_is_selecting(never_sorted):
    random, select = np.random.default_rng(0), jax.jit(ranking.among_best, static_argnums=1)
    for size, count in ((1, 1), (30, 1), (30, 12), (30, 30)):
        for _ in range(50):
            loss = losses(random, size)
            np.testing.assert_array_equal(np.sort(select(loss, count)), np.sort(ranking.best(loss, count)))


def test_both_zeros_are_equal(never_sorted):
    np.testing.assert_array_equal(np.sort(ranking.among_best(jnp.array([0.0, -0.0, 1.0, -0.0]), 2)), [0, 1])


def test_the_lowest_is_the_first_of_equals():
    for loss in ([3.0, 1.0, 2.0, 1.0], [jnp.inf, jnp.inf], [5.0]):
        assert ranking.lowest(jnp.array(loss)) == np.argmin(loss)
    assert ranking.lowest(jnp.array([jnp.nan, 1.0])) == 1
