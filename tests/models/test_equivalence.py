"""The licence for training a population of different networks at once: padding changes nothing."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.evaluators import epochs
from jaxsearch.evaluators.learners import Supervised
from jaxsearch.evaluators.lessons import lesson
from jaxsearch.evaluators.metrics import metrics
from jaxsearch.models import masking

ROWS, FEATURES, CLASSES = 150, 5, 3


def data(task="classification"):
    x = np.random.default_rng(0).normal(size=(ROWS, FEATURES)).astype(np.float32)
    score = x @ np.random.default_rng(1).normal(size=(FEATURES, CLASSES))
    return x, (score.argmax(1) if task == "classification" else score[:, 0].astype(np.float32))


def parameters(layers, widths, activation=0, dropout=0.3):
    return {
        "layers": jnp.array(layers),
        "width": jnp.array(widths),
        "activation": jnp.array(activation),
        "dropout": jnp.array(dropout),
        "learning_rate": jnp.array(0.02),
        "weight_decay": jnp.array(0.01),
        "batch_size": jnp.array(32),
    }


def space_of(params):
    """A space with these names, for configurations that are given as they are."""
    batch_size = js.Int(16, 64)
    return {name: batch_size if name == "batch_size" else js.Float(0, 1) for name in params}


@functools.partial(jax.jit, static_argnames="task")
def trained(model, params, task="classification"):
    """The outputs of each of the candidates `params` `[C, ...]`, trained together in one fold."""
    x, y = map(jnp.asarray, data(task))
    metric = metrics["error" if task == "classification" else "mse"]
    held_out = jnp.arange(ROWS)[None] % 5 == 0
    learner = Supervised(model, metric, epochs=6, steps=120 // 16, batch_size=16, accumulates=True)
    space = space_of(params)
    one_fold = lesson(jax.random.key(3), learner, space, x, y, held_out, held_out, 30, task == "regression")
    count = len(params["layers"])
    members = epochs.unborn(count, 1)._replace(learned=epochs.begin(learner, one_fold, params))
    members = epochs.train(learner.bounded(params, space), one_fold, params, members, jnp.full(count, 6))
    fold = jax.tree.map(lambda leaf: leaf[0], one_fold.folds)
    return jax.vmap(lambda params, learned: learner.outputs(params, space, learned, fold, x))(
        params, jax.tree.map(lambda leaf: leaf[:, 0], members.learned)
    )


def stacked(*rows):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize(
    ("layers", "widths", "activation"),
    [(0, [7, 3, 30], 0), (1, [7, 3, 30], 0), (2, [12, 5, 8], 1), (3, [4, 16, 9], 2), (3, [32, 32, 32], 0)],
)
def test_training_padded_equals_training_alone(layers, widths, activation, task):
    outputs = CLASSES if task == "classification" else 1
    padded = js.models.MLP(FEATURES, outputs, max_layers=3, max_width=32)
    own = widths[: max(layers, 1)]
    alone = js.models.MLP(FEATURES, outputs, max_layers=len(own), max_width=max(own), min_width=1)
    inside = trained(padded, stacked(parameters(layers, widths, activation)), task)
    outside = trained(alone, stacked(parameters(layers, own, activation)), task)
    np.testing.assert_allclose(inside, outside, rtol=1e-3, atol=1e-3)


def test_training_together_equals_training_alone():
    model = js.models.MLP(FEATURES, CLASSES, max_layers=3, max_width=32)
    rows = [
        parameters(0, [7, 3, 30]),
        parameters(1, [7, 3, 30]),
        parameters(3, [4, 16, 9], 2, 0.0),
        parameters(2, [32, 5, 8], 1, 0.5),
    ]
    together = trained(model, stacked(*rows))
    for i, params in enumerate(rows):
        np.testing.assert_allclose(together[i], trained(model, stacked(params))[0], rtol=1e-3, atol=1e-3)


def test_weights_that_are_off_never_move_the_output():
    model = js.models.MLP(FEATURES, CLASSES, max_layers=3, max_width=16)
    params = parameters(2, [5, 6, 9])
    weights = model.init(model.draw(jax.random.key(0)), params)
    x = jnp.asarray(data()[0])
    gradient = jax.grad(lambda w: jnp.sum(model.apply(None, params, w, x) ** 2))(weights)
    assert np.all(np.asarray(gradient["hidden"][2]["w"]) == 0)
    assert np.all(np.asarray(gradient["hidden"][1]["w"])[5:] == 0)
    assert np.all(np.asarray(gradient["hidden"][1]["w"])[:, 6:] == 0)
    assert np.any(np.asarray(gradient["hidden"][1]["w"])[:5, :6] != 0)
    assert np.all(np.asarray(gradient["output"]["w"])[6:] == 0)


def test_a_network_without_hidden_layers_is_a_linear_model():
    model = js.models.MLP(FEATURES, CLASSES, max_layers=2, max_width=8)
    params, x = parameters(0, [5, 6]), jnp.asarray(data()[0])
    weights = model.init(model.draw(jax.random.key(0)), params)
    assert np.all(model.apply(None, params, weights, x) == 0), "it starts where no class is preferred"
    weights["linear"], weights["output"]["b"] = jnp.ones((FEATURES, CLASSES)), jnp.arange(3.0)
    outputs = model.apply(jnp.uint32(1), params, weights, x)
    np.testing.assert_allclose(outputs, data()[0].sum(1)[:, None] + np.arange(3), rtol=1e-4)
    gradient = jax.grad(lambda w: jnp.sum(model.apply(None, params, w, x) ** 2))(weights)
    assert np.any(np.asarray(gradient["linear"]) != 0)
    hidden = (gradient["hidden"], gradient["output"]["w"])
    assert all(np.all(np.asarray(leaf) == 0) for leaf in jax.tree.leaves(hidden))
    deep = jax.grad(lambda w: jnp.sum(model.apply(None, parameters(1, [5, 6]), w, x) ** 2))(weights)
    assert np.all(np.asarray(deep["linear"]) == 0)
    assert model.num_parameters(params) == FEATURES * CLASSES + CLASSES
    assert model.flops(params) == 2 * FEATURES * CLASSES == model.bounded(stacked(params)).padded_flops()
    wide = js.models.MLP(FEATURES, CLASSES, max_layers=2)
    assert all(bool(small.fits(params)) for small in wide.smaller()), "at the smallest size"
    assert model.summary(params) == "linear model, no hidden layer"
    _, [(w, b)] = model.compact(params, jax.device_get(weights))
    np.testing.assert_array_equal(w, weights["linear"])
    np.testing.assert_array_equal(b, [0, 1, 2])


def test_weights_start_with_the_variance_of_the_active_fan_in():
    model = js.models.MLP(400, CLASSES, max_layers=2, max_width=256)
    weights = model.init(model.draw(jax.random.key(0)), parameters(2, [64, 200]) | {"activation": jnp.array(0)})
    assert np.var(weights["hidden"][0]["w"]) == pytest.approx(1 / (3 * 400), rel=0.05)
    assert np.var(weights["hidden"][1]["w"]) == pytest.approx(1 / (3 * 64), rel=0.05)
    assert np.var(weights["output"]["w"]) == pytest.approx(1 / 200, rel=0.15)


def test_tables_and_dropout_do_not_depend_on_the_padding():
    key = jax.random.key(1)
    small, large = masking.uniform_table(key, 1, 3, 4), masking.uniform_table(key, 1, 6, 9)
    np.testing.assert_array_equal(small, large[:3, :4])
    word, ones = jnp.uint32(7), jnp.ones((8, 40))
    dropped = masking.dropout(word, 1, jnp.array(0.25), ones)
    np.testing.assert_array_equal(dropped[:, :10], masking.dropout(word, 1, jnp.array(0.25), ones[:, :10]))
    np.testing.assert_allclose(np.unique(dropped), [0, 4 / 3], rtol=1e-6)
    assert float(jnp.mean(dropped == 0)) == pytest.approx(0.25, abs=0.08)


def test_the_space_has_what_the_model_and_the_trainer_read():
    model = js.models.MLP(FEATURES, CLASSES, max_layers=4, max_width=64)
    assert set(model.space()) == {
        "learning_rate", "weight_decay", "dropout", "layers", "width", "activation",
    }  # fmt: skip
    degenerate = js.models.MLP(FEATURES, CLASSES, max_layers=1, max_width=8, activations=("tanh",))
    assert set(degenerate.space()) == {"learning_rate", "weight_decay", "dropout", "layers"}
    assert model.space()["layers"] == js.Int(0, 4), "a linear model is among the candidates"
    assert model.summary(model.complete({}, {"layers": 2, "width": np.array([8, 4, 2, 1])})) == (
        "2 hidden layers of 8-4 units, relu, dropout 0.00"
    )


def test_a_large_network_is_counted_without_overflow():
    model = js.models.MLP(100_000, 10, max_width=50_000)
    params, weights = model.complete({}, {"layers": 2}), 100_000 * 50_000 + 50_000**2 + 50_000 * 10
    np.testing.assert_allclose(model.flops(params), 2 * weights, rtol=1e-6)
    linear = 100_000 * 10
    np.testing.assert_allclose(model.padded_flops(), 2 * (weights + 50_000**2 + linear), rtol=1e-6)
    np.testing.assert_allclose(model.num_parameters(params), weights + 2 * 50_000 + 10, rtol=1e-6)


def test_activations_are_found_by_name():
    model = js.models.MLP(FEATURES, CLASSES, activations=("relu", "tanh", "silu"))
    space = {"activation": js.Choice("silu", "relu")}
    assert int(model.complete(space, {"activation": jnp.array(0)})["activation"]) == 2
    with pytest.raises(ValueError, match="the space names \\['gelu'\\]"):
        model.complete({"activation": js.Choice("gelu")}, {"activation": jnp.array(0)})


@pytest.mark.parametrize(
    "space",
    [
        {"layers": js.Float(1, 3)},
        {"layers": js.Int(-1, 3)},
        {"layers": js.Int(1, 3, shape=(3,))},
        {"layers": js.Choice(True, 2)},
        {"layers": js.Choice(-1, 2)},
        {"width": js.Int(0, 8)},
        {"width": js.Float(1, 8)},
        {"width": js.Int(1, 8, shape=(2,))},
        {"width": js.Choice("narrow", "wide")},
        {"width": [js.Int(1, 8)] * 3},
    ],
)
def test_sizes_are_positive_integers(space):
    model, [name] = js.models.MLP(FEATURES, CLASSES, max_width=8), space
    least = 0 if name == "layers" else 1
    with pytest.raises(ValueError, match=f"{name} must be an Int with low >= {least}"):
        model.check_space(space)


def test_layers_may_have_a_width_each():
    model = js.models.MLP(FEATURES, CLASSES, max_width=8)
    model.check_space({"layers": js.Choice(0, 3)})
    for width in (js.Int(1, 8), js.Int(1, 8, shape=(3,)), js.Choice(2, 8)):
        model.check_space({"layers": js.Int(1, 3), "width": width})
    with pytest.raises(ValueError, match="width may be at most 8"):
        model.check_space({"width": js.Int(1, 9, shape=(3,))})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_width": 0}, "max_width must be an integer"),
        ({"max_layers": 1.5}, "max_layers must be an integer"),
        ({"max_width": 4}, "min_width must be at most max_width=4"),
        ({"activations": ("relu", "sine")}, "activations must be among"),
    ],
)
def test_mistakes_are_told_when_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        js.models.MLP(FEATURES, CLASSES, **arguments)
