"""What the estimators of scikit-learn that search networks have in common."""

from typing import Any, Self

import jax
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from jaxsearch.adapters.sklearn_arguments import count_of, key_of, strategy_of
from jaxsearch.evaluators import defaults
from jaxsearch.evaluators.fitted import fit
from jaxsearch.evaluators.halving import Halving
from jaxsearch.evaluators.lessons import ClassWeights
from jaxsearch.evaluators.metrics import Metric, metric_for
from jaxsearch.evaluators.training import Training
from jaxsearch.models.mlp import MLP
from jaxsearch.runners.search import search
from jaxsearch.runners.sized import GENERATIONS
from jaxsearch.spaces.describe import describe


class SearchedNetwork(BaseEstimator):
    """What the two estimators have in common."""

    _task: str

    def __init__(
        self,
        strategy="auto",
        *,
        max_evaluations=256,
        metric=None,
        folds=5,
        epochs=None,
        max_layers=3,
        max_width=128,
        target=None,
        time_limit=None,
        random_state=None,
        verbose=0,
    ):
        self.strategy = strategy
        self.max_evaluations = max_evaluations
        self.metric = metric
        self.folds = folds
        self.epochs = epochs
        self.max_layers = max_layers
        self.max_width = max_width
        self.target = target
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _rows(self, x: Any, y: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """The rows that weigh something, `x` in float64, and their weights with mean 1, None if all are equal."""
        options: dict[str, Any] = {"dtype": np.float64, "ensure_all_finite": "allow-nan", "ensure_min_samples": 2}
        x, y = validate_data(self, x, y, y_numeric=self._task == "regression", **options)
        weights = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        rows = weights > 0
        if not np.any(rows):
            raise ValueError("Some row must weigh more than zero; all sample weights are zero. Leave them out.")
        weights = weights[rows]
        return x[rows], y[rows], None if np.ptp(weights) == 0 else weights / np.mean(weights)

    def _metric(self) -> Metric:
        return metric_for(self._task, self.metric)

    def _fit(
        self,
        x: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray | None,
        num_outputs: int,
        *,
        class_weights: ClassWeights = None,
        centre: float = 0.0,
    ) -> Self:
        """Searches, and trains the best network on all rows. centre: what was taken off `y`."""
        metric, budget = self._metric(), count_of("max_evaluations", self.max_evaluations)
        # In float32 the seconds of two time stamps are the same; what is left without mean and scale tells them apart.
        mean, deviation = _moments(x, weights)
        scaled = ((x - mean) / deviation).astype(np.float32)
        training = self._training(scaled, y, weights, num_outputs, metric, budget, class_weights)
        rungs, space = defaults.num_rungs(training.epochs), training.model.space()
        key_search, key_fit = jax.random.split(key_of(self.random_state))
        result = search(
            Halving(training, num_rungs=rungs) if rungs > 1 else training,
            space,
            strategy_of(self.strategy, space, budget, GENERATIONS),
            key=key_search,
            max_evaluations=budget,
            target=None if self.target is None else metric.score(self.target),
            time_limit=self.time_limit,
            progress=metric.words if self.verbose else False,
        )
        self.best_params_, self.best_loss_ = describe(space, result.params), float(result.loss)
        self.best_score_ = metric.score(self.best_loss_)
        self.trials_ = result.trials()
        if not np.isfinite(self.best_loss_):
            raise ValueError(f"Every network failed: no {metric.name} was finite. Use another metric or fewer folds.")
        self.best_epochs_ = int(result.aux["epochs"])
        network = fit(training, key_fit, space, result.params, num_epochs=self.best_epochs_).portable()
        if not all(np.all(np.isfinite(part)) for layer in network.layers for part in layer):
            raise ValueError("The best network diverged when trained on all rows. Use another random_state.")
        self.network_ = network._replace(
            mean=mean + deviation * network.mean,
            factor=network.factor / deviation,
            target=network.target and (network.target[0] + centre, network.target[1]),
        )
        return self

    def _training(
        self,
        x: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray | None,
        num_outputs: int,
        metric: Metric,
        budget: int,
        class_weights: ClassWeights,
    ) -> Training:
        width, layers = count_of("max_width", self.max_width), count_of("max_layers", self.max_layers)
        return defaults.training(
            MLP(x.shape[1], num_outputs, max_layers=layers, max_width=width, min_width=min(8, width)),
            (x, y),
            metric=metric.name,
            folds=count_of("folds", self.folds),
            epochs=None if self.epochs is None else count_of("epochs", self.epochs),
            budget=budget,
            weights=weights,
            class_weights=class_weights,
        )

    def _outputs(self, x: Any) -> np.ndarray:
        check_is_fitted(self)
        x = validate_data(self, x, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return self.network_.predict(x)


def _moments(x: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation `[F]` of what is known of each column, 1 for one that is constant."""
    known = ~np.isnan(x) * (1.0 if weights is None else weights[:, None])
    total = np.maximum(known.sum(axis=0), np.finfo(float).tiny)
    mean = np.sum(np.nan_to_num(x) * known, axis=0) / total
    deviation = np.sqrt(np.sum(np.nan_to_num(x - mean) ** 2 * known, axis=0) / total)
    return mean, np.where(deviation > 0, deviation, 1.0)
