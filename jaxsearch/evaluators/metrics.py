"""What is measured. Every metric is a loss, lower is better, for the search, and a score in its own unit for people."""

import dataclasses
import difflib
import re
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from jaxsearch.core.types import Array


@dataclasses.dataclass(frozen=True)
class Metric:
    """A measure of predictions.

    name: as the user writes it.
    task: "classification" (outputs `[n, C]` are logits, targets `[n]` class indices) or "regression" (outputs
        `[n]`, targets `[n]`).
    loss: maps outputs, targets and weights `[n]` (0 leaves a row out) to a scalar, lower is better.
    greater_is_better: the loss is then 1 - score.
    weighs_classes: whether every class counts the same, however rare it is.
    about: what it tells, in a line; by default that of `loss`.
    """

    name: str
    task: str
    loss: Callable[[Array, Array, Array], Array]
    greater_is_better: bool = False
    weighs_classes: bool = False
    about: str = ""

    def score(self, loss: float) -> float:
        """The loss in the metric's own unit; its own inverse."""
        return 1 - loss if self.greater_is_better else loss

    def words(self, loss: float) -> str:
        """The name and the score, e.g. "auc 0.7492"."""
        return f"{self.name} {self.score(loss):.4g}"


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


def one_minus_f1(outputs: Array, targets: Array, weights: Array) -> Array:
    """1 - F1: the harmonic mean of precision and recall, averaged over the classes (macro), in [0, 1].

    A class that neither occurs nor is predicted is left out.
    """
    guess = jnp.argmax(outputs, -1)
    members, guessed = (jax.nn.one_hot(of, outputs.shape[-1], dtype=weights.dtype) for of in (targets, guess))
    right = jnp.sum(members * guessed * weights[:, None], 0)
    both = jnp.sum((members + guessed) * weights[:, None], 0)
    return 1 - jnp.sum(jnp.where(both > 0, 2 * right / jnp.where(both > 0, both, 1), 0)) / jnp.sum(both > 0)


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
        Metric("balanced_error", "classification", balanced_error, weighs_classes=True),
        Metric("cross_entropy", "classification", cross_entropy),
        Metric("accuracy", "classification", error, True, False, "The share of rows whose class is right."),
        Metric("balanced_accuracy", "classification", balanced_error, True, True, "The mean recall of the classes."),
        Metric("f1", "classification", one_minus_f1, True, False, "The mean F1 score of the classes (macro)."),
        Metric("auc", "classification", one_minus_auc, True, False, "The mean area under the ROC of the classes."),
        Metric("mse", "regression", mse),
        Metric("rmse", "regression", rmse),
        Metric("mae", "regression", mae),
        Metric("r2", "regression", unexplained, True, False, "The share of the targets' variance that is explained."),
    )
}

# Other names by which people know them; `neg_` before one of them and `_score` behind it are left out first.
ALIASES = {
    "acc": "accuracy",
    "auroc": "auc",
    "roc_auc": "auc",
    "roc_auc_ovr": "auc",
    "error_rate": "error",
    "zero_one_loss": "error",
    "f1_macro": "f1",
    "macro_f1": "f1",
    "crossentropy": "cross_entropy",
    "log_loss": "cross_entropy",
    "logloss": "cross_entropy",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "r_squared": "r2",
}


def metric_named(name: str) -> Metric:
    """The metric with this name or one of `ALIASES`, in any case, with spaces or hyphens for underscores.

    Raises ValueError, with the nearest names, for any other.
    """
    plain = re.sub(r"[\s_-]+", "_", str(name).strip()).casefold().removeprefix("neg_").removesuffix("_score")
    found = metrics.get(ALIASES.get(plain, plain))
    if found is None:
        known = [*metrics, *ALIASES]
        near = [name for name in known if name == plain.split("_")[0]]  # f1_weighted
        near += difflib.get_close_matches(plain, known, n=3, cutoff=0.6)
        meant = dict.fromkeys(ALIASES.get(other, other) for other in near)
        remedy = f"Did you mean {' or '.join(meant)}?" if meant else f"Use one of {', '.join(metrics)}."
        raise ValueError(f"Unknown metric {' '.join(repr(name).split())}. {remedy}")
    return found


def metric_for(task: str, name: str | None = None) -> Metric:
    """The metric with this name, see `metric_named`; by default the error or the root mean squared error.

    Raises ValueError for an unknown name, and for one of another task.
    """
    found = metric_named(name or {"classification": "error", "regression": "rmse"}[task])
    if found.task != task:
        fitting = ", ".join(other for other, metric in metrics.items() if metric.task == task)
        raise ValueError(f"The metric {found.name} does not fit {task}. Use one of {fitting}.")
    return found
