"""Predictions that need no search: a constant and a linear model, in every fold."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxsearch.core.types import Array
from jaxsearch.evaluators import scaling
from jaxsearch.evaluators.training import Training

MOST_ITERATIONS = 1000  # of a logistic regression
LEAST_ITERATIONS = 20
MOST_FLOPS = 5e11  # of all logistic regressions together: some ten seconds of a core


class SimpleFolds(NamedTuple):
    """The K folds of a training, and one more that trains on all of its n rows: K + 1 in all.

    trained: `[K+1, n]`, the weights of the rows to train on, 0 for the others.
    shares: `[K+1, n]`, the same times the class weights.
    measured: `[K+1, n]`, the weights of the rows whose loss counts.
    features: the scalers of the rows to train on.
    """

    trained: Array
    shares: Array
    measured: Array
    features: scaling.Scaler


class Prediction(NamedTuple):
    """What predicts, in words; `outputs` `[K+1, m, ...]` of all rows; a note if something is wrong."""

    what: str
    outputs: np.ndarray
    note: str | None = None


def constant(
    training: Training,
    folds: SimpleFolds,
    x: np.ndarray,
    y: np.ndarray,
    classes: Sequence[str] | None,
) -> Prediction:
    """The same for every row of `x` `[m, P, C]`, whose first n have the targets `y` `[n]`."""
    trained = np.asarray(folds.trained, float)
    if not training.classifies:
        is_median = training.metric == "mae"
        values = medians(trained, y) if is_median else trained @ y / trained.sum(1)
        outputs = np.broadcast_to(values[:, None], (len(values), len(x)))
        kind = "median" if is_median else "mean"
        return Prediction(f"the {kind} {values[-1]:.4g}", outputs.astype(np.float32))
    num_classes = training.model.num_outputs
    logits = np.log(_class_shares(trained, y, num_classes))
    outputs = np.broadcast_to(logits[:, None], (len(logits), len(x), num_classes))
    outputs = outputs.astype(np.float32)
    if training.metric in ("cross_entropy", "auc"):
        return Prediction("the shares of the classes", outputs)
    most = int(np.argmax(logits[-1]))
    return Prediction(f"always {str(most) if classes is None else classes[most]!r}", outputs)


def linear(
    training: Training,
    folds: SimpleFolds,
    x: np.ndarray,
    y: np.ndarray,
    classes: Sequence[str] | None,
) -> Prediction:
    """Logistic or ridge regression on rows as in `constant`; raises what scikit-learn raises."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    flops = 4.0 * x.size * training.model.num_outputs * len(folds.shares)  # of an iteration in every fold
    iterations = min(max(int(MOST_FLOPS / flops), LEAST_ITERATIONS), MOST_ITERATIONS)
    outputs, slow = [], False
    for number, shares in enumerate(folds.shares):
        rows = np.flatnonzero(folds.trained[number] > 0)
        mean, factor = folds.features.mean[number], folds.features.factor[number]
        weights = np.asarray(shares[rows], float)
        weights = weights / weights.mean()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scaled = np.nan_to_num((x - mean) * factor, nan=0.0).reshape(len(x), -1).astype(float)
            if not training.classifies:
                outputs.append(Ridge().fit(scaled[rows], y[rows], weights).predict(scaled))
                continue
            model = LogisticRegression(max_iter=iterations)
            with warnings.catch_warnings(record=True, category=ConvergenceWarning) as caught:
                warnings.simplefilter("always", ConvergenceWarning)
                model.fit(scaled[rows], y[rows], weights)
            slow |= any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
            # A class that these rows do not have gets the probability of half a row.
            logits = np.full((len(x), training.model.num_outputs), np.log(0.5 / len(y)))
            logits[:, model.classes_] = model.predict_log_proba(scaled)
            outputs.append(logits)
    what = "logistic regression" if training.classifies else "ridge regression"
    note = f"not converged after {iterations} iterations" if slow else None
    return Prediction(what, np.stack(outputs).astype(np.float32), note)


def medians(weights: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`[K]`, the medians of `y` `[n]` by `weights` `[K, n]`."""
    order = np.argsort(y, kind="stable")
    below = np.cumsum(weights[:, order], axis=1)
    half = below[:, -1:] / 2
    low = np.sum(below < half, axis=1)
    # Where exactly half of the weight lies below, the median is between two rows.
    high = np.minimum(np.sum(below <= half, axis=1), len(y) - 1)
    return (y[order][low] + y[order][high]) / 2


def _class_shares(weights: np.ndarray, y: np.ndarray, num_classes: int) -> np.ndarray:
    """`[K, C]`; a class that is not there has the share of half a row: nothing is impossible."""
    shares = weights @ np.eye(num_classes)[y] / weights.sum(1, keepdims=True)
    return np.maximum(shares, 0.5 / len(y))
