import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js

PLANE = js.Domain((0, 0), (True, True))


@functools.partial(jax.jit, static_argnames=("objective", "generations", "domain"))
def go(strategy, objective, generations, domain=PLANE, seed=0):
    """The recorded states after each generation."""

    def generation(state, key):
        candidates, state = strategy.ask(key, state)
        loss = objective(candidates.x)
        state = strategy.tell(state, candidates, js.Results(loss, jnp.zeros_like(candidates.x)))
        return state, (state, loss)

    state = strategy.init(jax.random.key(seed), domain)
    return jax.lax.scan(generation, state, jax.random.split(jax.random.key(seed), generations))[1]


def bowl(x):
    return jnp.sum((x - 0.5) ** 2, axis=-1)


def plateau(x):
    return x[:, 0] * 0


def two_basins(x):
    """A wide basin of depth 1 and a narrow one of depth 0."""
    wide = 1 + jnp.sum((x - 0.7) ** 2, axis=-1)
    return jnp.minimum(wide, 100 * jnp.sum((x - 0.15) ** 2, axis=-1))


@pytest.mark.parametrize("strategy", [js.CMAES(), js.DE(population_size=12), js.PSO()])
def test_restarts_leave_the_wrong_basin(strategy):
    def lowest(strategy):
        return jax.jit(jax.vmap(lambda seed: jnp.min(go(strategy, two_basins, 1500, seed=seed)[1])))(jnp.arange(16))

    alone, restarted = lowest(strategy), lowest(js.Restart(strategy, patience=5.0, tolerance=1e-4))
    assert int(jnp.sum(restarted < 0.5)) == 16
    assert int(jnp.sum(alone < 0.5)) < 16


def test_a_sample_beyond_one_face_may_come_back():
    """Four points on a line are often all beyond the nearer end, where they are one point: that is no end of a run."""
    line, strategy = js.Domain((0,), (True,)), js.Restart(js.CMAES())
    search = jax.vmap(lambda seed: go(strategy, lambda x: jnp.sum((x - 0.03) ** 2, axis=-1), 40, line, seed)[0].ended)
    assert np.asarray(search(jnp.arange(100)))[:, :10].sum() == 0


def test_populations_double_and_budgets_balance():
    strategy = js.Restart(js.CMAES(population_size=6), growth="ipop", max_batches=8, patience=3.0)
    states, _ = go(strategy, bowl, 3000)
    batches, fresh = np.asarray(states.inner.batches), np.flatnonzero(np.diff(np.asarray(states.spent)) < 0) + 1
    assert [1, *batches[fresh][:4]] == [1, 2, 4, 8, 8]
    states, _ = go(js.Restart(js.CMAES(population_size=6), growth="bipop", max_batches=8, patience=3.0), bowl, 6000)
    large, small = np.asarray(states.budgets)[-1]
    assert large > 0
    assert small > 0
    assert 0.3 < large / small < 3


def test_a_run_without_hope_ends_early():
    def runs(hope):
        return go(js.Restart(js.CMAES(), growth="none", hope=hope), two_basins, 3000, seed=3)[0]

    eager, patient = runs(1e3), runs(np.inf)
    ended, worse = np.asarray(eager.ended), np.asarray(eager.best > eager.record + 0.5)
    assert np.sum(ended & worse) > 1
    assert np.sum(ended) > np.sum(np.asarray(patient.ended))


def test_a_run_that_would_win_goes_on():
    def cones(x):  # of nearly equal depth, so that a run comes close to the better apex before it is the best
        distance = [jnp.linalg.norm(x - centre, axis=-1) for centre in (0.3, 0.7)]
        return jnp.minimum(distance[0] + 1e-3, distance[1])

    domain = js.Domain((0,) * 5, (True,) * 5)
    strategy = js.Restart(js.CMAES(initial_step=0.1), growth="none")
    lowest = jax.jit(jax.vmap(lambda seed: jnp.min(go(strategy, cones, 2000, domain, seed)[1])))(jnp.arange(16))
    assert int(jnp.sum(lowest < 1e-3)) == 16


def test_a_strategy_that_restarts_itself_is_left_alone():
    states, _ = go(js.Restart(js.LocalSearch(population_size=4), patience=0.0), plateau, 300)
    assert not np.any(np.asarray(states.ended))


def test_a_flat_discrete_space_restarts_and_an_unfinished_run_does_not():
    domain = js.Domain((3, 3), (False, False))
    states, _ = go(js.Restart(js.DE(population_size=6)), plateau, 100, domain)
    assert np.any(np.asarray(states.ended))
    states, _ = go(js.Restart(js.CMAES()), bowl, 20)
    assert not np.any(np.asarray(states.ended))


@pytest.mark.parametrize("wrong", [{"growth": "fast"}, {"max_batches": 0}, {"max_batches": 2.5}])
def test_errors_name_the_remedy(wrong):
    with pytest.raises(ValueError, match="Leave it out"):
        js.Restart(js.PSO(), **wrong)
