import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.runners.relax import hard, soft

MODEL = js.models.CellNet(2, 2, num_nodes=3, width=8, operations=("skip", "zero", "tanh"))
SPACE = {"learning_rate": js.Choice(0.03), "operations": MODEL.space()["operations"]}
START = {"learning_rate": jnp.asarray(0), "operations": [jnp.asarray(0)] * 3}


def training(target=None, **changes):
    x = np.random.default_rng(1).uniform(-1, 1, (240, 2)).astype(np.float32)
    inside = (np.sum(x**2, axis=1) < 0.6).astype(np.int32)
    y = inside if target is None else target(x).astype(np.float32)
    settings = {"model": MODEL, "folds": 1, "epochs": 30, "batch_size": 16, "validation_share": 0.4, "chunk_size": 1}
    return js.Training(**settings | changes, data=(x, y))


def operations(space, params):
    return js.describe(space, params)["operations"]


def test_hard_weights_are_one_choice_with_the_gradient_of_the_soft_ones():
    key, logits = jax.random.key(0), jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
    noisy = logits + jax.random.gumbel(key, logits.shape)
    chosen, back = jax.vjp(lambda logits: hard(key, logits, 0.7), logits)
    mixed, back_soft = jax.vjp(lambda noisy: soft(noisy, 0.7), noisy)
    np.testing.assert_allclose(chosen, np.eye(3)[np.argmax(mixed, axis=1)], atol=1e-6)
    towards = jnp.asarray(np.random.default_rng(1).normal(size=(4, 3)), jnp.float32)
    np.testing.assert_allclose(back(towards)[0], back_soft(towards)[0], rtol=1e-5)
    assert np.abs(back(towards)[0]).max() > 0.01


def test_hard_choices_come_as_often_as_softmax_says():
    logits = jnp.array([[0.0, 1.0, -jnp.inf]])
    drawn = jax.vmap(lambda key: hard(key, logits, 0.5))(jax.random.split(jax.random.key(0), 4000))
    np.testing.assert_allclose(drawn.mean(axis=0)[0], jax.nn.softmax(logits[0]), atol=0.03)


def test_near_temperature_zero_a_mixture_is_a_choice():
    logits = jnp.asarray(np.random.default_rng(2).permuted([[0.0, 1.0, 2.0]] * 3, axis=1), jnp.float32)
    weights = MODEL.init(MODEL.draw(jax.random.key(0)), MODEL.complete({}, {}))
    chosen = MODEL.complete({}, {"operations": list(jnp.argmax(logits, axis=1))})
    x = jnp.asarray(training().data[0])
    apply = jax.jit(MODEL.apply)
    mixed = apply(None, {"mixture": soft(logits, 0.01)}, weights, x)
    np.testing.assert_allclose(mixed, apply(None, chosen, weights, x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("straight_through", [False, True])
def test_the_gradient_finds_the_activation_that_is_needed(straight_through):
    task = training()
    run = jax.vmap(lambda key: js.relax(task, SPACE, START, key=key, straight_through=straight_through))
    found = run(jax.random.split(jax.random.key(0), 3))
    assert found.skip_share.shape == (3, 30)
    assert found.logits.shape == (3, 3, 3)
    losses = []
    for i in range(3):
        params = jax.tree.map(lambda leaf: leaf[i], found.params)  # noqa: B023
        share = [name for name in operations(SPACE, params) if name != "zero"]
        assert found.skip_share[i, -1] == pytest.approx(share.count("skip") / max(len(share), 1))
        assert bool(found.collapsed[i]) == (found.skip_share[i, -1] > 0.5)
        losses.append(js.retrain(task, jax.random.key(1), SPACE, params).loss)
    assert np.sum(np.array(losses) < 0.15) >= 2


def test_edges_choose_from_their_own_options():
    space = {**SPACE, "operations": [js.Choice("zero", "tanh"), js.Choice("zero"), js.Choice("tanh", "skip")]}
    found = js.relax(training(), space, START, key=jax.random.key(0))
    assert operations(space, found.params) == [MODEL.operations[i] for i in np.argmax(found.logits, axis=1)]
    assert np.isneginf(found.logits).tolist() == [[True, False, False], [True, False, True], [False, True, False]]


def test_a_collapse_to_skips_is_told():
    model = js.models.CellNet(2, 1, num_nodes=3, width=8, operations=("skip", "zero"))
    linear = training(lambda x: x[:, 0] - 2 * x[:, 1], model=model, metric="mse")
    found = js.relax(linear, {"operations": model.space()["operations"]}, {}, key=jax.random.key(0))
    assert found.collapsed
    assert found.skip_share[-1] == 1


def test_what_cannot_be_relaxed_is_refused():
    mlp = js.models.MLP(2, 2)
    with pytest.raises(ValueError, match="Only the operations of a CellNet"):
        js.relax(training(model=mlp), mlp.space(), {}, key=jax.random.key(0))
    with pytest.raises(ValueError, match="Unknown parameter 'operations'"):
        js.relax(training(), {"learning_rate": js.Choice(0.03)}, {}, key=jax.random.key(0))
    with pytest.raises(ValueError, match="Both temperatures must be above 0; got \\(1.0, 0\\)"):
        js.relax(training(), SPACE, START, key=jax.random.key(0), temperatures=(1.0, 0))
    with pytest.raises(ValueError, match="relax knows no groups and no weights of rows"):
        js.relax(training(weights=np.ones(240)), SPACE, START, key=jax.random.key(0))
