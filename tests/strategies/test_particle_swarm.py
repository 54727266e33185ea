"""One generation of every variant against an independent NumPy version, and whom a particle follows."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxsearch as js
from jaxsearch.core import random

LINE = js.Domain((0, 0, 0), (True, True, True))
SIZE, INERTIA, PULL = 6, 0.7213, 1.1931


def told(strategy, generations=3):
    """The state after some generations on a bowl with its centre outside of the cube, so that particles meet faces."""
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    state = strategy.init(jax.random.key(0), LINE)
    for generation in range(generations):
        candidates, state = ask(jax.random.key(generation), state)
        state = tell(state, candidates, js.Results(jnp.sum((candidates.x + 0.5) ** 2, 1)))
    return state


def heard(strategy, state, drawn, i):
    """The particles of which particle i hears, itself among them."""
    if strategy.topology == "global":
        return list(range(SIZE))
    if strategy.topology == "ring":
        return [(i - 1) % SIZE, i, (i + 1) % SIZE]
    informants = np.asarray(state.informants if state.improved else drawn)
    return [j for j in range(SIZE) if j == i or i in informants[j]]


@pytest.mark.parametrize("topology", ["random", "ring", "global"])
@pytest.mark.parametrize("update", ["coordinate", "sphere"])
def test_a_generation_follows_its_equation(topology, update):
    strategy = js.PSO(population_size=SIZE, topology=topology, update=update, crossover=0.0)
    state = told(strategy)
    state = dataclasses.replace(state, x=state.x.at[1, 0].set(0), velocity=state.velocity.at[1, 0].set(-0.2))
    key = jax.random.key(9)
    candidates, after = strategy.ask(jax.random.clone(key), state)
    r1, r2 = (np.asarray(draws) for draws in random.uniforms(key, (SIZE, 3)))
    drawn = np.asarray(random.bits(key, (SIZE, 3), start=3 * SIZE)) % SIZE
    key_direction, key_share = jax.random.split(jax.random.fold_in(key, 1))
    normal = np.asarray(jax.random.normal(key_direction, (SIZE, 3)))
    share = np.asarray(jax.random.uniform(key_share, (SIZE,)))
    x, velocity, best_x, best_loss = (
        np.asarray(part, float) for part in (state.x, state.velocity, state.best_x, state.best_loss)
    )
    outward = ((x == 0) & (velocity < 0)) | ((x == 1) & (velocity > 0))
    assert outward.any(), "the test must see a face"
    velocity = np.where(outward, -velocity / 2, velocity)
    for i in range(SIZE):
        leader = min(heard(strategy, state, drawn, i), key=lambda j: best_loss[j])
        own, others = best_x[i] - x[i], best_x[leader] - x[i]
        if update == "coordinate":
            step = PULL * r1[i] * own + (PULL * r2[i] * others if leader != i else 0)
        else:
            centre = x[i] + (PULL * (own + others) / 3 if leader != i else PULL * own / 2)
            radius = np.linalg.norm(centre - x[i])
            step = centre + share[i] * radius * normal[i] / np.linalg.norm(normal[i]) - x[i]
        v = INERTIA * velocity[i] + step
        moved = x[i] + v
        np.testing.assert_allclose(candidates.x[i], np.clip(moved, 0, 1), atol=1e-6)
        np.testing.assert_allclose(after.velocity[i], v, atol=1e-6)


def test_a_particle_moves_its_share_of_coordinates_and_keeps_the_rate_that_served_it():
    domain, size = js.Domain((0,) * 300, (True,) * 300), 400
    strategy = js.PSO(population_size=size)
    ask, tell = jax.jit(js.PSO.ask), jax.jit(strategy.tell)
    state = strategy.init(jax.random.key(0), domain)
    loss = jnp.ones(size)
    for generation in range(2):
        candidates, state = ask(strategy, jax.random.key(generation), state)
        state = tell(state, candidates, js.Results(loss))
        loss = jnp.where(np.arange(size) % 2 == 0, 0.5, 2.0)  # the even particles improve
    np.testing.assert_array_equal(np.asarray(state.rate) >= 0, np.arange(size) % 2 == 0)
    candidates, asked = ask(strategy, jax.random.key(2), state)
    rate = np.asarray(asked.rate)
    np.testing.assert_array_equal(rate[::2], state.rate[::2])
    for rates in (rate[::2], rate[1::2]):
        assert stats.binomtest(int(np.sum(rates == 1)), size // 2).pvalue > 1e-3
        assert stats.kstest(rates[rates < 1], "uniform").pvalue > 1e-3
    whole = dataclasses.replace(state, rate=-jnp.ones(size))
    plain = ask(dataclasses.replace(strategy, crossover=0.0), jax.random.key(2), whole)[0]
    moved, rests = (np.asarray(candidates.x == x) for x in (plain.x, state.best_x))
    assert np.all(moved | rests)
    assert np.all(moved.any(axis=1))
    assert np.all(moved[rate == 1])
    odd = np.arange(size) % 2 == 1  # away from their best, so that a move shows
    share = 1 - rests[odd].mean(axis=1)
    assert np.all(np.abs(share - rate[odd]) < 5 * np.sqrt(rate[odd] * (1 - rate[odd]) / 300) + 0.02)


def test_informants_are_redrawn_only_without_improvement():
    strategy = js.PSO(population_size=20)
    state = told(strategy, generations=1)
    kept = strategy.ask(jax.random.key(1), state)[1].informants
    assert bool(state.improved)
    np.testing.assert_array_equal(kept, state.informants)
    candidates, asked = strategy.ask(jax.random.key(1), state)
    stalled = strategy.tell(asked, candidates, js.Results(jnp.full(20, 9.0)))
    assert not bool(stalled.improved)
    assert np.any(np.asarray(strategy.ask(jax.random.key(2), stalled)[1].informants) != np.asarray(state.informants))


@pytest.mark.parametrize("values", [50, 3])
def test_leaders_are_the_best_heard_of_also_among_ties(values):
    size = 200
    loss = jax.random.randint(jax.random.key(0), (size,), 0, values).astype(float)
    informants = jax.random.randint(jax.random.key(1), (size, 3), 0, size)
    found = np.asarray(js.PSO()._leaders(informants, loss))
    table = np.asarray(informants)
    for i in range(size):
        expected = min([j for j in range(size) if j == i or i in table[j]], key=lambda j: loss[j])
        assert found[i] == expected


def test_the_sphere_update_has_no_preferred_direction():
    """Steps of particles with the same pull: along and across an axis of the cube as along and across its diagonal."""
    size = 4000
    strategy = js.PSO(population_size=size, update="sphere", topology="global")
    state = strategy.init(jax.random.key(0), LINE)
    rest = functools.partial(jnp.broadcast_to, shape=(size, 3))
    steps = []
    for target in (jnp.array([0.7, 0.5, 0.5]), 0.5 + 0.2 / np.sqrt(3) * jnp.ones(3)):
        still = type(state)(
            x=rest(jnp.full(3, 0.5)),
            velocity=jnp.zeros((size, 3)),
            best_x=rest(target),
            best_loss=jnp.arange(size, dtype=float),
            informants=state.informants,
            rate=state.rate,
            improved=state.improved,
            started=jnp.array(True),
            domain=LINE,
        )
        moved = np.asarray(strategy.ask(jax.random.key(len(steps)), still)[0].x) - 0.5
        axis = np.asarray(target - 0.5) / 0.2
        along = moved @ axis
        steps.append((along[1:], np.linalg.norm(moved - along[:, None] * axis, axis=1)[1:]))
    for one, other in zip(*steps, strict=True):
        assert stats.ks_2samp(one, other).pvalue > 1e-3


def test_a_swarm_without_random_links_draws_none():
    state = js.PSO(population_size=7, topology="global").init(jax.random.key(0), LINE)
    assert state.informants.size == 0


@pytest.mark.parametrize("wrong", [{"topology": "star"}, {"update": "polar"}])
def test_errors_name_the_remedy(wrong):
    with pytest.raises(ValueError, match="Leave them out for the first"):
        js.PSO(**wrong)
    with pytest.raises(ValueError, match="num_informants"):
        js.PSO(num_informants=0)
