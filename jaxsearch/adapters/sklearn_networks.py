"""Neural networks that an architecture search finds, as estimators of scikit-learn."""

from typing import Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets

from jaxsearch.adapters.sklearn_arguments import class_weights_of
from jaxsearch.adapters.sklearn_searched import SearchedNetwork


class JaxSearchClassifier(ClassifierMixin, SearchedNetwork):
    """A classifier whose `fit` searches among networks of different sizes, then trains the best one on all rows.

    Whole generations of networks are trained at once, in all folds, as by `jaxsearch run`. Columns are standardized,
    and a missing value counts as the column's mean. `predict` needs NumPy alone. Labels may be of any kind.

    strategy: the name of a strategy, "auto" for one that fits the budget, or a strategy.
    max_evaluations: networks to try, at least 1.
    metric: what the search optimizes, see `jaxsearch.evaluators.metrics`: "error" if None, or "accuracy",
        "balanced_error", "balanced_accuracy", "f1", "cross_entropy" or "auc"; for a regressor "rmse" if None, or
        "mse", "mae" or "r2".
    class_weight: of the classes in training: "balanced" if all are to weigh the same, "none" if every row is, or a dict
        of weights by label, 1 for others. None for "balanced" if the metric gives all classes the same weight, as
        balanced_error and balanced_accuracy do, and "none" for the others. A regressor has none.
    folds: of the cross-validation; 1 for a single hold-out of a fifth of the rows.
    epochs: passes over the rows; None for as many as take about a thousand batches.
    max_layers, max_width: of the largest network.
    target, time_limit: the metric's value, and seconds, that end the search early; so does Ctrl-C.
    random_state: an integer, a `RandomState`, or None for another search each time.
    verbose: 1 for a bar on the terminal.

    `fit` takes weights of rows, which count in training, in the metric and in the standardization; a row of weight 0 is
    as good as not there, and so is a class of such rows alone.

    Attributes of a fitted one: `classes_`; `n_features_in_` and `feature_names_in_`; `best_params_`, plain values;
    `best_score_`, the metric in the cross-validation, and `best_loss_`, 1 - the score where a greater one is better;
    `best_epochs_`, after which that was measured and to which the network was trained; `trials_`, a table as of
    `Result.trials`;
    `network_`, which `jaxsearch.models.portable.save` writes.

    `fit` raises ValueError for arguments that cannot work and where no network can be trained.
    """

    _task = "classification"

    def __init__(
        self,
        strategy="auto",
        *,
        max_evaluations=256,
        metric=None,
        class_weight=None,
        folds=5,
        epochs=None,
        max_layers=3,
        max_width=128,
        target=None,
        time_limit=None,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            strategy,
            max_evaluations=max_evaluations,
            metric=metric,
            folds=folds,
            epochs=epochs,
            max_layers=max_layers,
            max_width=max_width,
            target=target,
            time_limit=time_limit,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def fit(self, X, y, sample_weight=None) -> Self:  # noqa: N803  # scikit-learn's names
        """Searches for rows `X` `[n, F]` and labels `y` `[n]`, with weights `[n]` of at least 0."""
        x, y, weights = self._rows(X, y, sample_weight)
        check_classification_targets(y)
        self.classes_, y = np.unique(y, return_inverse=True)
        class_weights = class_weights_of(self.class_weight, self._metric(), self.classes_)
        return self._fit(x, y.astype(np.int32), weights, len(self.classes_), class_weights=class_weights)

    def predict_proba(self, X) -> np.ndarray:  # noqa: N803
        """The probability of each class `[n, C]`, in the order of `classes_`."""
        logits = self._outputs(X)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X) -> np.ndarray:  # noqa: N803
        """The labels `[n]` of rows `X` `[n, F]`."""
        place = np.argmax(self._outputs(X), axis=1)
        return self.classes_[place]


class JaxSearchRegressor(RegressorMixin, SearchedNetwork):
    """A regressor whose `fit` searches among networks of different sizes, then trains the best one on all rows.

    Arguments and attributes are those of `JaxSearchClassifier`, but for `classes_`; the target is standardized, too.
    """

    _task = "regression"

    def fit(self, X, y, sample_weight=None) -> Self:  # noqa: N803
        """Searches for rows `X` `[n, F]` and numbers `y` `[n]`, with weights `[n]` of at least 0."""
        x, y, weights = self._rows(X, y, sample_weight)
        centre = np.average(y, weights=weights)
        return self._fit(x, (y - centre).astype(np.float32), weights, 1, centre=centre)

    def predict(self, X) -> np.ndarray:  # noqa: N803
        """The numbers `[n]` for rows `X` `[n, F]`, in the unit of the target."""
        return self._outputs(X)
