"""How a network of the user's learns."""

import jax
import jax.numpy as jnp

from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Key, PyTree
from jaxsearch.evaluators.lessons import Fold
from jaxsearch.models.network import Network


@pytree
class OwnNetwork:
    """Trains a `Network`; all methods are for one candidate and fold.

    standardize: whether `x` is standardized with the training rows' means and deviations. steps: batches per epoch.
    batch_size: their rows.
    """

    network: Network
    standardize: bool = static()
    steps: int = static()
    batch_size: int = static()

    def bounded(self, params: PyTree, space: PyTree) -> "OwnNetwork":
        return self

    def draw(self, key: Key) -> Key:
        return key

    def init(self, draws: Key, params: PyTree, space: PyTree) -> PyTree:
        return self.network.init(draws, params)

    def resized(self, state: PyTree, other: "OwnNetwork") -> PyTree:
        return state

    def step(self, params: PyTree, space: PyTree, state: PyTree, fold: Fold, batch: tuple, count: Array) -> PyTree:
        return self.network.step(jax.random.fold_in(fold.key, count), params, state, self._batch(fold, *batch))

    def finite(self, state: PyTree) -> Array:
        leaves = [leaf for leaf in jax.tree.leaves(state) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
        return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in leaves]))

    def measure(self, params: PyTree, space: PyTree, state: PyTree, fold: Fold, x: Array, y: Array) -> Array:
        loss = self.network.loss(params, state, self._batch(fold, x, y))
        return jnp.asarray(loss, jnp.result_type(float))

    def _batch(self, fold: Fold, x: Array, y: Array) -> tuple[Array, Array]:
        return (fold.features.transform(x) if self.standardize else x), y
