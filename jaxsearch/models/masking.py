"""What makes a small network inside a large array behave as if it stood alone."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import random
from jaxsearch.core.fusion import once
from jaxsearch.core.types import Array, Key, PyTree


def units(width: Array, max_width: int, dtype: jnp.dtype) -> Array:
    """`[max_width]` ones for the first `width` units, zeros for those that are off."""
    return (jnp.arange(max_width) < width).astype(dtype)


def uniform_table(key: Key, layer: int, rows: int, *columns: int) -> Array:
    """`[rows, *columns]` draws from U[-1, 1) whose upper left part does not depend on the size of the table.

    One random word per row, at a counter that belongs to the layer, hashed with the place along each further axis: a
    network padded to a larger size starts from the same weights as alone.
    """
    return 2 * random.unit(_hashed(once(random.bits(key, (rows,), layer << 20)), columns)) - 1


def dropout(word: Array, layer: int, rate: Array, activations: Array) -> Array:
    """Drops entries of `activations` `[B, ...]` with probability `rate`, the same ones whatever the padding.

    The uint32 word `[]` is hashed with the layer, the place of the unit along each axis, and the row.
    """
    batch, *sizes = activations.shape
    units = _hashed(random.hashed(word, jnp.uint32(layer)), sizes)
    drawn = random.across(units, batch, axis=0).astype(activations.dtype)
    return jnp.where(rate <= drawn, activations / (1 - rate), 0)


def _hashed(word: Array, sizes: Sequence[int]) -> Array:
    """`[..., *sizes]` words, made of the word `[...]` and the place along each axis."""
    for size in sizes:
        place = np.arange(size, dtype=np.uint32).reshape((1,) * word.ndim + (size,))
        word = random.hashed(word[..., None], place)
    return word


def reached(depth: Array | None, layer: int, run: Callable, skip: Callable, *carry: Array) -> Any:
    """`run(*carry)` if the layer is below `depth` `[]`, or that is None, and `skip(*carry)` otherwise.

    Only one of them is run where all candidates have one depth: that of the deepest, not their own.
    """
    return run(*carry) if depth is None else jax.lax.cond(layer < depth, run, skip, *carry)


def structs(shapes: PyTree) -> PyTree:
    """A tree of shapes as one of arrays of the default float dtype that hold nothing."""
    dtype = jnp.result_type(float)
    is_shape = lambda node: isinstance(node, tuple)  # noqa: E731
    return jax.tree.map(lambda shape: jax.ShapeDtypeStruct(shape, dtype), shapes, is_leaf=is_shape)


def size(shapes: PyTree) -> int:
    """The number of entries of arrays with these shapes."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes))


def flatten(tree: PyTree) -> Array:
    """All entries of the arrays of `tree`, `[S]`."""
    return jnp.concatenate([leaf.reshape(-1) for leaf in jax.tree.leaves(tree)])


def unflatten(flat: Array, shapes: PyTree) -> PyTree:
    """The arrays with these shapes whose entries are `flat` `[S]`."""
    leaves, structure = jax.tree.flatten(shapes)
    ends = np.cumsum([math.prod(leaf.shape) for leaf in leaves])
    parts = [
        flat[end - math.prod(leaf.shape) : end].reshape(leaf.shape) for end, leaf in zip(ends, leaves, strict=True)
    ]
    return jax.tree.unflatten(structure, parts)


def places(source: PyTree, target: PyTree) -> np.ndarray:
    """`[S]` int32: for every entry of flattened arrays of the shapes `target`, its place among those of `source`.

    Arrays correspond by their path, entries by their index; -1 for an entry that `source` does not have.
    """
    paths, end, found = dict[Any, np.ndarray](), 0, []
    for path, leaf in jax.tree_util.tree_flatten_with_path(source)[0]:
        begin, end = end, end + math.prod(leaf.shape)
        paths[path] = np.arange(begin, end, dtype=np.int32).reshape(leaf.shape)
    for path, leaf in jax.tree_util.tree_flatten_with_path(target)[0]:
        place = np.full(leaf.shape, -1, np.int32)
        if path in paths:
            both = tuple(slice(min(sizes)) for sizes in zip(leaf.shape, paths[path].shape, strict=True))
            place[both] = paths[path][both]
        found.append(place.reshape(-1))
    return np.concatenate(found)


def take(flat: Array, places: np.ndarray) -> Array:
    """The entries of `flat` `[..., S]` at `places` `[T]`, and 0 for those at -1: `[..., T]`."""
    return jnp.where(places.reshape((1,) * (flat.ndim - 1) + (-1,)) < 0, 0, flat[..., np.maximum(places, 0)])
