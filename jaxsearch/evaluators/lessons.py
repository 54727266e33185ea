"""What there is to learn from: rows, split into folds, with the preprocessing that belongs to each fold."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsearch.core import random
from jaxsearch.core.types import Array, HostArray, Key, PyTree
from jaxsearch.evaluators import scaling

# "balanced" for classes that weigh the same, or the weight of each; None to weigh rows alone.
ClassWeights = str | tuple[float, ...] | None


class Fold(NamedTuple):
    """One split of the rows, the same for all candidates.

    key: of the initial weights. word: `[]` uint32, of the order of the rows and of dropout. order: `[n]`
        int32, the `num_rows` `[]` rows to train on, at random, then the others.
    measured: `[m]` int32, the rows to measure. weights: `[m]`, 0 for an entry of `measured` that only fills up.
    features, target: the scalers of the training rows; the target's is None for classification.
    shares: `[n]`, how much a row counts in the training loss, on average 1; None if all count the same.
    """

    key: Key
    word: Array
    order: Array
    num_rows: Array
    measured: Array
    weights: Array
    features: scaling.Scaler
    target: scaling.Scaler | None
    shares: Array | None = None


class Lesson(NamedTuple):
    """What all candidates have in common.

    folds: `[K, ...]`. draws: `[K, ...]`, what the largest learner makes its initial weights of.
    x: `[n, ...]`, y: `[n]`.
    """

    space: PyTree
    folds: Fold
    draws: PyTree
    x: Array
    y: Array


def lesson(
    key: Key,
    learner: Any,
    space: PyTree,
    x: Array,
    y: Array,
    held_out: Array,
    measured: Array,
    most: int,
    regression: bool,
    weights: HostArray | None = None,
    class_weights: ClassWeights = None,
) -> Lesson:
    """The folds of the rows `x` `[n, ...]`, `y` `[n]` for a learner.

    held_out, measured: `[K, n]` bool, the rows that a fold does not train on, and those whose loss counts, of which
        there are at most `most`. weights: `[n]`, of the rows; None if all weigh the same. class_weights: as in
        `Training`.
    """
    keys = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(key, jnp.arange(len(held_out)))
    rows = jnp.argsort(~measured, axis=1, stable=True)[:, :most].astype(jnp.int32)
    counts, mass = jnp.take_along_axis(measured, rows, axis=1), ~held_out
    if weights is not None:
        weights = jnp.asarray(weights, x.dtype)
        counts, mass = counts * weights[rows], mass * weights[None]
    scale = jax.vmap(scaling.fit, in_axes=(None, 0))
    target = scale(y[:, None], mass) if regression else None
    words = jax.vmap(lambda key: random.bits(key, (), 2**31))(keys)
    lots = jnp.where(held_out, 2.0, random.across(words, len(x)))
    order, count = jnp.argsort(lots, axis=1).astype(jnp.int32), jnp.sum(~held_out, axis=1, dtype=jnp.int32)
    shares = None
    if weights is not None or class_weights is not None:
        num_classes = 0 if class_weights is None else learner.model.num_outputs
        shares = weighed(y, mass, class_weights, num_classes)
        shares = (shares * (count / jnp.sum(shares, axis=1))[:, None]).astype(x.dtype)
    folds = Fold(keys, words, order, count, rows, counts, scale(x, mass), target, shares)
    return Lesson(space, folds, jax.vmap(learner.draw)(keys), x, y)


def weighed(classes: Array, weights: Array, class_weights: ClassWeights, num_classes: int) -> Array:
    """`[K, n]`, the rows' `weights` `[K, n]` times those of their `classes` `[n]`."""
    if class_weights is None:
        return jnp.asarray(weights)
    if class_weights == "balanced":
        return weights * balanced(classes, weights, num_classes)[:, classes]
    return weights * jnp.asarray(class_weights, jnp.result_type(float))[classes][None]


def balanced(classes: Array, weights: Array, num_classes: int) -> Array:
    """`[K, C]`, factors of the rows' `weights` `[K, n]` that make all classes `[n]` count the same in each fold."""
    members = weights.astype(jnp.float32) @ jax.nn.one_hot(classes, num_classes)
    present = members > 0
    share = jnp.sum(members, 1, keepdims=True) / jnp.sum(present, 1, keepdims=True)
    return jnp.where(present, share / jnp.where(present, members, 1), 0)
