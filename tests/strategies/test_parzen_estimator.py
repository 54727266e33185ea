"""The Parzen estimator against sums written out, and what it remembers."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

import jaxsearch as js
from jaxsearch.core import parzen

# A real, an integer, a category that switches the last real on when it is 1.
DOMAIN = js.Domain((0, 4, 3, 0), (True, True, False, True), parent=(-1, -1, -1, 2), branch=(0, 0, 0, 1))


def points(count, seed=0):
    x = jax.random.uniform(jax.random.key(seed), (count, 4))
    return jnp.where(DOMAIN.discrete[None], DOMAIN.centre(DOMAIN.index(x)), x)


def kernel(x, centre, width, same):
    """The density of one kernel at one point relative to the uniform one, coordinate by coordinate."""

    def mass(low, high, coordinate):
        return ndtr((high - centre[coordinate]) / width) - ndtr((low - centre[coordinate]) / width)

    def normal(coordinate):
        z = (x[coordinate] - centre[coordinate]) / width
        return np.exp(-z * z / 2) / np.sqrt(2 * np.pi) / width / mass(0, 1, coordinate)

    cell, category, own = np.floor(4 * x[1]), int(3 * x[2]), int(3 * centre[2])
    density = normal(0) * 4 * mass(cell / 4, (cell + 1) / 4, 1) / mass(0, 1, 1)
    density *= 3 * ((1 - same) / 3 + same * (category == own))
    return density * (normal(3) if category == own == 1 else 1)


def test_the_density_is_the_mean_of_the_kernels_and_the_uniform_one():
    centre, x, used = points(6), points(20, seed=1), jnp.array([True, True, False, True, True, False])
    width, same = jnp.full((6, 4), 0.15), jnp.full((1, 4), 0.6)
    log = jax.jit(functools.partial(parzen.log_density, domain=DOMAIN))(x, centre, used, width, same)
    expected = [
        (1 + sum(kernel(row, c, 0.15, 0.6) for c, use in zip(np.asarray(centre), used, strict=True) if use)) / 5
        for row in np.asarray(x, float)
    ]
    np.testing.assert_allclose(np.exp(log), expected, rtol=2e-4)


def test_samples_follow_the_kernel():
    size, centre = 20_000, points(1, seed=3).at[:, 2].set(0.5)
    x = np.asarray(
        parzen.sample(
            jax.random.uniform(jax.random.key(0), (size, 4)),
            jnp.tile(centre, (size, 1)),
            jnp.full((size, 4), 0.2),
            jnp.full((1, 4), 0.6),
            DOMAIN,
        ),
        float,
    )
    for coordinate in (0, 3):
        middle = float(centre[0, coordinate])
        truncated = stats.truncnorm(-middle / 0.2, (1 - middle) / 0.2, middle, 0.2)
        assert stats.kstest(x[:, coordinate], truncated.cdf).pvalue > 1e-3
    middle = float(centre[0, 1])
    masses = np.diff(stats.truncnorm(-middle / 0.2, (1 - middle) / 0.2, middle, 0.2).cdf(np.arange(5) / 4))
    assert stats.chisquare(np.bincount((4 * x[:, 1]).astype(int), minlength=4), size * masses).pvalue > 1e-3
    counts = np.bincount((3 * x[:, 2]).astype(int), minlength=3)
    assert stats.chisquare(counts, size * np.array([0.4 / 3, 0.6 + 0.4 / 3, 0.4 / 3])).pvalue > 1e-3


def told(strategy, x, loss):
    """The state after the points, told one by one."""

    def tell(state, point):
        return strategy.tell(state, js.Candidates(point[0][None]), js.Results(point[1][None])), None

    return jax.jit(lambda x, loss: jax.lax.scan(tell, strategy.init(jax.random.key(0), DOMAIN), (x, loss))[0])(x, loss)


def test_the_candidate_has_the_highest_ratio_of_the_densities():
    strategy = js.TPE(samples=50)
    x, loss = points(30), jax.random.normal(jax.random.key(1), (30,))
    state, order = told(strategy, x, loss), jnp.argsort(loss)
    keys = jax.random.split(jax.random.key(2), 40)
    best = jax.jit(jax.vmap(lambda key: strategy.ask(key, state)[0].x[0]))(keys)

    def density(z, chosen):
        m = len(chosen)
        width, same = max(0.2 * m ** (-1 / 8), 1 / (2 + m)), (m + 1) / (m + 4)
        kernels = [kernel(z, c, width, same) for c in np.asarray(chosen, float)]
        return (1 + sum(kernels)) / (m + 1)

    def ratio(rows):
        return [density(z, x[order[:3]]) / density(z, x[order[3:]]) for z in np.asarray(rows, float)]

    candidates, anywhere = ratio(best), ratio(points(200, seed=5))
    # The best of 50 samples from l, of which a quarter is uniform, stands above nearly every uniform point.
    assert np.median(candidates) > np.quantile(anywhere, 0.95)


def test_the_first_points_are_uniform():
    strategy = js.TPE()
    state = strategy.init(jax.random.key(0), DOMAIN)
    keys = jax.random.split(jax.random.key(1), 1000)
    x = jax.jit(jax.vmap(lambda key: strategy.ask(key, state)[0].x[0]))(keys)
    assert stats.kstest(np.asarray(x[:, 0], float), "uniform").pvalue > 1e-3


def test_the_oldest_are_forgotten_but_not_the_best():
    strategy = js.TPE(memory=50)
    loss = jnp.arange(60.0).at[:30].add(-100)  # the first 30 are the best, of them 25 stay whatever their age
    state = told(strategy, points(60), loss)
    expected = np.sort(np.concatenate([loss[:25], loss[35:]]))
    np.testing.assert_array_equal(state.loss, expected)
    assert int(state.told) == 60


@pytest.mark.parametrize("count", [1, 2, 3, 9])
def test_kernels_are_as_wide_as_points_lie_apart(count):
    centre = jax.random.uniform(jax.random.key(count), (12, 2))
    used = jnp.arange(12) % 12 < count
    width = jax.jit(parzen.spacing)(centre, used, 0.05)[:count]
    for coordinate, found in enumerate(np.asarray(width).T):
        for i, x in enumerate(own := np.asarray(centre[:count, coordinate])):
            gaps = [min(side) for side in (x - own[own < x], own[own > x] - x) if len(side)]
            assert np.isclose(found[i], max(0.05, *gaps) if gaps else 1)


def test_equal_points_have_the_least_width():
    width = parzen.spacing(jnp.full((5, 1), 0.3), jnp.arange(5) < 4, 0.125)
    np.testing.assert_allclose(width[:4], 0.125)
