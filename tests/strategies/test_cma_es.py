"""CMA-ES against the package `cmaes` fed the same samples, and what theory promises."""

import dataclasses
import functools

import cmaes
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxsearch as js
from jaxsearch.core import margin
from jaxsearch.core.recombination import constants, rank_sum, share_ties
from jaxsearch.testing.contract import together_as_alone

DOMAIN = js.Domain((0,) * 4, (True,) * 4)


def ellipsoid(x):
    return jnp.sum(jnp.array([[1.0, 3.0, 10.0, 30.0]]) * (x - 0.5) ** 2, axis=-1)


def test_every_update_is_that_of_the_package_cmaes():
    strategy = js.CMAES(population_size=8, initial_step=0.02)  # inside the cube throughout
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    state = strategy.init(jax.random.key(0), DOMAIN)
    state = dataclasses.replace(state, mean=0.45 + 0.1 * state.mean)
    peer = cmaes.CMA(mean=np.asarray(state.mean, float), sigma=0.02, population_size=8)
    for generation in range(15):
        candidates, state = ask(jax.random.key(generation), state)
        loss = ellipsoid(candidates.x)
        state = tell(state, candidates, js.Results(loss))
        peer.tell(list(zip(np.asarray(candidates.x, float), np.asarray(loss, float), strict=True)))
        assert bool(jnp.all(jnp.abs(state.sample - 0.5) < 0.5))
        np.testing.assert_allclose(state.mean, peer._mean, atol=1e-5)
        np.testing.assert_allclose(state.step, peer._sigma, rtol=1e-3)
        np.testing.assert_allclose(state.covariance.matrix, peer._C, rtol=1e-2, atol=2e-3)


def test_a_rotation_of_the_problem_changes_nothing():
    """Rotated mean and covariance of one update are the update of the rotated samples."""
    strategy = js.CMAES(population_size=8, initial_step=0.02)
    rotation = stats.ortho_group(4, seed=np.random.default_rng(0)).rvs()
    turn = jnp.asarray(rotation, jnp.result_type(float))
    plain = strategy.init(jax.random.key(0), DOMAIN)
    turned = dataclasses.replace(plain, mean=0.5 + (plain.mean - 0.5) @ turn * 0.2)
    plain = dataclasses.replace(plain, mean=0.5 + (plain.mean - 0.5) * 0.2)
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    for generation in range(15):
        candidates, plain = ask(jax.random.key(generation), plain)
        loss = ellipsoid(candidates.x)
        plain = tell(plain, candidates, js.Results(loss))
        turned = tell(turned, js.Candidates(0.5 + (candidates.x - 0.5) @ turn), js.Results(loss))
    np.testing.assert_allclose(0.5 + (plain.mean - 0.5) @ turn, turned.mean, atol=1e-5)
    np.testing.assert_allclose(plain.step, turned.step, rtol=1e-3)
    np.testing.assert_allclose(turn.T @ plain.covariance.matrix @ turn, turned.covariance.matrix, atol=1e-2)


@pytest.mark.parametrize("kind", [js.CMAES, js.SepCMAES])
def test_no_basis_that_a_decomposition_may_return_matters(kind):
    """With 12 samples of 20 coordinates eight eigenvalues are equal; `vmap` gets other eigenvectors."""
    together_as_alone(kind(), js.Domain((0,) * 20, (True,) * 20))


def test_gradients_pass_through_equal_eigenvalues():
    domain = js.Domain((0,) * 12, (True,) * 12)

    def distance(initial_step):
        strategy = js.CMAES(population_size=6, initial_step=initial_step)

        def generation(state, key):
            candidates, state = strategy.ask(key, state)
            loss = jnp.sum((candidates.x - 0.3) ** 2, axis=1)
            return strategy.tell(state, candidates, js.Results(loss)), None

        key_init, key_run = jax.random.split(jax.random.key(0))
        state = strategy.init(key_init, domain)
        state = jax.lax.scan(generation, state, jax.random.split(key_run, 3))[0]
        return jnp.sum((state.mean - 0.3) ** 2)

    with jax.enable_x64(True):
        value = jax.jit(distance)
        expected = (value(0.2 + 1e-6) - value(0.2 - 1e-6)) / 2e-6
        np.testing.assert_allclose(jax.jit(jax.grad(distance))(0.2), expected, rtol=1e-6)


@functools.partial(jax.jit, static_argnames="kind")
def final_distances(kind, turn):
    """The squared distances `[300]` to the optimum of an ellipsoid turned by `turn`, after 40 generations."""
    strategy = kind(population_size=8, initial_step=0.02)  # inside the cube throughout

    def search(key):
        def generation(state, key):
            candidates, state = strategy.ask(key, state)
            return strategy.tell(state, candidates, js.Results(ellipsoid(0.5 + (candidates.x - 0.5) @ turn))), None

        key_init, key_mean, key_run = jax.random.split(key, 3)
        start = 0.5 + 0.05 * jax.random.normal(key_mean, (4,), turn.dtype)  # itself the same in all directions
        state = dataclasses.replace(strategy.init(key_init, DOMAIN), mean=start)
        state = jax.lax.scan(generation, state, jax.random.split(key_run, 40))[0]
        return jnp.sum((state.mean - 0.5) ** 2)

    return jax.vmap(search)(jax.random.split(jax.random.key(0), 300))


@pytest.mark.parametrize(("kind", "invariant"), [(js.CMAES, True), (js.SepCMAES, False)])
def test_whole_runs_do_not_know_the_axes(kind, invariant):
    """A diagonal covariance does know them, which shows that the problem can tell."""
    turn = jnp.asarray(stats.ortho_group(4, seed=np.random.default_rng(1)).rvs(), jnp.result_type(float))
    plain, turned = (np.asarray(final_distances(kind, t)) for t in (jnp.eye(4, dtype=turn.dtype), turn))
    assert (stats.ks_2samp(plain, turned).pvalue > 1e-3) == invariant


@pytest.mark.parametrize("kind", [js.CMAES, js.SepCMAES])
def test_a_plateau_leaves_the_step_size_without_drift(kind):
    """Away from the faces of the cube, which do shrink it."""
    strategy = kind(population_size=8, initial_step=0.01)

    def final_step(key):
        def generation(state, key):
            candidates, state = strategy.ask(key, state)
            return strategy.tell(state, candidates, js.Results(jnp.zeros_like(candidates.x[:, 0]))), None

        key_init, key_run = jax.random.split(key)
        state = strategy.init(key_init, DOMAIN)
        return jax.lax.scan(generation, state, jax.random.split(key_run, 10))[0].step

    steps = np.log(np.asarray(jax.jit(jax.vmap(final_step))(jax.random.split(jax.random.key(0), 400))) / 0.01)
    assert abs(steps.mean()) < 0.12
    assert steps.std() > 0.05


@pytest.mark.parametrize("kind", [js.CMAES, js.SepCMAES])
def test_a_plateau_leaves_the_shape_and_the_odds(kind):
    """By chance alone deviations would shrink, three by e^5 in 300 generations, and odds reach 0 and 1."""
    domain = js.Domain((0, 0, 4), (True, True, False))
    strategy = kind(population_size=8, initial_step=0.01)

    def run(key):
        def generation(state, key):
            candidates, state = strategy.ask(key, state)
            return strategy.tell(state, candidates, js.Results(jnp.ones_like(candidates.x[:, 0]))), None

        state = strategy.init(key, domain)
        return jax.lax.scan(generation, state, jax.random.split(key, 30))[0]

    state = jax.jit(run)(jax.random.key(0))
    np.testing.assert_allclose(state.covariance.deviations(), [1, 1], rtol=1e-5)
    np.testing.assert_allclose(state.covariance.longest, 1, rtol=1e-5)
    np.testing.assert_allclose(state.odds, np.full((1, 4), 0.25), rtol=1e-5)


def test_ranks_of_losses_and_of_distances_are_added():
    random = np.random.default_rng(0)
    loss, outside = random.integers(0, 6, 20).astype(float), random.integers(0, 3, 20).astype(float)
    loss[3], loss[4], used = np.inf, np.inf, np.arange(20) < 15
    expected = stats.rankdata(loss[:15], "min") + stats.rankdata(outside[:15], "min") / 2 - 1.5
    expected[3] = expected[4] = 13 + 20
    found = rank_sum(jnp.asarray(loss), jnp.asarray(outside), jnp.asarray(used))
    np.testing.assert_array_equal(found, np.append(expected, np.full(5, np.nan)))
    assert np.all(found[3] > np.delete(found[:15], [3, 4])), "a failure inside is worse than a loss outside"


@pytest.mark.parametrize("kind", [js.CMAES, js.SepCMAES])
def test_a_minimum_in_a_corner_is_met_exactly(kind):
    """All losses beyond the corner are equal, so a strategy must be able to stay there for a while."""
    slopes = 10 ** jnp.linspace(0, 2, DOMAIN.size)

    def search(key):
        strategy = kind()

        def generation(carry, key):
            state, best = carry
            candidates, state = strategy.ask(key, state)
            loss = candidates.x @ slopes
            return (strategy.tell(state, candidates, js.Results(loss)), jnp.minimum(best, jnp.min(loss))), None

        key_init, key_run = jax.random.split(key)
        start = (strategy.init(key_init, DOMAIN), jnp.asarray(jnp.inf))
        return jax.lax.scan(generation, start, jax.random.split(key_run, 60))[0][1]

    best = np.asarray(jax.jit(jax.vmap(search))(jax.random.split(jax.random.key(0), 50)))
    assert np.mean(best == 0) > 0.9


def test_equal_losses_share_their_weights():
    k = constants(jnp.asarray(6.0), 8, 4)
    loss = jnp.array([1.0, 2.0, 2.0, 2.0, 3.0, jnp.inf, jnp.nan, jnp.nan])
    shared = share_ties(k.weights, loss)
    np.testing.assert_allclose(shared[1:4], np.full(3, np.mean(k.weights[1:4])), rtol=1e-5)
    np.testing.assert_allclose(shared[jnp.array([0, 4, 5])], k.weights[jnp.array([0, 4, 5])], rtol=1e-6)
    np.testing.assert_allclose(np.maximum(k.weights, 0).sum(), 1, rtol=1e-6)
    np.testing.assert_array_equal(k.weights[6:], np.zeros(2))


def test_the_margin_keeps_every_value_reachable():
    domain = js.Domain((0, 2, 5, 9), (True,) * 4, (0.0, 0.0, 0.0, 3.0))
    alpha = 0.05
    for seed in range(30):
        key_mean, key_deviation = jax.random.split(jax.random.key(seed))
        mean = jax.random.uniform(key_mean, (4,))
        deviation = 10 ** jax.random.uniform(key_deviation, (4,), minval=-5, maxval=-1)
        moved, widened = margin.keep_margin(mean, deviation, domain, alpha)
        index = np.asarray(domain.index(mean))
        assert moved[0] == mean[0]
        assert widened[0] == deviation[0]
        np.testing.assert_array_equal(domain.index(moved)[1:], index[1:])
        for j in range(1, 4):
            edges = [float(domain.centre(jnp.full(4, index[j] + e), moved.dtype)[j]) for e in (-0.5, 0.5)]
            leave = stats.norm(float(moved[j]), float(widened[j]))
            down = leave.cdf(edges[0]) if index[j] > 0 else None
            up = leave.sf(edges[1]) if index[j] < domain.cardinality[j] - 1 else None
            for share in (down, up):
                least = alpha if None in (down, up) else alpha / 2
                assert share is None or share > 0.98 * least


def test_odds_stay_a_distribution_with_a_floor():
    cells = np.array([2, 4, 1])
    odds = margin.even_odds(cells, jnp.zeros((1, 1)))
    values = jnp.zeros((5, 3), jnp.int32)
    for _ in range(50):
        odds = margin.learn_odds(odds, values, jnp.full(5, 0.2), jnp.asarray(0.3), cells)
    np.testing.assert_allclose(odds.sum(1), np.ones(3), rtol=1e-5)
    floor = (1 - 0.73 ** (1 / 3)) / 3
    np.testing.assert_allclose(odds[1, 1:], np.full(3, floor), rtol=1e-4)
    np.testing.assert_allclose(odds[2], [1, 0, 0, 0])
    u = jax.random.uniform(jax.random.key(0), (20_000, 3))
    drawn = np.asarray(margin.draw_values(u, odds, cells))
    expected = np.asarray(odds[1], float)
    assert stats.chisquare(np.bincount(drawn[:, 1], minlength=4), 20_000 * expected / expected.sum()).pvalue > 1e-3
    assert drawn[:, 0].max() == 1
    assert drawn[:, 2].max() == 0


def test_collected_batches_are_one_population():
    """Two asks of four samples are one update of eight."""
    strategy = js.CMAES(population_size=4, max_batches=2, batches=2, initial_step=0.02)
    state = strategy.init(jax.random.key(0), DOMAIN)
    whole = js.CMAES(population_size=8, initial_step=0.02)
    other = whole.init(jax.random.key(0), DOMAIN)
    other = dataclasses.replace(other, mean=state.mean)
    ask, tell, tell_whole = jax.jit(strategy.ask), jax.jit(strategy.tell), jax.jit(whole.tell)
    asked = []
    for generation in range(2):
        candidates, state = ask(jax.random.key(generation), state)
        asked.append(candidates.x)
        before, state = state, tell(state, candidates, js.Results(ellipsoid(candidates.x)))
        assert bool(jnp.all(before.mean == state.mean)) == (generation == 0)
    together = jnp.concatenate(asked)
    other = tell_whole(other, js.Candidates(together), js.Results(ellipsoid(together)))
    for one, two in ((state.mean, other.mean), (state.step, other.step), (state.path, other.path)):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


def test_points_told_without_being_asked_for_are_not_taken_for_draws():
    """A replayed log: the first sample of a state is 0, and so may a point be."""
    strategy, domain = js.CMAES(population_size=4), js.Domain((0, 0), (True, True))
    state = strategy.init(jax.random.key(0), domain)
    x = jnp.array([[0.0, 0.0], [0.2, 0.1], [0.9, 0.3], [0.4, 0.8]])
    after = strategy.tell(state, js.Candidates(x), js.Results(jnp.arange(4.0)))
    np.testing.assert_allclose(after.y, (x - state.mean[None]) / state.step, rtol=1e-5)


@pytest.mark.parametrize("kind", [js.CMAES, js.SepCMAES])
def test_a_point_rounded_otherwise_is_still_the_draw(kind):
    """A compiler may round the sum that is the sample differently in `ask` and in `tell`."""
    strategy, domain = kind(population_size=8, initial_step=0.3), js.Domain((0,) * 4, (True,) * 4)
    candidates, state = strategy.ask(jax.random.key(1), strategy.init(jax.random.key(0), domain))
    outside = jnp.any((state.sample < 0) | (state.sample > 1), axis=1)
    assert jnp.any(outside)
    assert not jnp.all(outside)
    results = js.Results(ellipsoid(candidates.x))
    moved = jnp.where((candidates.x > 0) & (candidates.x < 1), jnp.nextafter(candidates.x, 1.0), candidates.x)
    one, other = (strategy.tell(state, js.Candidates(x), results) for x in (candidates.x, moved))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), one.y, other.y)
    np.testing.assert_allclose(one.outside, other.outside, atol=1e-6)
