"""The operations of a cell searched by gradient, in the course of one training."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsearch.core.names import check_name
from jaxsearch.core.pytree import is_number
from jaxsearch.core.types import Array, Key, PyTree, Scalar
from jaxsearch.evaluators import scaling
from jaxsearch.evaluators.parameters import numbers
from jaxsearch.evaluators.training import Training
from jaxsearch.models import masking
from jaxsearch.models.cell import CellNet

MOST_SKIPS = 0.5  # the share of skips beyond which a search has collapsed


class Relaxed(NamedTuple):
    """What a search by gradient has found.

    params: the configuration with the operations that weigh most, for `fit` and `retrain`. logits: `[E, K]`.
    skip_share: `[epochs]`, the share of skips among the edges that would not be zero, had it ended with this epoch.
    collapsed: `[]` bool, whether at the end more than half of the edges that are not zero are skips.
    """

    params: PyTree
    logits: Array
    skip_share: Array
    collapsed: Array


def soft(logits: Array, temperature: Scalar) -> Array:
    """The weights softmax(logits / temperature) of the operations, `[E, K]`."""
    return jax.nn.softmax(logits / temperature, axis=-1)


def hard(key: Key, logits: Array, temperature: Scalar) -> Array:
    """One operation of each edge, drawn by softmax(logits), with the gradient of soft weights: `[E, K]`.

    References: Jang, Gu, Poole, Categorical Reparameterization with Gumbel-Softmax, ICLR, 2017 (straight-through).
    """
    noisy = logits + jax.random.gumbel(key, logits.shape, logits.dtype)
    weights = soft(noisy, temperature)
    one = jax.nn.one_hot(jnp.argmax(noisy, axis=-1), logits.shape[-1], dtype=logits.dtype)
    return weights + jax.lax.stop_gradient(one - weights)


def relax(
    training: Training,
    space: PyTree,
    params: PyTree,
    *,
    key: Key,
    logit_rate: Scalar = 0.1,
    temperatures: tuple[Scalar, Scalar] = (1.0, 0.1),
    straight_through: bool = False,
) -> Relaxed:
    """Searches the operations of a `CellNet` by gradient, while one network with all of them is trained.

        logits  <- logits - Adam(gradient of the loss of a batch of the rows held out)
        weights <- as in `Training`, by the gradient of the loss of a batch of the rows trained on

    by turns, with soft(logits, temperature) as the weights of the operations. The rows are those of fold 0 of
    `training`, whose number of epochs holds; labels are not smoothed and classes not weighed. An epoch costs two of
    `training`. Works under `jit` and `vmap`, e.g. over keys.

    Args:
        training: its model is a `CellNet`.
        space: with `operations`, from whose options the search chooses, as in `CellNet.space()`.
        params: a configuration of it, e.g. of `decode`, for everything but the operations.
        key: of the folds, as in `retrain`, and of all other draws.
        logit_rate: the learning rate of the logits.
        temperatures: in the first and in the last epoch, above 0, geometric in between; low ones near a choice.
        straight_through: choose one operation at random in every step, see `hard`, instead of mixing all.

    Raises:
        ValueError: for another model, groups or weights of rows, a space without operations, and temperatures of 0.

    References: Liu, Simonyan, Yang, DARTS, ICLR, 2019 (first order). Zela et al., Understanding and Robustifying
        Differentiable Architecture Search, ICLR, 2020 (its collapse to skips).
    """
    if not isinstance(training.model, CellNet):
        raise ValueError(f"Only the operations of a CellNet can be relaxed; got {training.model!r}. Search by GA.")
    if training.groups is not None or training.weights is not None:
        raise ValueError("relax knows no groups and no weights of rows. Use a Training without, or search by GA.")
    check_name("parameter", "operations", space)
    if any(is_number(temperature) and not temperature > 0 for temperature in temperatures):
        raise ValueError(f"Both temperatures must be above 0; got {temperatures}. Try (1.0, 0.1).")
    return _relax(training, space, params, key, logit_rate, temperatures, straight_through)


@functools.partial(jax.jit, static_argnames="straight_through")
def _relax(training, space, params, key, logit_rate, temperatures, straight_through) -> Relaxed:
    model, num_epochs = training.model, training.epochs
    others = {name: value for name, value in numbers(space, params).items() if name != "epochs"}
    (x, y), (x_out, y_out) = _rows(training, key, space)
    learner = training.learner(model, space, len(x))
    optimizer = optax.adam(logit_rate, b1=0.5)
    key_draw, key_epochs = jax.random.split(jax.random.fold_in(key, 1))

    def mixture(key: Key, logits: Array, temperature: Array) -> Array:
        return hard(key, logits, temperature) if straight_through else soft(logits, temperature)

    def step(carry, inputs):
        (logits, moments, learned), (key, temperature, rows, rows_out, count) = carry, inputs
        weights = learner.weights(learned.weights)
        by_logits = jax.grad(
            lambda logits: _loss(training, mixture(key, logits, temperature), weights, x_out[rows_out], y_out[rows_out])
        )(logits)
        change, moments = optimizer.update(by_logits, moments)
        logits += change
        fixed = mixture(jax.random.clone(key), logits, temperature)  # the same draw as above
        by_weights = jax.grad(lambda weights: _loss(training, fixed, weights, x[rows], y[rows]))(weights)
        return (logits, moments, learner.update(others, learned, masking.flatten(by_weights), count)), None

    def epoch(carry, number):
        key_rows, key_out, key_steps = jax.random.split(jax.random.fold_in(key_epochs, number), 3)
        shape = learner.steps, learner.batch_size
        rows = jax.random.permutation(key_rows, len(x))[: shape[0] * shape[1]].reshape(shape)
        rows_out = jax.random.randint(key_out, shape, 0, len(x_out))
        first, last = temperatures
        temperature = jnp.full(shape[0], first * (last / first) ** (number / max(num_epochs - 1, 1)), x.dtype)
        count = number * shape[0] + jnp.arange(shape[0])
        inputs = jax.random.split(key_steps, shape[0]), temperature, rows, rows_out, count
        carry, _ = jax.lax.scan(step, carry, inputs)
        return carry, model.skip_share({"mixture": carry[0]})

    allowed, places = _options(model, space)
    logits = jnp.where(allowed, jnp.zeros((), x.dtype), -jnp.inf)
    learned = learner.init(learner.draw(key_draw), {**others, "operations": soft(logits, 1.0)}, space)
    carry = logits, optimizer.init(logits), learned
    (logits, *_), skip_share = jax.lax.scan(epoch, carry, jnp.arange(num_epochs))
    found = jnp.take_along_axis(places, model.strongest({"mixture": logits})[:, None], axis=1)[:, 0]
    return Relaxed({**params, "operations": list(found)}, logits, skip_share, skip_share[-1] > MOST_SKIPS)


def _rows(training: Training, key: Key, space: PyTree) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """The rows `x` `[n, F]`, `y` for the weights, and those for the logits, all standardized by the former."""
    held_out = training.init(key, space, 1).fold == 0
    x, y = training.arrays()
    x = scaling.fit(x, ~held_out).transform(x)
    if not training.classifies:
        y = scaling.fit(y[:, None], ~held_out).transform(y[:, None])
    order, count = jnp.argsort(held_out, stable=True), len(x) - training.num_held_out
    return (x[order[:count]], y[order[:count]]), (x[order[count:]], y[order[count:]])


def _loss(training: Training, mixture: Array, weights: PyTree, x: Array, y: Array) -> Array:
    outputs = training.model.apply(None, {"mixture": mixture}, weights, x)
    if not training.classifies:
        return jnp.mean((outputs - y) ** 2)
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(outputs, y))


def _options(model: CellNet, space: PyTree) -> tuple[Array, Array]:
    """`[E, K]`, whether an edge may have each operation of the model, and which option of its `Choice` that is."""
    options = [choice.options for choice in space["operations"]]
    allowed = [[name in names for name in model.operations] for names in options]
    places = [[names.index(name) if name in names else 0 for name in model.operations] for names in options]
    return jnp.array(allowed), jnp.array(places, jnp.int32)
