"""A population of models, trained and scored at once."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, HostArray, Key, PyTree, Results
from jaxsearch.evaluators import splits, trainer
from jaxsearch.evaluators.metrics import Metric, metrics
from jaxsearch.evaluators.vectorized import in_chunks
from jaxsearch.spaces import codec


@pytree
class TrainingState:
    """What an evaluation needs to know of the split."""

    fold: Array  # [n] int32, the fold in which a row is held out; from 1 on never, for hold-out


@pytree
class Training:
    """Scores a configuration by the error of the model trained with it, averaged over the folds.

    Candidates x folds train in one flat `vmap`; the folds are the same for all candidates of a search. Standardization
    is fitted on the training rows of each fold. A model whose outputs are not finite has failed.

    model: e.g. `MLP(num_features, num_outputs)`; its `space()` is a sensible space, a dict of dimensions by name.
        Besides the model's parameters, `learning_rate`, `weight_decay` and `batch_size` are understood.
    data: `x` `[n, F]` floats, NaN for missing, and `y` `[n]` integer classes or float targets.
    metric: error, balanced_error, cross_entropy, mse, rmse, mae or r2.
    folds: of the cross-validation, stratified by class; 1 for a single hold-out of `validation_share` of the rows.
    epochs: passes over the training rows.
    chunk_size: candidates trained at the same time, None for all; bounds the memory, and on a CPU small chunks stay in
        the cache.
    smaller: versions of the model with smaller arrays, cheapest first, e.g. `model.smaller()`; every chunk runs the
        first that all its candidates fit into, to the same losses but for rounding. Each costs a compilation.
    measure: "validation", or "training" for the error on the rows trained on.

    `Results.aux` holds `folds` `[P, K]`, the loss in every fold, and `key` `[P, ...]`, the key data of every candidate.
    Raises ValueError for data, a metric, folds or a space that do not fit together.
    """

    model: Any
    data: tuple[HostArray, HostArray]
    metric: str = static(default="error")
    folds: int = static(default=5)
    epochs: int = static(default=30)
    chunk_size: int | None = static(default=None)
    validation_share: float = static(default=0.2)
    measure: str = static(default="validation")
    smaller: tuple[Any, ...] = ()

    def __post_init__(self):
        check_name("metric", self.metric, metrics)
        check_name("measure", self.measure, ("validation", "training"))
        for name in ("folds", "epochs", "chunk_size"):
            value = getattr(self, name)
            if not (value is None and name == "chunk_size") and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} must be an integer of at least 1; got {value!r}.")
        if not 0 < self.validation_share < 1:
            raise ValueError(f"validation_share must be between 0 and 1; got {self.validation_share!r}. Try 0.2.")
        if all(isinstance(part, np.ndarray | jax.Array) for part in self.data):  # else placeholders of a transformation
            x, y = self.data
            trainer.check_data(self.model, x, y, self._metric)
            if max(2, self.folds) > len(x):
                raise ValueError(f"{self.folds} folds need as many rows; the data have {len(x)}. Use fewer folds.")

    @property
    def _metric(self) -> Metric:
        return metrics[self.metric]

    @property
    def _num_held_out(self) -> int:
        """The most rows that a fold holds out."""
        count = len(self.data[0])
        return (
            -(-count // self.folds) if self.folds > 1 else min(max(round(self.validation_share * count), 1), count - 1)
        )

    def init(self, key: Key, space: PyTree, count: int) -> TrainingState:
        if not isinstance(space, dict):
            raise ValueError(f"Training needs a dict of dimensions by name; got {space!r}. Start from model.space().")
        trainer.micro_batch(space, len(self.data[0]))
        self.model.check_space(space, also=("learning_rate", "weight_decay", "batch_size"))
        y = jnp.asarray(self.data[1])
        classes = y if self._metric.task == "classification" else jnp.zeros_like(y)
        if self.folds > 1:
            return TrainingState(splits.folds(key, classes, self.folds))
        return TrainingState(splits.hold_out(key, classes, self._num_held_out))

    def evaluate(
        self, key: Key, state: TrainingState, space: PyTree, candidates: Candidates
    ) -> tuple[Results, TrainingState]:
        keys, count = jax.random.split(key, len(candidates.x)), len(candidates.x)
        data = self._arrays()
        params = jax.vmap(codec.decode, in_axes=(None, 0))(space, candidates.x)
        models = (*self.smaller, self.model)
        fits = self._fits(space, params)
        order = jnp.argsort(jnp.argmax(fits, axis=1))  # so that the chunks are of one size as far as possible

        def chunk(fits: Array, keys: Key, params: PyTree) -> Array:
            runs = [functools.partial(self._losses, model) for model in models]
            first = jnp.argmax(jnp.all(fits, axis=0))  # the model's own arrays, the last, fit every candidate
            arguments = (keys, params, space, state.fold, data)
            return jax.lax.switch(first, runs, *arguments) if self.smaller else runs[0](*arguments)

        sorted_rows = jax.tree.map(lambda leaf: leaf[order], (fits, keys, params))
        losses = in_chunks(chunk, sorted_rows, self.chunk_size or count)
        losses = jnp.zeros_like(losses).at[order].set(losses)
        aux = {"folds": losses, "key": jax.random.key_data(keys)}
        return Results(jnp.mean(losses, axis=1), aux=aux), state

    def _fits(self, space: PyTree, params: PyTree) -> Array:
        """`[P, 1 + smaller]` bool: which of the models, the own one last, an architecture fits into."""

        def one(params: PyTree) -> Array:
            if not self.smaller:
                return jnp.ones(1, bool)
            architecture = self.model.complete(space, trainer.numbers(space, params))
            return jnp.stack([*(model.fits(architecture) for model in self.smaller), jnp.array(True)])

        return jax.vmap(one)(params)

    def _losses(
        self, model: Any, keys: Key, params: PyTree, space: PyTree, fold_of: Array, data: tuple[Array, Array]
    ) -> Array:
        """The losses `[P, K]` of P candidates in every fold, in one flat `vmap`."""
        count = len(keys)
        fold = jnp.tile(jnp.arange(self.folds), count)
        every_fold = jax.tree.map(lambda leaf: jnp.repeat(leaf, self.folds, axis=0), (keys, params))
        x, y = data
        num_rows, metric = len(x) - self._num_held_out, self._metric

        def fold_loss(key: Key, params: PyTree, fold: Array) -> Array:
            held_out = fold_of == fold
            fitted = trainer.train(key, model, space, params, x, y, ~held_out, num_rows, self.epochs, metric)
            outputs = fitted.predict(x)
            measured = held_out if self.measure == "validation" else ~held_out
            loss = metric.loss(outputs, y, measured.astype(outputs.dtype))
            return jnp.where(jnp.all(jnp.isfinite(outputs)), loss, jnp.nan).astype(jnp.result_type(float))

        keys, params = every_fold
        return jax.vmap(fold_loss)(keys, params, fold).reshape(count, self.folds)

    def _arrays(self) -> tuple[Array, Array]:
        """The data with floats where the arithmetic needs them; integer pixels and prices are welcome."""
        x, y = jnp.asarray(self.data[0], jnp.result_type(float)), jnp.asarray(self.data[1])
        return x, y if self._metric.task == "classification" else y.astype(x.dtype)

    def fit(self, key: Key, space: PyTree, params: PyTree) -> trainer.Fitted:
        """Trains one configuration on all rows, none held out."""
        x, y = self._arrays()
        return trainer.fit(key, self.model, space, params, x, y, self.epochs, self._metric)
