import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js

SPACE = {"n": js.Int(0, 4), "x": js.Float(-1, 1, shape=(3,))}


def loss(key, params):
    x = params["x"]
    return jnp.sum(jnp.array([1.0, 3.0, 9.0]) * (x - jnp.array([0.2, -0.5, 0.9])) ** 2) + params["n"]


def test_the_slopes_are_those_of_the_loss():
    told = []

    class Listener(js.GradientSearch):
        def tell(self, state, candidates, results):
            told.append((candidates.x, results.grad))
            return state

    strategy = js.FiniteDifferences(Listener(population_size=4))
    candidates, state = strategy.ask(jax.random.key(1), strategy.init(jax.random.key(0), js.domain(SPACE)))
    params = jax.vmap(js.decode, in_axes=(None, 0))(SPACE, candidates.x)
    losses = jax.vmap(loss, in_axes=(None, 0))(None, params).at[5].set(jnp.inf)
    strategy.tell(state, candidates, js.Results(losses))
    x, grad = told[0]
    exact = jax.vmap(jax.grad(lambda x: loss(None, js.decode(SPACE, x))))(x)
    exact = exact.at[1, 1].set(0)  # row 5 is the neighbour of the second candidate along the first real coordinate
    assert candidates.x.shape == (16, 4)
    assert np.all((candidates.x >= 0) & (candidates.x <= 1))
    np.testing.assert_array_equal(grad[:, 0], 0)
    np.testing.assert_allclose(grad, exact, rtol=2e-2, atol=2e-2)


def test_points_in_place_of_neighbours_have_no_slope():
    told = []

    class Listener(js.GradientSearch):
        def tell(self, state, candidates, results):
            told.append(results.grad)
            return state

    strategy = js.FiniteDifferences(Listener(population_size=2))
    candidates, state = strategy.ask(jax.random.key(1), strategy.init(jax.random.key(0), js.domain(SPACE)))
    x = candidates.x.at[2].set(0.25).at[5].set(candidates.x[1])  # another point, and the same as its candidate
    strategy.tell(state, candidates._replace(x=x), js.Results(jnp.arange(8.0)))
    assert np.all(np.isfinite(told[0]))
    np.testing.assert_array_equal(told[0] != 0, [[False, False, True, True], [False, True, False, True]])


def test_gradient_search_descends_without_gradients():
    strategy = js.FiniteDifferences(js.GradientSearch())
    found = js.minimize(loss, SPACE, strategy, key=jax.random.key(0), num_generations=60)
    assert found.loss - found.params["n"] < 1e-5  # the integer has no slope


def losses_of(objective, candidates):
    params = jax.vmap(js.decode, in_axes=(None, 0))(SPACE, candidates.x)
    return jax.vmap(objective, in_axes=(None, 0))(None, params)


class Fixed:
    """Asks for the same two points for ever, and keeps the last gradient."""

    def init(self, key, domain):
        return jnp.zeros((2, domain.size)), jnp.zeros((), jnp.int32)

    def ask(self, key, state):
        return js.Candidates(jnp.array([[0.1, 0.2, 0.3, 0.9], [0.9, 0.4, 0.6, 0.7]])), state

    def tell(self, state, candidates, results):
        return results.grad, state[1] + 1


def after(num_generations, objective, strategy):
    """The state, and the candidates that were asked for, `[num_generations, P, D]`."""

    @jax.jit
    def generation(state, key):
        candidates, state = strategy.ask(key, state)
        return strategy.tell(state, candidates, js.Results(losses_of(objective, candidates))), candidates.x

    state = strategy.init(jax.random.key(0), js.domain(SPACE))
    return jax.lax.scan(generation, state, jax.random.split(jax.random.key(1), num_generations))


def test_the_steps_become_those_that_suit_the_curvature():
    curvature = jnp.array([1e-2, 1e4, 1.0])

    def bent(key, params):
        return 1 + jnp.sum(curvature * (params["x"] - 2) ** 2)  # without a minimum in the cube

    state, _ = after(400, bent, js.FiniteDifferences(Fixed()))
    x = after(1, bent, js.FiniteDifferences(Fixed()))[1][0, :2]
    size = jax.vmap(lambda x: bent(None, js.decode(SPACE, x)))(x)
    epsilon = jnp.finfo(size.dtype).eps
    # Where rounding and curvature weigh the same: 2 sqrt(epsilon |loss| / second derivative), which is
    # 8 curvature in the unit cube. The bounds of the bend allow for a factor of 2, and rounding for some.
    best = 2 * jnp.sqrt(epsilon * size[None] / (8 * curvature[:, None]))
    assert np.all(state.steps.length / jnp.minimum(best, epsilon**0.25) < 4)
    assert np.all(state.steps.length / jnp.minimum(best, epsilon**0.25) > 1 / 4)
    exact = jax.vmap(jax.grad(lambda x: bent(None, js.decode(SPACE, x))))(x)[:, 1:]
    error = jnp.abs(state.inner[0][:, 1:] - exact) / exact
    plain = after(1, bent, js.FiniteDifferences(Fixed()))[0].inner[0][:, 1:]
    assert jnp.max(error) < jnp.max(jnp.abs(plain - exact) / exact) / 4  # a common step serves none of them well


def test_a_test_is_a_generation_of_its_own():
    _, x = after(9, loss, js.FiniteDifferences(Fixed()))
    np.testing.assert_array_equal(x[8, :2], x[7, :2])
    near, far = (np.asarray(rows[2:] - jnp.tile(rows[:2], (3, 1))) for rows in (x[7], x[8]))
    np.testing.assert_allclose(far, 4 * near, atol=1e-6)
    assert after(8, loss, js.FiniteDifferences(Fixed()))[0].inner[1] == 8
    assert after(9, loss, js.FiniteDifferences(Fixed()))[0].inner[1] == 8  # the strategy does not hear of it
    assert after(9, loss, js.FiniteDifferences(Fixed(), step=1e-3))[0].inner[1] == 9


def test_points_in_place_of_neighbours_change_no_step():
    strategy = js.FiniteDifferences(Fixed())
    state, _ = after(8, loss, strategy)
    candidates, asked = strategy.ask(jax.random.key(2), state)
    elsewhere = candidates._replace(x=jnp.full_like(candidates.x, 0.25))
    told = strategy.tell(asked, elsewhere, js.Results(jnp.arange(8.0)))
    np.testing.assert_array_equal(told.steps.length, state.steps.length)
    failed = strategy.tell(asked, candidates, js.Results(jnp.full(8, jnp.inf)))
    np.testing.assert_array_equal(failed.steps.length, state.steps.length)


def test_an_ill_conditioned_bowl_is_solved_further_than_with_one_step():
    def bowl(key, x):
        return 1 + jnp.sum(jnp.array([1.0, 1e2, 1e4, 1e6]) * (x - 0.3) ** 2)

    def found(key, step):
        strategy = js.Restart(js.FiniteDifferences(js.GradientSearch(), step=step))
        return js.minimize(bowl, js.Float(-5, 5, shape=(4,)), strategy, key=key, num_generations=300).loss - 1

    keys = jax.random.split(jax.random.key(0), 16)
    adaptive, fixed = (jax.vmap(lambda key: found(key, step))(jax.random.clone(keys)) for step in (None, 3.5e-4))  # noqa: B023
    assert np.median(adaptive) < np.median(fixed) / 10


def test_it_ends_when_its_strategy_does():
    domain = js.domain(SPACE)
    ends = js.CMAES(population_size=4)
    for inner in (js.GradientSearch(), ends, js.RandomSearch()):
        strategy = js.FiniteDifferences(inner)
        ended = strategy.ended(strategy.init(jax.random.key(0), domain))
        assert (ended is False) == isinstance(inner, js.GradientSearch)


@pytest.mark.parametrize("step", [0.0, -0.1, 0.6])
def test_a_step_that_cannot_work_is_refused(step):
    with pytest.raises(ValueError, match="step must be in \\(0, 0.5\\]; got"):
        js.FiniteDifferences(js.GradientSearch(), step=step)
