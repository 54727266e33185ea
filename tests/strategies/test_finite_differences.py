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


@pytest.mark.parametrize("step", [0.0, -0.1, 0.6])
def test_a_step_that_cannot_work_is_refused(step):
    with pytest.raises(ValueError, match="step must be in \\(0, 0.5\\]; got"):
        js.FiniteDifferences(js.GradientSearch(), step=step)
