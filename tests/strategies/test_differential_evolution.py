import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxsearch as js
from jaxsearch.core import cauchy
from jaxsearch.strategies.differential_evolution import _lehmer, _others


def jitted(strategy):
    return jax.jit(strategy.init, static_argnums=1), jax.jit(strategy.ask), jax.jit(strategy.tell)


def bowl(candidates):
    return js.Results(jnp.sum((candidates.x - 0.4) ** 2, axis=1))


def test_the_memory_and_the_archive_follow_shade():
    strategy, domain = js.DE(population_size=8, memory_size=3), js.Domain((0,) * 4, (True,) * 4)
    init, ask, tell = jitted(strategy)
    state = init(jax.random.key(0), domain)
    for generation in range(6):
        candidates, state = ask(jax.random.key(generation), state)
        results = bowl(candidates)
        after = tell(state, candidates, results)
        better = np.asarray(results.loss < state.loss) & bool(state.started)
        weights, rates, cell = np.array(state.weights, float), np.array(state.rates, float), int(state.cell)
        archive, archived = np.asarray(state.archive).copy(), int(state.archived)
        if better.any():
            weight, rate = np.asarray(state.weight, float)[better], np.asarray(state.rate, float)[better]
            weights[cell] = (weight**2).sum() / weight.sum()
            rates[cell] = -1 if rates[cell] < 0 or rate.max() == 0 else (rate**2).sum() / rate.sum()
            cell = (cell + 1) % 3
        for member in np.flatnonzero(better):
            archive[archived % len(archive)] = state.x[member]
            archived += 1
        np.testing.assert_allclose(after.weights, weights, rtol=1e-5)
        np.testing.assert_allclose(after.rates, rates, rtol=1e-5)
        np.testing.assert_array_equal(after.archive, archive)
        assert (int(after.cell), int(after.archived) % len(archive)) == (cell, archived % len(archive))
        kept = np.asarray(results.loss <= state.loss)[:, None]
        np.testing.assert_array_equal(after.x, np.where(kept, candidates.x, state.x))
        state = after


def test_partners_are_distinct_and_uniform():
    size, archived, draws = 5, 3, 40_000
    u = jax.random.uniform(jax.random.key(0), (2, draws, size))
    r1, r2 = jax.vmap(lambda u1, u2: _others(u1, u2, size, archived, jnp.arange(size)))(u[0], u[1])
    for i in range(size):
        first, second = np.asarray(r1[:, i]), np.asarray(r2[:, i])
        assert i not in first
        assert i not in second
        assert not np.any(first == second)
        assert stats.chisquare(np.bincount(first, minlength=size)[np.arange(size) != i]).pvalue > 1e-3
        for partner in set(range(size)) - {i}:
            counts = np.bincount(second[first == partner], minlength=size + archived)
            allowed = [j for j in range(size + archived) if j not in (i, partner)]
            assert counts.sum() == counts[allowed].sum()
            assert stats.chisquare(counts[allowed]).pvalue > 1e-4


def test_the_population_shrinks_by_its_schedule():
    """L-SHADE with the same trials in NumPy: who is left, with which losses, after every generation."""
    size, generations, domain = 8, 30, js.Domain((0,) * 5, (True,) * 5)
    strategy = js.DE(population_size=size, num_generations=float(generations))
    init, ask, tell = jitted(strategy)
    state = init(jax.random.key(0), domain)
    most = len(state.x)
    assert most == 24  # the least multiple of 8 that is not below 4 D
    first, kept, seen = np.asarray(state.x), np.zeros((0, 5)), np.zeros(0)
    for generation in range(generations):
        candidates, state = ask(jax.random.key(generation), state)
        results = bowl(candidates)
        x, loss, member = (np.asarray(part) for part in (candidates.x, results.loss, state.member))
        if generation < 3:
            np.testing.assert_array_equal(x, first[generation * size :][:size])
            kept, seen = np.concatenate([kept, x]), np.concatenate([seen, loss])
        else:
            alive = max(4, round(most + (4 - most) * generation / generations))
            shares = np.bincount(member, minlength=alive)
            assert len(shares) == alive
            assert shares.max() <= np.ceil(size / alive) + 1
            for i in np.unique(member):
                best = np.flatnonzero(member == i)[np.argmin(loss[member == i])]
                if loss[best] <= seen[i]:
                    kept[i], seen[i] = x[best], loss[best]
        order = np.argsort(seen, kind="stable")
        kept, seen = kept[order], seen[order]
        state = tell(state, candidates, results)
        np.testing.assert_allclose(state.loss[: len(seen)], seen)
        np.testing.assert_allclose(state.x[: len(seen)], kept)
    assert int(strategy._sizes(state)[0]) == 4


def test_parents_are_members_that_are_left():
    """Candidates are combinations of the best N and of the archive: a member that was dropped has no part in them."""
    strategy, domain = js.DE(population_size=8, num_generations=10.0), js.Domain((0,) * 4, (True,) * 4)
    state = strategy.init(jax.random.key(0), domain)
    left = jnp.arange(len(state.x))[:, None] < 4
    state = dataclasses.replace(
        state,
        x=jnp.where(left, 0.5, 0.9) + jnp.zeros_like(state.x),
        generation=jnp.asarray(10, jnp.int32),
        started=jnp.asarray(True),
    )
    for key in range(20):
        np.testing.assert_array_equal(strategy.ask(jax.random.key(key), state)[0].x, 0.5)


@pytest.mark.parametrize("wrong", [0, -3.0])
def test_the_number_of_generations_is_checked(wrong):
    with pytest.raises(ValueError, match="num_generations must be above 0"):
        js.DE(num_generations=wrong)


@pytest.mark.parametrize("location", [0.0, 0.3, 0.9])
def test_weights_are_a_cauchy_distribution_above_0(location):
    u = jax.random.uniform(jax.random.key(1), (20_000,))
    drawn = np.asarray(cauchy.above_zero(u, location, cauchy.below_zero(location)))
    assert drawn.min() > 0
    assert drawn.max() == 1
    whole = stats.cauchy(location, 0.1)
    below = drawn[drawn < 1]
    share = (whole.cdf(below) - whole.cdf(0)) / (whole.cdf(1) - whole.cdf(0))
    assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_the_lehmer_mean_of_nothing_is_0():
    assert float(_lehmer(jnp.ones(3), jnp.zeros(3, bool))) == 0


def test_a_finite_space_is_not_asked_twice_for_the_same_member():
    domain = js.Domain((4, 5, 6), (True, False, True))
    strategy = js.DE(population_size=10)
    init, ask, tell = jitted(strategy)
    state = init(jax.random.key(0), domain)
    for generation in range(12):
        candidates, state = ask(jax.random.key(generation), state)
        if generation:
            repeated = jnp.all(domain.index(candidates.x) == domain.index(state.x), axis=1)
            assert not bool(jnp.any(repeated))
        loss = jnp.sum(domain.index(candidates.x), axis=1).astype(candidates.x.dtype)
        state = tell(state, candidates, js.Results(loss))
