import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import jaxsearch as js
from jaxsearch.evaluators.learners import Supervised
from jaxsearch.evaluators.metrics import metrics

MODEL = js.models.MLP(2, 2, max_layers=1)
NUMBER = 20  # updates: two epochs of ten


@pytest.mark.parametrize("group", [1, 2])
def test_updates_are_those_of_adamw_with_a_cooldown(group):
    """Of optax, for gradients that do not depend on the weights; with several micro-batches a step, their mean."""
    learner = Supervised(MODEL, metrics["error"], 2, 10 * group, 8, accumulates=group > 1)
    params = {"learning_rate": 0.02, "weight_decay": 0.3, "momentum": 0.8, "batch_size": 8 * group}
    rng = np.random.default_rng(0)
    weights, gradients = jnp.asarray(rng.normal(size=6)), jnp.asarray(rng.normal(size=(NUMBER, group, 6)))
    learned = learner.init(MODEL.draw(jax.random.key(0)), params, {})
    zeros = jnp.zeros(6)
    learned = learned._replace(
        weights=weights, first=zeros, second=zeros, gradient=None if learned.gradient is None else zeros
    )
    update = jax.jit(learner.update)
    for count in range(NUMBER * group):
        learned = update(params, learned, gradients[count // group, count % group], count)

    last = NUMBER // 5
    rates = optax.linear_schedule(0.02, 0.0, last, NUMBER - last)
    optimizer = optax.adamw(rates, b1=0.8, weight_decay=0.3)
    state, expected = optimizer.init(weights), weights
    for gradient in gradients.mean(axis=1):
        change, state = optimizer.update(gradient, state, expected)
        expected = optax.apply_updates(expected, change)
    np.testing.assert_allclose(learned.weights, expected, rtol=1e-4, atol=1e-6)
