"""Which rows train and which are held out; pure functions, so a split belongs to a key."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsearch.core.types import Array, HostArray, Key


class Split(NamedTuple):
    """How rows are split: `num_folds` times, or once if that is 1, then holding out `share` of them.

    groups: `[n]`, rows with the same number stay together; None to stratify by class instead.
    """

    num_folds: int
    share: float
    groups: HostArray | None

    def most(self, count: int) -> int:
        """The most rows that a fold holds out, of `count`; groups must be known."""
        held_out = -(-count // self.num_folds) if self.num_folds > 1 else round(self.share * count)
        held_out = min(max(held_out, 1), count - 1)
        if self.groups is None:
            return held_out
        sizes = np.sort(np.bincount(np.unique(self.groups, return_inverse=True)[1]))[::-1]
        if self.num_folds == 1:
            return max(held_out, int(sizes[-1]))
        rows = np.zeros(self.num_folds, np.int64)
        for size in sizes:  # as `grouped_folds` does
            rows[np.argmin(rows)] += size
        return int(rows.max())

    def folds(self, key: Key, classes: HostArray) -> Array:
        """`[n]` int32, the fold that holds a row out; from 1 on none does if there is only one."""
        count = self._replace(groups=None).most(len(classes))
        if self.groups is not None:
            several = self.num_folds > 1
            return (
                grouped_folds(key, self.groups, self.num_folds)
                if several
                else grouped_hold_out(key, self.groups, count)
            )
        return folds(key, classes, self.num_folds) if self.num_folds > 1 else hold_out(key, classes, count)


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


def grouped_folds(key: Key, groups: HostArray, num_folds: int) -> Array:
    """The fold `[n]` int32 in which each row is held out, the same one for all rows of a group.

    Greedy: the groups from the largest to the smallest, equal ones in random order, each go to the fold that has the
    fewest rows so far. The largest fold then has at most 4/3 of the rows that it has in the most even partition. The
    folds' sizes do not depend on the key, only which of equally large groups go where.

    Args:
        key: decides the order of groups of the same size.
        groups: `[n]` any integers, equal for rows that belong together.
        num_folds: at least 2, at most the number of groups; else ValueError, as long as the groups are known.

    References: Graham, Bounds on Multiprocessing Timing Anomalies, SIAM Journal on Applied Mathematics, 1969.
    """
    check_groups(groups, num_folds)
    group, size, lot = _groups(key, groups)
    order = jnp.lexsort((lot, -size))

    def place(rows: Array, group: Array) -> tuple[Array, Array]:
        fold = jnp.argmin(rows)
        return rows.at[fold].add(size[group]), fold

    _, fold = jax.lax.scan(place, jnp.zeros_like(size, shape=num_folds), order)
    return jnp.zeros_like(group).at[order].set(fold.astype(group.dtype))[group]


def grouped_hold_out(key: Key, groups: HostArray, count: int) -> Array:
    """0 for held-out rows and 1 for the others, `[n]` int32, the same for all rows of a group.

    Greedy: the groups in random order, each held out if then at most `count` rows are. If every group is larger, the
    smallest one is held out. Raises ValueError for a single group, as long as the groups are known.
    """
    check_groups(groups, 2)
    group, size, lot = _groups(key, groups)
    order = jnp.argsort(lot)

    def take(rows: Array, size: Array) -> tuple[Array, Array]:
        fits = rows + size <= count
        return rows + jnp.where(fits, size, 0), fits

    rows, fits = jax.lax.scan(take, jnp.zeros_like(size, shape=()), size[order])
    smallest = jnp.argmin(jnp.where(size[order] > 0, size[order], len(groups)))
    fits = jnp.where(rows > 0, fits, jnp.arange(len(groups)) == smallest)
    return jnp.zeros_like(group).at[order].set(1 - fits.astype(group.dtype))[group]


def measured(held_out: Array, num_held_out: int, measure: str, every: bool) -> tuple[Array, int]:
    """The rows `[K, n]` whose loss counts, of which there are at most so many in a fold.

    held_out: `[K, n]` bool, at most `num_held_out` in a fold. measure: "validation", those, or "training", the others.
    every: give the number that every fold has at least, for folds whose sizes differ by one at most.
    """
    num_folds, count = held_out.shape
    if measure == "training":
        return ~held_out, count - num_held_out if every else count - 1
    return held_out, num_held_out - (every and count % num_folds > 0)


def check_groups(groups: HostArray, least: int) -> None:
    """Raises ValueError for fewer than `least` groups, unless they are not known while tracing."""
    if not isinstance(groups, Tracer) and (found := len(np.unique(groups))) < least:
        raise ValueError(f"The splits need {least} groups of rows or more; there are {found}. Use fewer folds.")


def _groups(key: Key, groups: HostArray) -> tuple[Array, Array, Array]:
    """Each row's group `[n]`, counted from 0; the rows `[n]` of each group, 0 beyond the last; a lot `[n]` for each."""
    count = len(groups)
    group = jnp.unique(jnp.asarray(groups), return_inverse=True, size=count)[1].astype(jnp.int32)
    return group, jnp.bincount(group, length=count).astype(jnp.int32), jax.random.uniform(key, (count,))


def _by_rank(key: Key, classes: HostArray, values: np.ndarray) -> Array:
    """Deals `values` to the rows sorted by class, in random order within a class."""
    order = jnp.lexsort((jax.random.uniform(key, (len(classes),)), jnp.asarray(classes)))
    return jnp.zeros(len(classes), jnp.int32).at[order].set(jnp.asarray(values, jnp.int32))
