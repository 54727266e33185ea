"""What a model must beat to be worth anything: a constant and a linear model, in the same folds."""

import functools
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import Array, HostArray, Key
from jaxsearch.evaluators import lessons, scaling
from jaxsearch.evaluators.metrics import Metric, metrics
from jaxsearch.evaluators.training import Training
from jaxsearch.models.network import Network

MOST_ITERATIONS = 1000  # of the logistic regression
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
        """As plain JSON."""
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


class _Folds(NamedTuple):
    """The K folds of a training, and one more that trains on all rows: K + 1 in all.

    trained: `[K+1, n]`, the weights of the rows to train on, 0 for the others. shares: `[K+1, n]`, the same times the
    class weights. measured: `[K+1, n]`, the weights of the rows whose loss counts. features: the scalers.
    """

    trained: Array
    shares: Array
    measured: Array
    features: scaling.Scaler


def baselines(
    training: Training,
    key: Key,
    test: tuple[HostArray, HostArray] | None = None,
    classes: Sequence[str] | None = None,
) -> dict[str, Baseline]:
    """Two simple predictions with the folds, the metric and the weights by which `training` scores a network.

    "constant" predicts the same for every row, what is best on the rows trained on: the most
    frequent class, for cross_entropy and auc the shares of the classes, for mae the median, for
    mse, rmse and r2 the mean. Class weights do not change it.

    "linear" is scikit-learn's `LogisticRegression()` or `Ridge()` on the standardized features, a
    missing value as the mean, with the weights of rows and classes that training has.

    Both fit the training rows of each fold, and all rows for the test.

    Args:
        training: what the networks were trained by.
        key: the one from which the search made its folds, `jax.random.wrap_key_data(result.archive.aux["key"][0])`.
        test: `x` `[m, ...]` and `y` `[m]`, rows that `training` has not.
        classes: the label of each class, for words.

    Returns:
        The baselines by name, "constant" and "linear". One that cannot be computed, e.g. since a fold trains on one
        class alone or scikit-learn is not installed, says so in its `note`.

    Raises:
        ValueError: for a `Network` of your own, whose metric is its own.
    """
    if isinstance(training.model, Network):
        raise ValueError("Baselines need a metric; a Network of your own has its own loss. Compute them yourself.")
    folds = jax.device_get(_folds(training, key))
    x, y = (np.asarray(part) for part in training.data)
    rows = [x, y] if test is None else [np.concatenate(parts) for parts in zip((x, y), test, strict=True)]
    data = (_flat(rows[0]), rows[1], len(y))
    return {
        "constant": _scored("a constant", _constant, training, folds, data, classes),
        "linear": _scored("a linear model", _linear, training, folds, data, classes),
    }


@jax.jit
def _folds(training: Training, key: Key) -> _Folds:
    x, y = training.arrays()
    fold = training.init(key, {}, 1).fold
    held_out = jnp.append(fold[None] == jnp.arange(training.folds)[:, None], jnp.zeros((1, len(x)), bool), axis=0)
    weights = jnp.ones(len(x), x.dtype) if training.weights is None else jnp.asarray(training.weights, x.dtype)
    trained = jnp.where(held_out, 0, weights)
    shares = trained
    if training.num_balanced:
        shares = shares * lessons.balanced(y, trained, training.num_balanced)[:, y]
    measured = jnp.where(held_out if training.measure == "validation" else ~held_out, weights, 0).at[-1].set(0)
    return _Folds(trained, shares, measured, jax.vmap(scaling.fit, in_axes=(None, 0))(x, trained))


def _flat(x: np.ndarray) -> np.ndarray:
    """`[n, P, C]`: the places of an image and its channels; `[n, 1, F]` for a table."""
    return x.reshape(len(x), -1, x.shape[-1])


def _scored(what: str, predict: Any, training: Training, folds: _Folds, data: tuple, classes: Any) -> Baseline:
    """The scores of what `predict` says; instead a note if it cannot say anything."""
    metric, (_, y, count) = metrics[training.metric], data
    measured = np.zeros((len(folds.measured), len(y)), np.float32)
    measured[:, :count], measured[-1, count:] = folds.measured, 1
    try:
        what, outputs, note = predict(training, folds, data, classes)
        *scores, test = (metric.score(float(loss)) for loss in _losses(training.metric, outputs, y, measured))
    except (ValueError, ArithmeticError, ImportError, np.linalg.LinAlgError) as error:
        return Baseline(what, note=f"not known: {' '.join(str(error).split())[:200]}")
    known = np.isfinite([*scores, test if len(y) > count else 0.0])
    if not np.all(known):
        return Baseline(what, note=f"not known: its {metric.name} is not finite")
    return Baseline(what, float(np.mean(scores)), scores, test if len(y) > count else None, note)


@functools.partial(jax.jit, static_argnames="name")
def _losses(name: str, outputs: Array, y: Array, weights: Array) -> Array:
    """`[K+1]`, the losses of the metric with this name."""
    return jax.vmap(metrics[name].loss, in_axes=(0, None, 0))(outputs, y, weights)


def _constant(training: Training, folds: _Folds, data: tuple, classes: Any) -> tuple[str, np.ndarray, str | None]:
    """In words, the outputs `[K+1, n, ...]` and no note."""
    _, y, count = data
    trained, targets = np.asarray(folds.trained, float), y[:count]
    if not training.classifies:
        median = training.metric == "mae"
        values = _medians(trained, targets) if median else trained @ targets / trained.sum(1)
        outputs = np.broadcast_to(values[:, None], (len(values), len(y)))
        return f"the {'median' if median else 'mean'} {values[-1]:.4g}", outputs.astype(np.float32), None
    num_classes = training.model.num_outputs
    logits = np.log(_shares(trained, targets, num_classes))
    outputs = np.broadcast_to(logits[:, None], (len(logits), len(y), num_classes)).astype(np.float32)
    if training.metric in ("cross_entropy", "auc"):
        return "the shares of the classes", outputs, None
    most = int(np.argmax(logits[-1]))
    return f"always {str(most) if classes is None else classes[most]!r}", outputs, None


def _shares(trained: np.ndarray, y: np.ndarray, num_classes: int) -> np.ndarray:
    """`[K+1, C]`, the share of each class; of one that is not there half a row, so that nothing is impossible."""
    total = trained.sum(1, keepdims=True)
    shares = trained @ np.eye(num_classes)[y] / total
    return np.maximum(shares, 0.5 / len(y))


def _medians(trained: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`[K+1]`, the weighted median of the targets."""
    order = np.argsort(y, kind="stable")
    below = np.cumsum(trained[:, order], axis=1)
    half = below[:, -1:] / 2
    # Where exactly half of the weight lies below, the median is between two rows.
    low, high = (np.sum(compare(below, half), axis=1) for compare in (np.less, np.less_equal))
    return (y[order][low] + y[order][np.minimum(high, len(y) - 1)]) / 2


def _linear(training: Training, folds: _Folds, data: tuple, classes: Any) -> tuple[str, np.ndarray, str | None]:
    """In words, the outputs `[K+1, n, ...]` and a note if the fit has not converged."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    x, y, count = data
    found, slow = [], False
    for number, (trained, shares) in enumerate(zip(folds.trained, folds.shares, strict=True)):
        rows = np.flatnonzero(trained > 0)
        mean, factor = folds.features.mean[number], folds.features.factor[number]
        weights = np.asarray(shares[rows], float)
        weights = weights / weights.mean()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", ConvergenceWarning)
            scaled = np.nan_to_num((x - mean) * factor, nan=0.0).reshape(len(x), -1).astype(float)
            if not training.classifies:
                found.append(Ridge().fit(scaled[rows], y[rows], weights).predict(scaled))
                continue
            model = LogisticRegression(max_iter=MOST_ITERATIONS)
            try:
                model.fit(scaled[rows], y[rows], weights)
            except ConvergenceWarning:
                slow = True
                warnings.simplefilter("ignore")
                model.fit(scaled[rows], y[rows], weights)
        # A class that the rows have not gets the probability of half a row.
        logits = np.full((len(x), training.model.num_outputs), np.log(0.5 / count))
        logits[:, model.classes_] = model.predict_log_proba(scaled)
        found.append(logits)
    what = "logistic regression" if training.classifies else "ridge regression"
    note = f"not converged after {MOST_ITERATIONS} iterations" if slow else None
    return what, np.stack(found).astype(np.float32), note
