"""The network that comes out of a search."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core.pytree import pytree
from jaxsearch.core.types import Array, HostArray, Key, PyTree
from jaxsearch.evaluators import epochs, scaling
from jaxsearch.evaluators.learners import Supervised
from jaxsearch.evaluators.lessons import lesson


@pytree
class Fitted:
    """A trained model with the preprocessing of its rows.

    params: the completed architecture parameters. target: the scaler of a regression's targets, else None.
    """

    model: Any
    params: PyTree
    weights: PyTree
    features: scaling.Scaler
    target: scaling.Scaler | None

    def predict(self, x: HostArray) -> Array:
        """Logits `[n, C]` for classification, values `[n]` in the target's unit for regression."""
        outputs = self.model.apply(None, self.params, self.weights, self.features.transform(jnp.asarray(x)))
        return outputs if self.target is None else self.target.inverse(outputs)[:, 0]


@functools.partial(jax.jit, static_argnames="regression")
def fit(
    key: Key, learner: Supervised, space: PyTree, params: dict[str, Array], x: Array, y: Array, regression: bool
) -> Fitted:
    """Trains one configuration on all rows of `x` `[n, ...]` and `y` `[n]`, as one candidate in one fold."""
    none = jnp.zeros((1, len(x)), bool)
    all_rows = lesson(key, learner, space, x, y, none, none, 1, regression)
    rows = jax.tree.map(lambda leaf: leaf[None], params)
    learned = epochs.begin(learner, all_rows, rows)
    members = epochs.unborn(1, 1)._replace(learned=learned)
    budget = jnp.asarray(params.get("epochs", learner.epochs), jnp.int32)[None]
    members = epochs.train(learner, all_rows, rows, members, budget)
    learned = jax.tree.map(lambda leaf: leaf[0, 0], members.learned)
    features, target = jax.tree.map(lambda leaf: leaf[0], (all_rows.folds.features, all_rows.folds.target))
    weights = learner.weights(learned.weights)
    return Fitted(learner.model, learner.model.complete(space, params), weights, features, target)
