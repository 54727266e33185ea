import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

import jaxsearch as js
from jaxsearch.strategies.quasi_newton import scale_by_bfgs

PLANE = js.Domain((0, 0), (True, True))


def test_updates_are_those_of_the_formula():
    bfgs, random = scale_by_bfgs(), np.random.default_rng(0)
    # Curvature that falls from step to step, so that the factor is above 1.
    hessians = [scale * np.diag([1.0, 4.0, 9.0]) for scale in (8.0, 2.0, 0.5, 1.0)]
    x, gradient = random.normal(size=3), random.normal(size=3)
    state, update = bfgs.init(jnp.asarray(x)), jax.jit(bfgs.update)
    _, state = update(jnp.asarray(gradient), state, jnp.asarray(x))
    inverse, factors = None, []
    for hessian in hessians:
        s = random.normal(size=3)
        y = hessian @ s
        x, gradient = x + s, gradient + y
        if inverse is None:
            inverse = np.eye(3) * (s @ s) / (y @ s)
        factors.append(max(1, (s @ y) / (y @ inverse @ y)))
        left = np.eye(3) - np.outer(s, y) / (y @ s)
        inverse = left @ (factors[-1] * inverse) @ left.T + np.outer(s, s) / (y @ s)
        step, state = update(jnp.asarray(gradient), state, jnp.asarray(x))
        np.testing.assert_allclose(state.inverse, inverse, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(step, inverse @ gradient, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(state.inverse @ y, s, rtol=1e-3, atol=1e-3)  # the secant equation
    assert factors[1] > 2
    assert factors[2] > 2
    assert factors[3] == 1


def test_a_run_ends_where_it_cannot_win():
    strategy = js.GradientSearch()

    def run(best):
        """The losses of the first run on a flat bowl of depth 0, if the best loss so far were `best`."""
        state, losses = strategy.init(jax.random.key(0), PLANE), []
        for number in range(100):
            candidates, state = ask(jax.random.key(number), state)
            losses.append(float(bowl(candidates.x)[0][0]))
            state = tell(dataclasses.replace(state, best_loss=jnp.full(1, best)), candidates)
            if bool(state.restart[0]):
                return losses
        raise AssertionError("the run has no end")

    bowl = jax.vmap(jax.value_and_grad(lambda x: jnp.sum(jnp.asarray([1.0, 30.0]) * jnp.abs(x - 0.45) ** 3)))
    ask, tell = jax.jit(strategy.ask), jax.jit(lambda state, c: strategy.tell(state, c, js.Results(*bowl(c.x))))
    behind, ahead = run(-1.0), run(1.0)
    assert len(behind) < len(ahead)
    assert behind == ahead[: len(behind)]
    assert 1e-9 < behind[-1] < 1e-4
    assert min(ahead) < 1e-10


def test_the_unit_of_the_loss_makes_no_difference():
    def run(unit):
        def generation(state, key):
            candidates, state = strategy.ask(key, state)
            loss = lambda x: unit * jnp.sum(jnp.asarray([1.0, 30.0]) * jnp.abs(x - 0.45) ** 3)  # noqa: E731
            state = strategy.tell(state, candidates, js.Results(*jax.vmap(jax.value_and_grad(loss))(candidates.x)))
            return state, candidates.x

        strategy = js.GradientSearch()
        state = strategy.init(jax.random.key(0), PLANE)
        return jax.jit(lambda: jax.lax.scan(generation, state, jax.random.split(jax.random.key(1), 12))[1])()

    np.testing.assert_allclose(run(1.0), run(64.0), rtol=1e-3)
