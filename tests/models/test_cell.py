import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.models import portable
from jaxsearch.models.operations import OPERATIONS

RNG = np.random.default_rng(0)
BY_HAND = {
    "relu": lambda h, z: np.maximum(z, 0),
    "tanh": lambda h, z: np.tanh(z),
    "silu": lambda h, z: z / (1 + np.exp(-z)),
    "gelu": lambda h, z: z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))),
    "gated": lambda h, z: h / (1 + np.exp(-z)),
    "skip": lambda h, z: h,
    "zero": lambda h, z: 0 * h,
}
ALL = js.models.CellNet(3, 2, num_nodes=4, num_cells=2, width=5, operations=OPERATIONS)


def ball(count=240):
    """Points inside or outside of a circle: no network without an activation tells them apart."""
    x = np.random.default_rng(1).uniform(-1, 1, (count, 2)).astype(np.float32)
    return x, (np.sum(x**2, axis=1) < 0.6).astype(np.int32)


def random_weights(model):
    return jax.tree.map(lambda leaf: jnp.asarray(RNG.normal(size=leaf.shape) / 2, leaf.dtype), model.shapes())


def forward(model, mixture, weights, x):
    """The outputs, edge by edge in NumPy."""
    dense = lambda layer, h: h @ np.asarray(layer["w"], float) + np.asarray(layer["b"], float)  # noqa: E731
    first, *layers = weights["hidden"]
    h = dense(first, x)
    for _ in range(model.num_cells):
        nodes = [h] + [0 * h] * (model.num_nodes - 1)
        edges = [(i, j) for i in range(model.num_nodes) for j in range(i + 1, model.num_nodes)]
        for (i, j), by_operation in zip(edges, mixture, strict=True):
            z = dense(layers.pop(0), nodes[i])
            for weight, name in zip(by_operation, model.operations, strict=True):
                nodes[j] = nodes[j] + weight * BY_HAND[name](nodes[i], z)
        h = nodes[-1]
    return dense(weights["output"], h)


def test_outputs_are_those_by_hand_for_chosen_and_for_mixed_operations():
    x, apply = RNG.normal(size=(4, 3)).astype(np.float32), jax.jit(ALL.apply)
    for trial in range(8):
        chosen, weights = RNG.integers(0, len(OPERATIONS), 6), random_weights(ALL)
        one_hot = np.eye(len(OPERATIONS))[chosen]
        mixed = RNG.dirichlet(np.ones(len(OPERATIONS)), 6) if trial % 2 else one_hot
        outputs = apply(None, ALL.complete({}, {"operations": mixed.astype(np.float32)}), weights, x)
        np.testing.assert_allclose(outputs, forward(ALL, mixed, weights, x), rtol=1e-3, atol=1e-4)
        discrete = apply(None, ALL.complete({}, {"operations": [jnp.asarray(o) for o in chosen]}), weights, x)
        np.testing.assert_allclose(discrete, forward(ALL, one_hot, weights, x), rtol=1e-3, atol=1e-4)
        compact = ALL.compact(ALL.complete({}, {"operations": list(chosen)}), weights)
        saved = portable.PortableModel(*compact, np.zeros(3), np.ones(3), None, {})
        np.testing.assert_allclose(saved.predict(x), discrete, rtol=1e-3, atol=1e-4)


def test_operations_are_found_by_name():
    space = {"operations": [js.Choice("zero", "tanh")] * 6}
    params = js.undescribe(space, {"operations": ["tanh", "zero", "zero", "tanh", "zero", "zero"]})
    architecture = ALL.complete(space, params)
    assert [OPERATIONS[o] for o in ALL.strongest(architecture)] == ["tanh", "zero", "zero", "tanh", "zero", "zero"]
    assert ALL.summary(architecture) == "2 cells of 4 nodes and 5 units: 0-1 tanh, 1-2 tanh"
    assert ALL.summary(ALL.complete({}, {})).endswith("0-1 relu, 0-2 relu, 0-3 relu, 1-2 relu, 1-3 relu, 2-3 relu")


def test_what_an_architecture_needs_and_how_much_of_it_are_skips():
    names = ["skip", "zero", "tanh", "skip", "gated", "zero"]
    params = ALL.complete({}, {"operations": [OPERATIONS.index(name) for name in names]})
    assert ALL.fits(params)
    assert ALL.bounded(params) == ALL
    assert not ALL.smaller()
    dense = 2 * 2  # two edges with weights in both cells
    assert ALL.num_parameters(params) == (3 + 1) * 5 + dense * (5 + 1) * 5 + (5 + 1) * 2
    assert ALL.flops(params) == 2 * (3 * 5 + dense * 5 * 5 + 5 * 2)
    assert ALL.padded_flops() == ALL.flops(ALL.complete({}, {})) > ALL.flops(params)
    assert ALL.skip_share(params) == 0.5
    nothing = ALL.complete({}, {"operations": [OPERATIONS.index("zero")] * 6})
    assert ALL.skip_share(nothing) == 0
    assert ALL.summary(nothing).endswith("no edges")


def test_weights_start_with_the_variance_of_the_operation():
    model = js.models.CellNet(400, 3, num_nodes=2, width=200, operations=("relu", "tanh"))
    for place, gain in ((0, 1 / 3), (1, 1)):
        weights = model.init(model.draw(jax.random.key(0)), model.complete({}, {"operations": [place]}))
        assert jax.tree.map(jnp.shape, weights) == jax.tree.map(jnp.shape, model.shapes())
        assert np.var(weights["hidden"][0]["w"]) == pytest.approx(1 / 400, rel=0.05)
        assert np.var(weights["hidden"][1]["w"]) == pytest.approx(gain / 200, rel=0.05)


@pytest.mark.parametrize("strategy", [js.GA, js.LocalSearch])
def test_strategies_find_the_activation_that_is_needed(strategy):
    x, y = ball()
    model = js.models.CellNet(2, 2, num_nodes=3, width=8, operations=("skip", "zero", "tanh"))
    training = js.Training(model, (x, y), folds=2, epochs=30, batch_size=16, chunk_size=3)
    space = {"learning_rate": js.Choice(0.03), "operations": model.space()["operations"]}
    result = js.minimize(training, space, strategy(population_size=6), key=jax.random.key(0), num_generations=3)
    linear = js.undescribe(space, {"learning_rate": 0.03, "operations": ["skip"] * 3})
    assert js.retrain(training, jax.random.key(0), space, linear).loss > 0.25
    assert result.loss < 0.12
    assert "tanh" in js.describe(space, result.params)["operations"]
    assert js.fit(training, jax.random.key(1), space, result.params).predict(x).shape == (240, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_nodes": 1}, "num_nodes must be at least 2"),
        ({"width": 0}, "width must be an integer of at least 1"),
        ({"operations": ()}, "operations must be among relu"),
        ({"operations": ("skip", "tan")}, "operations must be among relu"),
    ],
)
def test_mistakes_are_told_when_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        js.models.CellNet(3, 2, **arguments)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"layers": js.Int(1, 2)}, "Unknown parameter 'layers'"),
        ({"operations": js.Choice("relu")}, "must be a list of 6 Choices"),
        ({"operations": [js.Choice("relu")] * 5}, "must be a list of 6 Choices"),
        ({"operations": [js.Choice("relu", "sine")] * 6}, "Unknown operation 'sine'"),
    ],
)
def test_spaces_that_do_not_fit_are_refused(space, message):
    with pytest.raises(ValueError, match=message):
        ALL.check_space(space)
