"""Training in chunks, at smaller sizes, in rungs, on several devices: always the losses of training alone."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.evaluators.parameters import numbers

ROWS = 60
TRAINING = {
    "dropout": js.Float(0, 0.4),
    "learning_rate": js.Float(1e-3, 2e-2, log=True),
    "weight_decay": js.Float(1e-4, 1, log=True),
    "batch_size": js.Choice(8, 16),
}


class Family(NamedTuple):
    """count: candidates. own: the version that has just the arrays for the sizes of a candidate, by name.

    num_alone: of the different sizes, each of which costs a compilation.
    """

    model: Any
    sizes: dict
    choices: dict
    count: int
    own: Callable
    num_alone: int

    @property
    def space(self):
        return self.sizes | self.choices | TRAINING

    @property
    def x(self):
        size = js.domain(self.space).size
        return jnp.asarray(np.random.default_rng(2).random((self.count, size)), jnp.result_type(float))


def own_conv_net(model, blocks, channels, growth, kernel):
    most = min(channels * growth ** (blocks - 1), model.max_channels)
    return dataclasses.replace(model, max_blocks=blocks, max_channels=most, max_kernel=kernel)


FAMILIES = {
    "MLP": Family(
        js.models.MLP(4, 3, max_layers=3, max_width=34, min_width=3),
        {"layers": js.Choice(0, 3), "width": js.Choice(8, 34)},
        {"activation": js.Choice("relu", "tanh", "silu")},
        48,
        lambda model, layers, width: dataclasses.replace(model, max_layers=max(layers, 1), max_width=width),
        4,
    ),
    "ConvNet": Family(
        js.models.ConvNet((6, 4, 2), 3, max_blocks=2, max_channels=6, min_channels=2, grid=2),
        {
            "blocks": js.Choice(1, 2),
            "channels": js.Choice(2, 5),
            "growth": js.Choice(1, 2),
            "kernel": js.Choice(2, 3, 5),
        },
        {
            "activation": js.Choice("relu", "tanh", "silu"),
            "pooling": js.Choice("max", "average"),
            "normalization": js.Choice("none", "layer"),
        },
        16,
        own_conv_net,
        3,
    ),
}


@pytest.fixture(autouse=True, scope="module")
def double_precision():
    """So that what differs cannot hide behind rounding."""
    with jax.enable_x64(True):
        yield


def training(family, **changes):
    x = np.random.default_rng(0).normal(size=(ROWS, *family.model.input_shape)).astype(np.float32)
    y = (x.reshape(ROWS, -1)[:, :4] @ np.random.default_rng(1).normal(size=(4, 3))).argmax(1).astype(np.int32)
    return js.Training(family.model, (x, y), **{"metric": "cross_entropy", "folds": 2, "epochs": 5, **changes})


@functools.partial(jax.jit, static_argnames="count")
def run(evaluator, space, x, count):
    state = evaluator.init(jax.random.key(3), space, count)
    return evaluator.evaluate(jax.random.key(4), state, space, js.Candidates(x))[0]


def alone(family):
    """The losses in every fold of candidates trained with arrays of their own size, NaN for those left out."""
    params = numbers(family.space, jax.vmap(js.decode, in_axes=(None, 0))(family.space, family.x))
    sizes = np.stack([params[name] for name in family.sizes], axis=1)
    losses = np.full((family.count, 2), np.nan)
    found = np.unique(sizes, axis=0)
    for size in found[np.linspace(0, len(found) - 1, family.num_alone).astype(int)]:
        rows, named = np.flatnonzero((sizes == size).all(1)), dict(zip(family.sizes, size.tolist(), strict=True))
        evaluator = dataclasses.replace(training(family), model=family.own(family.model, **named))
        own_space = family.space | {name: js.Choice(value) for name, value in named.items()}
        losses[rows] = run(evaluator, own_space, family.x[rows], len(rows)).aux["folds"]
    return losses


def check(found, expected):
    known = ~np.isnan(expected)
    np.testing.assert_allclose(np.asarray(found)[known], expected[known], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_padded_bucketed_chunked_and_sharded_training_equals_training_alone(family):
    space, x, expected = family.space, family.x, alone(family)
    check(run(training(family), space, x, family.count).aux["folds"], expected)
    bucketed = training(family, chunk_size=5, smaller=family.model.smaller()[1:2])
    check(run(js.Sharded(bucketed), space, x, family.count).aux["folds"], expected)


def test_halved_training_equals_training_to_the_same_budget():
    family = FAMILIES["MLP"]
    space, x, count = family.space, family.x, family.count
    evaluator = training(family, chunk_size=7, smaller=family.model.smaller()[:1])
    halved = run(js.Halving(evaluator, factor=2, num_rungs=3), space, x, count).aux
    rungs = [0, 0, count // 2, count // 4, 0, count // 4]  # 5 epochs: rungs of 2, 3 and 5
    assert np.bincount(np.max(halved["curve_epochs"], axis=1)).tolist() == rungs

    @jax.jit
    def straight(budget):
        state = evaluator.init(jax.random.key(3), space, count)
        members = evaluator.advance(state, space, x, evaluator.begin(state, space, x), budget)
        return evaluator.results(state, members).aux["folds"]

    check(halved["folds"], straight(halved["epochs"]))
