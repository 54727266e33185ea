"""Which rows train and which are held out; pure functions, so a split belongs to a key."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import Array, HostArray, Key


def folds(key: Key, classes: HostArray, num_folds: int) -> Array:
    """The fold `[n]` int32 in which each row is held out, for k-fold cross-validation.

    Stratified: the folds' sizes differ by at most one row, and so do their shares of every class.

    Args:
        key: decides which rows of a class go where.
        classes: `[n]` class of each row; all zeros for plain folds.
        num_folds: at least 2, at most n.
    """
    return _by_rank(key, classes, np.arange(len(classes)) % num_folds)


def hold_out(key: Key, classes: HostArray, count: int) -> Array:
    """0 for `count` held-out rows and 1 for the others, `[n]` int32, every class in its share to within one row."""
    place = np.arange(len(classes) + 1, dtype=np.int64) * count // len(classes)  # rises by one at `count` places
    return _by_rank(key, classes, 1 - np.diff(place))


def held_out(key: Key, classes: HostArray, num_folds: int, count: int) -> Array:
    """The fold `[n]` int32 in which each row is held out: of several, or of one that holds out `count` rows."""
    return folds(key, classes, num_folds) if num_folds > 1 else hold_out(key, classes, count)


def _by_rank(key: Key, classes: HostArray, values: np.ndarray) -> Array:
    """Deals `values` to the rows sorted by class, in random order within a class."""
    order = jnp.lexsort((jax.random.uniform(key, (len(classes),)), jnp.asarray(classes)))
    return jnp.zeros(len(classes), jnp.int32).at[order].set(jnp.asarray(values, jnp.int32))
