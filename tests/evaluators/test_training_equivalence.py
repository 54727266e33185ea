"""Training in chunks, at smaller sizes, in rungs, on several devices: always the losses of training alone."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.evaluators.parameters import numbers

ROWS, COUNT = 60, 48
SPACES = {
    "MLP": {
        "layers": js.Choice(1, 3),
        "width": js.Choice(8, 34),
        "activation": js.Choice("relu", "tanh", "silu"),
        "dropout": js.Float(0, 0.4),
        "learning_rate": js.Float(1e-3, 2e-2, log=True),
        "weight_decay": js.Float(1e-4, 1, log=True),
        "batch_size": js.Choice(8, 16),
    },
}
MODELS = {"MLP": js.models.MLP(4, 3, max_layers=3, max_width=34, min_width=3)}


@pytest.fixture(autouse=True, scope="module")
def double_precision():
    """So that what differs cannot hide behind rounding."""
    with jax.enable_x64(True):
        yield


def training(family, **changes):
    x = np.random.default_rng(0).normal(size=(ROWS, *MODELS[family].input_shape)).astype(np.float32)
    y = (x.reshape(ROWS, -1)[:, :4] @ np.random.default_rng(1).normal(size=(4, 3))).argmax(1).astype(np.int32)
    return js.Training(MODELS[family], (x, y), **{"metric": "cross_entropy", "folds": 2, "epochs": 5, **changes})


def points(space):
    return jnp.asarray(np.random.default_rng(2).random((COUNT, js.domain(space).size)), jnp.result_type(float))


@functools.partial(jax.jit, static_argnames="count")
def run(evaluator, space, x, count):
    state = evaluator.init(jax.random.key(3), space, count)
    return evaluator.evaluate(jax.random.key(4), state, space, js.Candidates(x))[0]


def alone(family):
    """The losses in every fold of each candidate, trained with arrays of its own size; one compilation a size."""
    model, space = MODELS[family], SPACES[family]
    x = points(space)
    params = numbers(space, jax.vmap(js.decode, in_axes=(None, 0))(space, x))
    sizes = np.stack([params["layers"], params["width"]], axis=1)
    losses = np.empty((COUNT, 2))
    for layers, width in np.unique(sizes, axis=0):
        rows = np.flatnonzero((sizes == [layers, width]).all(1))
        own = dataclasses.replace(model, max_layers=int(layers), max_width=int(width))
        own_space = {**space, "layers": js.Choice(int(layers)), "width": js.Choice(int(width))}
        evaluator = dataclasses.replace(training(family), model=own)
        losses[rows] = run(evaluator, own_space, x[rows], len(rows)).aux["folds"]
    return losses


def check(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("family", MODELS)
def test_padded_bucketed_chunked_and_sharded_training_equals_training_alone(family):
    space, expected, smaller = SPACES[family], alone(family), MODELS[family].smaller()[:2]
    x = points(space)
    check(run(training(family), space, x, COUNT).aux["folds"], expected)
    bucketed = training(family, chunk_size=7, smaller=smaller)
    check(run(bucketed, space, x, COUNT).aux["folds"], expected)
    check(run(js.Sharded(bucketed), space, x, COUNT).aux["folds"], expected)


@pytest.mark.parametrize("family", MODELS)
def test_halved_training_equals_training_to_the_same_budget(family):
    space = SPACES[family]
    x = points(space)
    evaluator = training(family, chunk_size=7, smaller=MODELS[family].smaller()[:1])
    halved = run(js.Halving(evaluator, factor=2, num_rungs=3), space, x, COUNT).aux
    assert np.bincount(halved["epochs"]).tolist() == [0, 0, 24, 12, 0, 12]  # 5 epochs: rungs of 2, 3 and 5

    @jax.jit
    def straight(budget):
        state = evaluator.init(jax.random.key(3), space, COUNT)
        members = evaluator.advance(state, space, x, evaluator.begin(state, space, x), budget)
        return evaluator.results(state, members).aux["folds"]

    check(halved["folds"], straight(halved["epochs"]))
