"""A configuration that a search found, trained once more."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.pytree import pytree
from jaxsearch.core.types import Array, HostArray, Key, PyTree, Results
from jaxsearch.evaluators import epochs, scaling
from jaxsearch.evaluators.learners import Supervised
from jaxsearch.evaluators.lessons import lesson
from jaxsearch.evaluators.own_network import OwnNetwork
from jaxsearch.evaluators.parameters import numbers
from jaxsearch.evaluators.training import Training
from jaxsearch.models.network import Network


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

        Raises ValueError for a `Network` of your own, which does not say how.
        """
        if isinstance(self.model, Network):
            raise ValueError(
                "Only a model of jaxsearch can predict; got a Network. "
                "Give fitted.weights, the state, and fitted.features.transform(x) to a function of yours."
            )
        outputs = self.model.apply(None, self.params, self.weights, self.features.transform(jnp.asarray(x)))
        return outputs if self.target is None else self.target.inverse(outputs)[:, 0]


def fit(training: Training, key: Key, space: PyTree, params: PyTree) -> Fitted:
    """Trains one configuration on all rows of a training, none held out.

    params: the configuration, as in `Result.params`.
    """
    params = numbers(space, jax.tree.map(np.asarray, params))
    model, (x, y) = training.model, training.arrays()
    if not isinstance(model, Network):
        architecture = model.complete(space, params)
        model = next((model for model in training.smaller if bool(model.fits(architecture))), model)
    budget = np.asarray(params.get("epochs", training.epochs), np.int32)
    regression = not training.classifies and not isinstance(model, Network)
    return _fit(key, training.learner(model, space, len(x)), space, params, budget, x, y, regression)


@functools.partial(jax.jit, static_argnames="regression")
def _fit(
    key: Key,
    learner: Supervised | OwnNetwork,
    space: PyTree,
    params: PyTree,
    budget: Array,
    x: Array,
    y: Array,
    regression: bool,
) -> Fitted:
    """As one candidate in one fold that holds nothing out."""
    none = jnp.zeros((1, len(x)), bool)
    all_rows = lesson(key, learner, space, x, y, none, none, 1, regression)
    rows = jax.tree.map(lambda leaf: leaf[None], params)
    members = epochs.unborn(1, 1)._replace(learned=epochs.begin(learner, all_rows, rows))
    members = epochs.train(learner, all_rows, rows, members, budget[None])
    learned = jax.tree.map(lambda leaf: leaf[0, 0], members.learned)
    features, target = jax.tree.map(lambda leaf: leaf[0], (all_rows.folds.features, all_rows.folds.target))
    if isinstance(learner, OwnNetwork):
        return Fitted(learner.network, params, learned, features, target)
    weights = learner.weights(learned.weights)
    return Fitted(learner.model, learner.model.complete(space, params), weights, features, target)


def retrain(training: Training, key: Key, space: PyTree, params: PyTree, num_epochs: int | None = None) -> Results:
    """The results of one configuration once more, as in the search that it comes from: `loss` `[]` and `aux`.

    Bit for bit on the same machine, if the search had a `chunk_size` and `params` have the same bits: decode them in a
    compiled `vmap`, as the search does.

    key: that of `Results.aux`. params: the decoded configuration. num_epochs: those that it was trained, None for all.
    """
    return _retrain(training, key, space, params, num_epochs)


@functools.partial(jax.jit, static_argnames="num_epochs")
def _retrain(training: Training, key: Key, space: PyTree, params: PyTree, num_epochs: int | None) -> Results:
    state = training.init(key, space, 1)
    count = training.chunk_size or 1  # as many rows as a chunk has, since XLA may round differently for other shapes
    params = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (count, *jnp.shape(leaf))), numbers(space, params))
    budget = jnp.broadcast_to(num_epochs or params.get("epochs", training.epochs), count).astype(jnp.int32)
    members = training.train(state, space, params, epochs.unborn(count, training.folds), budget)
    return jax.tree.map(lambda leaf: leaf[0], training.results(state, members))
