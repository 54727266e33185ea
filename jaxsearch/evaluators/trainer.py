"""How one model is trained on one set of rows; `Training` runs it for candidates and folds at once."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.core import Tracer

from jaxsearch.core.pytree import pytree
from jaxsearch.core.types import Array, HostArray, Key, PyTree
from jaxsearch.evaluators import scaling
from jaxsearch.evaluators.metrics import Metric
from jaxsearch.spaces.dimensions import Choice, Int


@pytree
class Fitted:
    """A trained model with the preprocessing of its rows.

    params: the completed architecture parameters. target: the scaler of a regression's targets, else None.
    """

    model: Any
    params: PyTree
    weights: PyTree
    features: scaling.Scaler
    target: scaling.Scaler | None

    def predict(self, x: HostArray) -> Array:
        """Logits `[n, C]` for classification, values `[n]` in the target's unit for regression."""
        outputs = self.model.apply(None, self.params, self.weights, self.features.transform(jnp.asarray(x)))
        return outputs if self.target is None else self.target.inverse(outputs)[:, 0]


def numbers(space: dict[str, Any], params: dict[str, Array]) -> dict[str, Array]:
    """The parameters with the options in place of the indices, wherever all options of a Choice are numbers."""

    def value(name: str) -> Array:
        choice = space[name]
        plain = isinstance(choice, Choice) and all(type(option) in (int, float) for option in choice.options)
        return jnp.asarray(choice.options)[params[name]] if plain else params[name]

    return {name: value(name) for name in params}


def micro_batch(space: dict[str, Any], num_rows: int) -> int:
    """The static number of rows per gradient, which divides every batch size of the space.

    The greatest common divisor of the options of a Choice, or the lower bound of an Int, whose values are rounded to
    multiples of it; larger batches accumulate gradients, so an epoch costs every candidate the same work.
    """
    match space.get("batch_size"):
        case None:
            size = 64
        case Choice(options=options) if all(type(option) is int and option > 0 for option in options):
            size = math.gcd(*options)
        case Int(low=low, shape=()) if low > 0:
            size = low
        case other:
            raise ValueError(
                f"batch_size must be an Int with low >= 1 or a Choice of positive integers; got {other!r}. "
                "Write e.g. Choice(64, 128)."
            )
    return min(size, num_rows)


def train(
    key: Key,
    model: Any,
    space: dict[str, Any],
    params: dict[str, Array],
    x: Array,
    y: Array,
    rows: Array,
    num_rows: int,
    epochs: int,
    metric: Metric,
) -> Fitted:
    """Trains by AdamW with a cosine learning rate on the rows of `x` `[n, F]`, `y` `[n]` where `rows` `[n]` is True.

    num_rows: a static lower bound of the number of those rows; an epoch visits that many, rounded down to whole
        micro-batches, in random order.
    """
    key_init, key_order, key_dropout = jax.random.split(key, 3)
    params = numbers(space, params)
    architecture = model.complete(space, params)
    features = scaling.fit(x, rows)
    target = scaling.fit(y[:, None], rows) if metric.task == "regression" else None
    size = micro_batch(space, num_rows)
    steps = num_rows // size
    group = jnp.clip(
        jnp.round(params.get("batch_size", size) / size).astype(jnp.int32), 1, steps
    )  # at most the whole set
    optimizer = _optimizer(params, group, epochs * steps, grouped="batch_size" in space)

    def loss(weights: PyTree, key: Key, batch: Array) -> Array:
        outputs = model.apply(key, architecture, weights, features.transform(x[batch]))
        if target is None:
            return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(outputs, y[batch]))
        return jnp.mean((outputs - target.transform(y[batch][:, None])) ** 2)

    def step(carry: tuple, inputs: tuple) -> tuple[tuple, None]:
        weights, state = carry
        batch, count = inputs
        gradient = jax.grad(loss)(weights, jax.random.fold_in(key_dropout, count), batch)
        updates, state = optimizer.update(gradient, state, weights)
        return (optax.apply_updates(weights, updates), state), None

    def epoch(carry: tuple, number: Array) -> tuple[tuple, None]:
        lot = jax.random.uniform(jax.random.fold_in(key_order, number), rows.shape)
        order = jnp.argsort(jnp.where(rows, lot, 2.0))[: steps * size].reshape(steps, size)
        return jax.lax.scan(step, carry, (order, number * steps + jnp.arange(steps)))[0], None

    weights = model.init(key_init, architecture)
    (weights, _), _ = jax.lax.scan(epoch, (weights, optimizer.init(weights)), jnp.arange(epochs))
    return Fitted(model, architecture, weights, features, target)


def _optimizer(params: dict[str, Array], group: Array, steps: int, grouped: bool) -> Any:
    learning_rate = params.get("learning_rate", 1e-3)
    updates = jnp.maximum(steps // group, 1)

    def schedule(count: Any) -> Array:
        return learning_rate * 0.5 * (1 + jnp.cos(jnp.pi * jnp.minimum(count / updates, 1)))

    optimizer = optax.chain(
        optax.scale_by_adam(),
        optax.add_decayed_weights(params.get("weight_decay", 0.0)),
        optax.scale_by_learning_rate(schedule),
    )
    return optax.MultiSteps(optimizer, every_k_schedule=lambda _: group) if grouped else optimizer


@functools.partial(jax.jit, static_argnames=("epochs", "metric"))
def fit(key: Key, model: Any, space: PyTree, params: PyTree, x: Array, y: Array, epochs: int, metric: Metric) -> Fitted:
    """Trains one configuration on all rows of `x` `[n, F]` and `y` `[n]`."""
    return train(key, model, space, params, x, y, jnp.ones(len(x), bool), len(x), epochs, metric)


def check_data(model: Any, x: Any, y: Any, metric: Metric) -> None:
    """Raises ValueError unless the rows fit together, the model and the metric."""
    if np.ndim(x) != 2 or np.ndim(y) != 1 or len(x) != len(y):
        raise ValueError(f"Data must be x [n, F] and y [n]; got shapes {np.shape(x)} and {np.shape(y)}. Reshape them.")
    if x.shape[1] != model.num_features:
        raise ValueError(f"The model takes {model.num_features} features; x has {x.shape[1]}. Make the model to fit.")
    integers = jnp.issubdtype(y.dtype, jnp.integer)
    if metric.task == "classification" and not integers:
        raise ValueError(f"The metric {metric.name} needs integer classes; y is {y.dtype}. Use y.astype(int), or mse.")
    if (
        metric.task == "classification"
        and not isinstance(y, Tracer)
        and not 0 <= y.min() <= y.max() < model.num_outputs
    ):
        raise ValueError(
            f"Classes must be 0 .. {model.num_outputs - 1}, the model's outputs; y has {y.min()} .. {y.max()}. "
            "Number the classes from 0."
        )
    if metric.task == "regression" and model.num_outputs != 1:
        raise ValueError(f"The metric {metric.name} needs a model with one output; it has {model.num_outputs}.")
