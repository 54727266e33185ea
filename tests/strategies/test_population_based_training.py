import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.core.pytree import pytree
from jaxsearch.testing import DOMAINS

LOSS = jnp.array([5.0, 1.0, 9.0, 3.0, 8.0, 0.0, 7.0, 2.0, 6.0, 4.0])  # the worst are 2 and 4, the best 5 and 1


def second(strategy, domain, loss, seed=1):
    """The first candidates, and those after `loss`."""
    first, state = strategy.ask(jax.random.key(0), strategy.init(jax.random.key(0), domain))
    state = strategy.tell(state, first, js.Results(loss))
    return first, strategy.ask(jax.random.key(seed), state)[0]


def test_the_first_generation_starts_afresh():
    first, _ = second(js.PBT(population_size=10), DOMAINS["mixed"], LOSS)
    np.testing.assert_array_equal(first.origin, -1)
    np.testing.assert_array_equal(first.budget, 1)


def test_the_worst_are_replaced_by_changed_copies_of_the_best():
    run = jax.jit(jax.vmap(functools.partial(second, js.PBT(population_size=10), DOMAINS["continuous"], LOSS)))
    first, then = run(jnp.arange(20))
    stays = np.array([0, 1, 3, 5, 6, 7, 8, 9])
    np.testing.assert_array_equal(then.origin[:, stays], np.broadcast_to(stays, (20, 8)))
    np.testing.assert_array_equal(then.x[:, stays], first.x[:, stays])
    assert set(np.unique(then.origin[:, [2, 4]])) == {1, 5}
    np.testing.assert_array_equal(then.budget, 2)
    away = np.abs(then.x - jnp.take_along_axis(first.x, then.origin[..., None], axis=1))[:, [2, 4]]
    assert np.all(away > 0)
    assert 0.8 < np.mean(away <= 0.1) < 0.98, "a tenth of the coordinates is drawn anew"


def test_categories_change_only_anew_and_fixed_coordinates_never():
    domain = DOMAINS["mixed"]
    run = jax.jit(jax.vmap(lambda strategy, seed: second(strategy, domain, LOSS, seed), in_axes=(None, 0)))
    for resample in (0.0, 1.0):
        first, then = run(js.PBT(population_size=10, fixed=(0, 4), resample=resample), jnp.arange(20))
        before = jnp.take_along_axis(first.x, then.origin[..., None], axis=1)
        changed = np.mean(domain.index(then.x) != domain.index(before), axis=(0, 1))
        np.testing.assert_array_equal(then.x[..., [0, 4]], before[..., [0, 4]])
        assert (changed[5] > 0) == (resample == 1)  # the other category
        assert changed[3] > 0  # an integer of a hundred values


def test_who_failed_goes_on_from_the_living_or_afresh():
    inf, failed = jnp.inf, jnp.array([0, 2, 4])
    first, then = second(js.PBT(population_size=10), DOMAINS["continuous"], LOSS.at[failed].set(inf))
    assert np.all(np.isin(then.origin[failed], [1, 5])), "also if more failed than are replaced else"
    assert np.all(then.x[failed] != first.x[failed])
    one = jnp.full(10, inf).at[5].set(0)  # of the best two, one failed
    _, then = second(js.PBT(population_size=10), DOMAINS["continuous"], one)
    assert set(np.asarray(then.origin).tolist()) == {-1, 5}
    _, then = second(js.PBT(population_size=10, share=0), DOMAINS["continuous"], one)
    assert then.origin.tolist() == [-1] * 5 + [5] + [-1] * 4
    _, then = second(js.PBT(population_size=10), DOMAINS["continuous"], jnp.full(10, inf))
    np.testing.assert_array_equal(then.origin, -1)


@pytree
class Walk:
    """Training without networks: an epoch brings a member furthest if its pace is the share of time that passed.

    The best constant pace is 1/2, with three quarters of what the best schedule brings.
    """

    epochs = 24

    def init(self, key, space, count):
        return None

    def evaluate(self, key, state, space, candidates):
        members = self.advance(state, space, candidates.x, self.begin(state, space, candidates.x), self.epochs)
        return self.results(state, members), state

    def horizon(self, space, x):
        return jnp.full(len(x), self.epochs)

    def order(self, space, x):
        return jnp.arange(len(x))

    def begin(self, state, space, x):
        return jnp.zeros(len(x), jnp.int32), jnp.zeros(len(x))

    def advance(self, state, space, x, members, budget):
        def epoch(number, members):
            age, way = members
            step = 1 - jnp.abs(x[:, 0] - number / (self.epochs - 1))
            active = (age <= number) & (number < budget)
            return age + active, way + jnp.where(active, step, 0)

        return jax.lax.fori_loop(0, self.epochs, epoch, members)

    def results(self, state, members):
        return js.Results(-members[1] / self.epochs)


def test_it_finds_a_schedule_that_no_constant_equals():
    evaluator = js.Continued(Walk(), epochs_per_generation=1, changeable=("pace",))
    space = {"pace": js.Float(0, 1)}
    constant = Walk().evaluate(jax.random.key(0), None, space, js.Candidates(jnp.linspace(0, 1, 101)[:, None]))[0]
    run = functools.partial(js.minimize, evaluator, space, js.PBT(), num_generations=Walk.epochs)
    losses = jax.jit(jax.vmap(lambda key: run(key=key).loss))(jax.random.split(jax.random.key(0), 16))
    assert float(constant.loss.min()) == pytest.approx(-0.75, abs=0.02)
    assert np.all(np.asarray(losses) < float(constant.loss.min()))
    assert np.median(losses) < -0.85


def test_without_origin_and_budget_every_candidate_trains_for_one_generation():
    evaluator = js.Continued(Walk(), epochs_per_generation=3, changeable=("pace",))
    x = jnp.array([[0.0], [0.5]])
    space = {"pace": js.Float(0, 1)}
    state = evaluator.init(jax.random.key(0), space, 2)
    for _ in range(2):
        results, state = evaluator.evaluate(jax.random.key(0), state, space, js.Candidates(x))
        np.testing.assert_array_equal(state.members[0], 3)
        np.testing.assert_allclose(results.loss[0], -(3 - 3 / 23) / 24, rtol=1e-5)


def test_mistakes_are_told():
    with pytest.raises(ValueError, match="population_size must be an integer of at least 2"):
        js.PBT(population_size=1)
    with pytest.raises(ValueError, match="Only a Training has members that predict; got a Walk"):
        js.Continued(Walk()).fitted(None, {})
    with pytest.raises(ValueError, match="fixed must name coordinates from 0 to 3"):
        js.PBT(fixed=(4,)).init(jax.random.key(0), DOMAINS["continuous"])
