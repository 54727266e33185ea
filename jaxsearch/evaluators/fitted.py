"""A configuration that a search found, trained once more."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.pytree import as_integer, pytree
from jaxsearch.core.types import Array, HostArray, Key, PyTree, Results
from jaxsearch.evaluators import epochs, scaling
from jaxsearch.evaluators.bucketed import needs
from jaxsearch.evaluators.lessons import Fold, lesson
from jaxsearch.evaluators.parameters import numbers
from jaxsearch.evaluators.training import Training
from jaxsearch.models.network import Network
from jaxsearch.models.portable import PortableModel


@pytree
class Fitted:
    """A trained model with the preprocessing of its rows.

    params: the completed architecture parameters. weights: of a `Network` of your own, its state.
    features: prepares rows for the model, `features.transform(x)`. target: the scaler of a regression's, else None.
    """

    model: Any
    params: PyTree
    weights: PyTree
    features: scaling.Scaler
    target: scaling.Scaler | None

    def predict(self, x: HostArray) -> Array:
        """Logits `[n, C]` for classification, values `[n]` in the target's unit for regression.

        Raises ValueError for rows of another shape, and for a `Network` of your own, which does not say how.
        """
        if isinstance(self.model, Network):
            raise ValueError(
                "Only a model of jaxsearch can predict; got a Network. "
                "Give fitted.weights, the state, and fitted.features.transform(x) to a function of yours."
            )
        if np.shape(x)[1:] != self.model.input_shape:
            raise ValueError(
                f"The model takes rows of shape {self.model.input_shape}; x has shape {np.shape(x)}. Reshape it, "
                "a single row by x[None]."
            )
        return _predict(self, x)

    def portable(self, about: dict[str, Any] | None = None) -> PortableModel:
        """What `models.portable.save` writes, for a model of jaxsearch. about: plain facts to keep with it.

        Raises ValueError for a `Network` of your own.
        """
        if isinstance(self.model, Network):
            raise ValueError("Only a model of jaxsearch is portable; got a Network. Save fitted.weights, the state.")
        params, weights, features, target = jax.device_get((self.params, self.weights, self.features, self.target))
        facts, layers = self.model.compact(params, weights)
        unit = target and (float(target.mean[0]), float(target.factor[0]))
        return PortableModel(facts, layers, features.mean, features.factor, unit, about or {})


@jax.jit
def _predict(fitted: Fitted, x: Array) -> Array:
    outputs = fitted.model.apply(None, fitted.params, fitted.weights, fitted.features.transform(x))
    return outputs if fitted.target is None else fitted.target.inverse(outputs)[:, 0]


def fit(training: Training, key: Key, space: PyTree, params: PyTree, num_epochs: int | Array | None = None) -> Fitted:
    """Trains one configuration on all rows of a training, none held out.

        >>> network = js.fit(training, key, space, result.params, num_epochs=result.aux["epochs"])  # doctest: +SKIP

    Args:
        training: what the search scored its candidates with, without `Halving` and `Sharded`.
        key: of the initial weights, the batches and dropout.
        space: the space of the search.
        params: the configuration, as in `Result.params`.
        num_epochs: where to stop, at least 1; None for all epochs of the training. Give those at which the candidate
            was measured, as in `Result.aux`: after `Halving` they may be fewer. The schedule of the learning rate is
            that of all epochs, as in the search.

    Raises:
        ValueError: as `Training` does for a space that does not fit, and for epochs that are no integer of at least 1.
    """
    training.check_space(space)
    stop = None if num_epochs is None else _checked_epochs(num_epochs)
    params, model = jax.tree.map(np.asarray, params), training.model
    if training.smaller:
        models = (*training.smaller, model)
        model = models[int(_size(models, space, params))]
    return _fit(dataclasses.replace(training, model=model, smaller=()), key, space, params, stop)


def _checked_epochs(num_epochs: Any) -> np.ndarray:
    """`[]` int32. Raises ValueError unless it is an integer of at least 1, which may be one of NumPy or JAX."""
    number = as_integer(num_epochs)
    if number is None or number < 1:
        raise ValueError(
            f"num_epochs must be an integer of at least 1; got {num_epochs!r}. Leave it out to train in full."
        )
    return np.asarray(number, np.int32)


@jax.jit
def _size(models: tuple, space: PyTree, params: PyTree) -> Array:
    """The number of the smallest model that a configuration fits into."""
    return needs(models, space, jax.tree.map(lambda leaf: leaf[None], numbers(space, params)))[0][0]


@jax.jit
def _fit(training: Training, key: Key, space: PyTree, params: PyTree, num_epochs: Any) -> Fitted:
    """As one candidate in one fold that holds nothing out."""
    params, (x, y) = numbers(space, params), training.arrays()
    learner, none = training.learner(training.model, space, len(x)), jnp.zeros((1, len(x)), bool)
    regression = not isinstance(training.model, Network) and not training.classifies
    all_rows = lesson(key, learner, space, x, y, none, none, 1, regression, training.weights, training.class_weights)
    rows = jax.tree.map(lambda leaf: leaf[None], params)
    members = epochs.unborn(1, 1)._replace(learned=epochs.begin(learner, all_rows, rows))
    epochs_to_train = params.get("epochs", training.epochs) if num_epochs is None else num_epochs
    budget = jnp.asarray(epochs_to_train, jnp.int32)[None]
    members = epochs.train(learner, all_rows, rows, members, budget)
    learned = jax.tree.map(lambda leaf: leaf[0, 0], members.learned)
    return network(training, space, params, learned, jax.tree.map(lambda leaf: leaf[0], all_rows.folds))


def network(training: Training, space: PyTree, params: PyTree, learned: PyTree, fold: Fold) -> Fitted:
    """What one candidate with `params` has `learned` in one fold, with the preprocessing of its rows."""
    model = training.model
    if isinstance(model, Network):
        return Fitted(model, params, learned, fold.features, fold.target)
    weights = training.learner(model, space).weights(learned.weights)
    return Fitted(model, model.complete(space, params), weights, fold.features, fold.target)


def retrain(training: Training, key: Key, space: PyTree, params: PyTree, num_epochs: int | None = None) -> Results:
    """The results of one configuration once more, as in the search that it comes from: `loss` `[]` and `aux`.

    Bit for bit on the same machine, if the search had a `chunk_size` and `params` have the same bits: decode them in a
    compiled `vmap`, as the search does.

    key: that of `Results.aux`. params: the decoded configuration. num_epochs: the `epochs` of `Results.aux`, at which
        it was measured; None for all. After 0, those of a model beyond the limits, the loss is NaN.
    """
    return _retrain(training, key, space, params, num_epochs)


@jax.jit
def _retrain(training: Training, key: Key, space: PyTree, params: PyTree, num_epochs: int | None) -> Results:
    state = training.init(key, space, 1)
    count = training.chunk_size or 1  # as many rows as a chunk has, since XLA may round differently for other shapes
    params = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *jnp.shape(leaf))), numbers(space, params))
    budget = params.get("epochs", training.epochs) if num_epochs is None else num_epochs
    budget = jnp.broadcast_to(budget, count).astype(jnp.int32)
    members = training.train(state, space, params, epochs.unborn(count, training.folds), budget)
    return jax.tree.map(lambda leaf: leaf[0], training.results(state, members))
