"""How one network learns: one candidate in one fold; `Training` runs them for a population."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsearch.core import random
from jaxsearch.core.fusion import once
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Key, PyTree
from jaxsearch.evaluators.lessons import Fold
from jaxsearch.evaluators.metrics import Metric
from jaxsearch.models import masking


class Learned(NamedTuple):
    """What training has made of a network of S weights.

    All weights lie in one vector, so that XLA makes one kernel of each part of an update, not one for every array.

    weights: `[S]`. first, second: `[S]`, the moments of the gradient. gradient: `[S]`, what has accumulated since the
        last update; None if every step is one.
    """

    weights: Array
    first: Array
    second: Array
    gradient: Array | None


@pytree
class Supervised:
    """Trains a network of `models` by AdamW; all methods are for one candidate and fold.

    The learning rate is constant and falls to 0 over the last fifth of the updates. A candidate that is stopped before
    that is compared with others at the same rate, and what it has learned does not depend on the end that it had.

    epochs: passes over the training rows, unless the parameters have their own. steps: micro-batches per epoch.
    batch_size: rows per micro-batch; candidates with larger batches accumulate gradients.
    accumulates: whether any has.
    """

    model: Any
    metric: Metric = static()
    epochs: int = static()
    steps: int = static()
    batch_size: int = static()
    accumulates: bool = static()

    def bounded(self, params: PyTree, space: PyTree) -> "Supervised":
        """This learner for candidates with `params` `[C, ...]` only, see `MLP.bounded`."""
        architectures = jax.vmap(lambda params: self.model.complete(space, params))(params)
        return dataclasses.replace(self, model=self.model.bounded(architectures))

    def draw(self, key: Key) -> PyTree:
        return self.model.draw(key)

    def init(self, draws: PyTree, params: dict[str, Array], space: PyTree) -> Learned:
        weights = masking.flatten(self.model.init(draws, self.model.complete(space, params)))
        zeros = jnp.zeros_like(weights)
        return Learned(weights, zeros, zeros, zeros if self.accumulates else None)

    def weights(self, flat: Array) -> PyTree:
        """The weights as the model has them."""
        return masking.unflatten(flat, self.model.shapes())

    def resized(self, learned: Learned, other: "Supervised") -> Learned:
        """What was `learned` by `other`, a smaller or larger version, in the arrays of this one."""
        if self.model.shapes() == other.model.shapes():
            return learned
        places = masking.places(other.model.shapes(), self.model.shapes())
        return jax.tree.map(lambda leaf: masking.take(leaf, places), learned)

    def step(self, params: PyTree, space: PyTree, learned: Learned, fold: Fold, batch: tuple, count: Array) -> Learned:
        """One micro-batch `x` `[B, ...]`, `y` `[B]`, `shares` `[B]` or None, the `count`-th of the training."""
        architecture, (x, y, shares) = self.model.complete(space, params), batch
        x = fold.features.transform(x)
        word = random.hashed(fold.word, count.astype(jnp.uint32)) if "dropout" in params else None

        def loss(weights: PyTree) -> Array:
            outputs = self.model.apply(word, architecture, weights, x)
            losses = self._losses(outputs, y, params, fold)
            return jnp.mean(losses if shares is None else losses * shares)

        gradient = masking.flatten(jax.grad(loss)(self.weights(learned.weights)))
        return self.update(params, learned, gradient, count)

    def update(self, params: PyTree, learned: Learned, gradient: Array, count: Array) -> Learned:
        """What AdamW makes of the `count`-th gradient `[S]`, when as many have accumulated as make a batch.

        References: Loshchilov, Hutter, Decoupled Weight Decay Regularization, ICLR, 2019 (algorithm 2). Hagele et al.,
            Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations, NeurIPS, 2024 (the schedule).
        """
        group = self._group(params)
        gradient = gradient if learned.gradient is None else learned.gradient + gradient / group
        due, number = (count + 1) % group == 0, (count + 1) // group
        b1, b2 = params.get("momentum", 0.9), 0.999

        def when_due(new: Array, old: Array) -> Array:
            return jnp.where(due, new, old) if self.accumulates else new

        first = when_due(b1 * learned.first + (1 - b1) * gradient, learned.first)
        second = when_due(b2 * learned.second + (1 - b2) * gradient**2, learned.second)
        updates = jnp.maximum(params.get("epochs", self.epochs) * self.steps // group, 1)
        rate = params.get("learning_rate", 1e-3) * jnp.clip(5 * (1 - (number - 1) / updates), 0, 1)
        moment, scale = first / (1 - b1**number), jnp.sqrt(second / (1 - b2**number)) + 1e-8
        step = rate * (moment / scale + params.get("weight_decay", 0.0) * learned.weights)
        weights = when_due(learned.weights - step, learned.weights)
        rest = None if learned.gradient is None else when_due(jnp.zeros_like(gradient), gradient)
        return Learned(weights, first, second, rest)

    def finite(self, learned: Learned) -> Array:
        """Whether the weights are finite, and their sum too, `[]` bool."""
        return jnp.isfinite(jnp.sum(jnp.abs(learned.weights)))

    def outputs(self, params: PyTree, space: PyTree, learned: Learned, fold: Fold, x: Array) -> Array:
        """Logits `[B, C]` for classification, values `[B]` in the target's unit for regression."""
        architecture, weights = self.model.complete(space, params), self.weights(learned.weights)
        outputs = self.model.apply(None, architecture, weights, fold.features.transform(x))
        return outputs if fold.target is None else fold.target.inverse(outputs)[:, 0]

    def measure(self, params: PyTree, space: PyTree, learned: Learned, fold: Fold, x: Array, y: Array) -> Array:
        """The metric's loss on `x` `[m, ...]`, `y` `[m]`, the fold's measured rows; NaN for outputs not finite."""
        # Where the network ends, so does fusion: programs of different networks round the metric alike.
        outputs = once(self.outputs(params, space, learned, fold, x))
        loss = self.metric.loss(outputs, y, fold.weights.astype(outputs.dtype))
        return jnp.where(jnp.isfinite(jnp.sum(jnp.abs(outputs))), loss, jnp.nan).astype(jnp.result_type(float))

    def _losses(self, outputs: Array, y: Array, params: PyTree, fold: Fold) -> Array:
        """`[B]`, the training loss of each row."""
        if fold.target is not None:
            return (outputs[:, 0] - fold.target.transform(y[:, None])[:, 0]) ** 2
        labels = jax.nn.one_hot(y, outputs.shape[-1], dtype=outputs.dtype)
        if "label_smoothing" in params:
            labels = optax.smooth_labels(labels, params["label_smoothing"])
        return optax.softmax_cross_entropy(outputs, labels)

    def _group(self, params: PyTree) -> Array:
        """The micro-batches of a batch, at most all of an epoch."""
        group = jnp.round(params.get("batch_size", self.batch_size) / self.batch_size).astype(jnp.int32)
        return jnp.clip(group, 1, self.steps)
