"""What is measured. Every metric is a loss, lower is better, for the search, and a score in its own unit for people."""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from jaxsearch.core.names import check_name
from jaxsearch.core.types import Array


@dataclasses.dataclass(frozen=True)
class Metric:
    """A measure of predictions.

    name: as the user writes it.
    task: "classification" (outputs `[n, C]` are logits, targets `[n]` class indices) or "regression" (outputs
        `[n]`, targets `[n]`).
    loss: maps outputs, targets and weights `[n]` (0 leaves a row out) to a scalar, lower is better.
    greater_is_better: the loss is then 1 - score.
    """

    name: str
    task: str
    loss: Callable[[Array, Array, Array], Array]
    greater_is_better: bool = False

    def score(self, loss: float) -> float:
        """The loss in the metric's own unit; its own inverse."""
        return 1 - loss if self.greater_is_better else loss


def _mean(values: Array, weights: Array) -> Array:
    return jnp.sum(jnp.where(weights > 0, values, 0) * weights) / jnp.sum(weights)


def error(outputs: Array, targets: Array, weights: Array) -> Array:
    """The share of rows whose largest logit is not the target's, in [0, 1]."""
    return _mean((jnp.argmax(outputs, -1) != targets).astype(weights.dtype), weights)


def balanced_error(outputs: Array, targets: Array, weights: Array) -> Array:
    """The error averaged over the classes that occur, in [0, 1]."""
    members = jax.nn.one_hot(targets, outputs.shape[-1], dtype=weights.dtype) * weights[:, None]
    wrong = jnp.sum(members * (jnp.argmax(outputs, -1) != targets)[:, None], 0)
    size = jnp.sum(members, 0)
    return jnp.sum(jnp.where(size > 0, wrong / jnp.where(size > 0, size, 1), 0)) / jnp.sum(size > 0)


def cross_entropy(outputs: Array, targets: Array, weights: Array) -> Array:
    """The mean of -log of the probability given to the target, in nats."""
    return _mean(optax.softmax_cross_entropy_with_integer_labels(outputs, targets), weights)


def one_minus_auc(outputs: Array, targets: Array, weights: Array) -> Array:
    """1 - area under the receiver operating characteristic, of each class against the others, averaged over classes.

    The share of pairs of a member and another row in which the other is given the higher probability; equal ones count
    half, and a pair the product of its rows' weights. Classes without members, or without others, are left out; NaN if
    all are.

    References: Hand, Till, A Simple Generalisation of the Area Under the ROC Curve, Machine Learning, 2001.
    """

    def of_class(scores: Array, members: Array) -> Array:
        others = weights - members
        scores = jnp.where(weights > 0, scores, jnp.inf)
        order = jnp.argsort(scores)
        up_to = jnp.append(0, jnp.cumsum(others[order]))  # the others' weight among the lowest scores
        below, not_above = (up_to[jnp.searchsorted(scores[order], scores, side)] for side in ("left", "right"))
        wins = jnp.sum(members * (below + not_above) / 2)
        return wins / (jnp.sum(members) * jnp.sum(others))  # NaN without pairs

    members = jax.nn.one_hot(targets, outputs.shape[-1], dtype=weights.dtype) * weights[:, None]
    return 1 - jnp.nanmean(jax.vmap(of_class, in_axes=1)(jax.nn.log_softmax(outputs), members))


def mse(outputs: Array, targets: Array, weights: Array) -> Array:
    """The mean squared error, in squared units of the target."""
    return _mean((outputs - targets) ** 2, weights)


def rmse(outputs: Array, targets: Array, weights: Array) -> Array:
    """The root of the mean squared error, in units of the target."""
    return jnp.sqrt(mse(outputs, targets, weights))


def mae(outputs: Array, targets: Array, weights: Array) -> Array:
    """The mean absolute error, in units of the target."""
    return _mean(jnp.abs(outputs - targets), weights)


def unexplained(outputs: Array, targets: Array, weights: Array) -> Array:
    """1 - R2: the squared error relative to that of the targets' mean; NaN if the targets are constant."""
    return mse(outputs, targets, weights) / mse(_mean(targets, weights), targets, weights)


metrics = {
    metric.name: metric
    for metric in (
        Metric("error", "classification", error),
        Metric("balanced_error", "classification", balanced_error),
        Metric("cross_entropy", "classification", cross_entropy),
        Metric("auc", "classification", one_minus_auc, greater_is_better=True),
        Metric("mse", "regression", mse),
        Metric("rmse", "regression", rmse),
        Metric("mae", "regression", mae),
        Metric("r2", "regression", unexplained, greater_is_better=True),
    )
}


def metric_for(task: str, name: str | None = None) -> Metric:
    """The metric with this name, by default the error or the root mean squared error.

    Raises ValueError for an unknown name, and for one of another task.
    """
    name = name or {"classification": "error", "regression": "rmse"}[task]
    check_name("metric", name, metrics)
    if metrics[name].task != task:
        fitting = ", ".join(other for other, metric in metrics.items() if metric.task == task)
        raise ValueError(f"The metric {name} does not fit {task}. Use one of {fitting}.")
    return metrics[name]
