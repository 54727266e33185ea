"""What a model must beat to be worth anything: a constant and a linear model, in the same folds."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import Array, HostArray, Key
from jaxsearch.evaluators import lessons, scaling
from jaxsearch.evaluators.metrics import Metric, metrics
from jaxsearch.evaluators.simple_models import Prediction, SimpleFolds, constant, linear
from jaxsearch.evaluators.training import Training
from jaxsearch.models.network import Network

TIE = 1e-6  # relative difference of two losses that rounding explains


class Baseline(NamedTuple):
    """How well something simple predicts; all scores are in the metric's own unit.

    what: in words, e.g. "always 'no'", "the median 3.2" or "logistic regression".
    cross_validation: the mean of `folds`. folds: one score for each fold. test: on the test rows.
    note: what is not as it should be, e.g. why there is no score. Scores that are not known are None, no folds [].
    """

    what: str
    cross_validation: float | None = None
    folds: Sequence[float] = ()
    test: float | None = None
    note: str | None = None

    def facts(self) -> dict[str, Any]:
        """As plain JSON: a dict with the fields by name, as best.json of a run has them under `baselines`."""
        return self._asdict() | {"folds": list(self.folds)}

    def not_beaten(self, metric: Metric, cross_validation: float, test: float) -> list[str]:
        """Where a model with these scores is no better: "validation", "test", both or neither."""
        pairs = {"validation": (self.cross_validation, cross_validation), "test": (self.test, test)}
        places = []
        for name, (mine, other) in pairs.items():
            if mine is None:
                continue
            # `Metric.score` is its own inverse: it also makes losses of scores.
            loss, other_loss = metric.score(mine), metric.score(other)
            if other_loss >= loss - TIE * abs(loss):
                places.append(name)
        return places


def baselines(
    training: Training,
    key: Key,
    test: tuple[HostArray, HostArray] | None = None,
    classes: Sequence[str] | None = None,
) -> dict[str, Baseline]:
    """Two simple predictions with the folds, the metric and the weights by which `training` scores a network.

    "constant" predicts the same for every row, whatever is best on the rows trained on: the most
    frequent class, for cross_entropy and auc the shares of the classes, for mae the median, for
    mse, rmse and r2 the mean. Class weights do not change it.

    "linear" is scikit-learn's `LogisticRegression()` or `Ridge()` on the standardized features, a
    missing value as the mean, with the weights of rows and classes that training has.

    Both fit the training rows of each fold, and all rows for the test.

    Args:
        training: what the networks were trained by.
        key: the one from which the search made its folds, `jax.random.wrap_key_data(result.archive.aux["key"][0])`.
        test: `x` `[m, ...]` and `y` `[m]`, rows that `training` does not have.
        classes: the label of each class, for words.

    Returns:
        The baselines by name, "constant" and "linear". One that cannot be computed, e.g. because a fold trains on one
        class alone or scikit-learn is not installed, says so in its `note`.

    Raises:
        ValueError: for a `Network` of your own, whose metric is its own.
    """
    if isinstance(training.model, Network):
        raise ValueError("Baselines need a metric; a Network of your own has its own loss. Compute them yourself.")
    folds = jax.device_get(_folds(training, key))
    x, y = (np.asarray(part) for part in training.data)
    rows = [x, y] if test is None else [np.concatenate(parts) for parts in zip((x, y), test, strict=True)]
    # The places of an image, if it is one, and its channels.
    flat = rows[0].reshape(len(rows[0]), -1, x.shape[-1])

    def scored(what: str, predict: Any) -> Baseline:
        try:
            found = predict(training, folds, flat, y, classes)
        except (ValueError, ArithmeticError, ImportError, np.linalg.LinAlgError) as error:
            return Baseline(what, note=f"not known: {' '.join(str(error).split())[:200]}")
        return _scored(metrics[training.metric], found, rows[1], folds.measured)

    return {
        "constant": scored("a constant", constant),
        "linear": scored("a linear model", linear),
    }


@jax.jit
def _folds(training: Training, key: Key) -> SimpleFolds:
    x, y = training.arrays()
    fold = training.init(key, {}, 1).fold
    held_out = jnp.append(fold[None] == jnp.arange(training.folds)[:, None], jnp.zeros((1, len(x)), bool), axis=0)
    weights = jnp.ones(len(x), x.dtype) if training.weights is None else jnp.asarray(training.weights, x.dtype)
    trained = jnp.where(held_out, 0, weights)
    shares = lessons.weighed(y, trained, training.class_weights, training.model.num_outputs)
    measured = jnp.where(held_out if training.measure == "validation" else ~held_out, weights, 0).at[-1].set(0)
    return SimpleFolds(trained, shares, measured, jax.vmap(scaling.fit, in_axes=(None, 0))(x, trained))


def _scored(metric: Metric, found: Prediction, y: np.ndarray, measured: np.ndarray) -> Baseline:
    """The scores of a prediction for the targets `y` `[m]`, of which the first n are the folds'."""
    weights, count = np.zeros((len(measured), len(y)), np.float32), measured.shape[1]
    weights[:, :count], weights[-1, count:] = measured, 1
    losses = _losses(metric.name, found.outputs, y, weights)
    *scores, test = (metric.score(float(loss)) for loss in losses)
    tested = test if len(y) > count else None
    if not np.all(np.isfinite([*scores, tested or 0.0])):
        return Baseline(found.what, note=f"not known: its {metric.name} is not finite")
    return Baseline(found.what, float(np.mean(scores)), scores, tested, found.note)


@functools.partial(jax.jit, static_argnames="name")
def _losses(name: str, outputs: Array, y: Array, weights: Array) -> Array:
    """`[K+1]`, the losses of the metric with this name."""
    return jax.vmap(metrics[name].loss, in_axes=(0, None, 0))(outputs, y, weights)
