"""A pytree of dimensions <-> the unit cube. Functions of one point; `vmap` outside.

The coordinates of a point stand in the order in which `jax.tree.leaves` visits the dimensions.
"""

import itertools
from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core import bounds
from jaxsearch.core.domain import concatenate
from jaxsearch.core.types import Array, Domain, Key, PyTree
from jaxsearch.spaces.dimensions import Dimension


def flatten(space: PyTree) -> tuple[list[Any], Any]:
    """The dimensions of a space in the order of their coordinates, and the structure to put values back.

    Raises ValueError for a leaf that is not a dimension, with its path, and for names that cannot be sorted.
    """
    try:
        leaves, structure = jax.tree_util.tree_flatten_with_path(space, is_leaf=_is_dimension)
    except ValueError as error:  # of names of several types
        raise ValueError(f"The names in a space must have an order; got {space!r} ({error}). Use texts.") from None
    for path, leaf in leaves:
        if not isinstance(leaf, Dimension):
            raise ValueError(
                f"Every leaf of a space must be a Float, Int, Choice or Switch; space{jax.tree_util.keystr(path)} is "
                f"{leaf!r}. Write Choice({leaf!r}) for a constant."
            )
    return [leaf for _, leaf in leaves], structure


def _is_dimension(node: Any) -> bool:
    return isinstance(node, Dimension)


def check(space: PyTree) -> None:
    """Raises ValueError unless the dtypes of the day hold all bounds of a space, as far as they are known."""
    for dimension in flatten(space)[0]:
        dimension.check()


def domain(space: PyTree) -> Domain:
    """The static description of the space's unit cube."""
    return concatenate(dimension.domain for dimension in flatten(space)[0])


def decode(space: PyTree, x: Array) -> PyTree:
    """The parameters at the point `x` `[D]`: the space's structure with values for dimensions.

    Total: entries outside [0, 1] count as the nearest end and NaN as 1/2.
    Raises ValueError if `x` does not have one entry per coordinate.
    """
    dimensions, structure = flatten(space)
    sizes = [dimension.domain.size for dimension in dimensions]
    x = jnp.asarray(x, jnp.result_type(float))
    if x.shape != (sum(sizes),):
        raise ValueError(
            f"A point of this space needs shape ({sum(sizes)},); got {x.shape}. Use jax.vmap for a batch of points."
        )
    x = bounds.clip(x)
    ends = list(itertools.accumulate(sizes))
    return structure.unflatten(
        dimension.decode(x[end - size : end]) for dimension, size, end in zip(dimensions, sizes, ends, strict=True)
    )


def encode(space: PyTree, params: PyTree) -> Array:
    """The point `[D]` that decodes to `params`; discrete values go to the middle of their share.

    Values beyond the bounds count as the nearest bound. Raises ValueError for another structure than that of the space,
    other shapes, and what is no number, such as a label: `undescribe` turns plain values into params.
    """
    dimensions, structure = flatten(space)
    try:
        values = structure.flatten_up_to(params)
    except ValueError as error:
        raise ValueError(
            f"The params must have the structure of the space; got {params!r:.200} ({error}). Give what decode or "
            "undescribe returns."
        ) from None
    parts = [dimension.encode(value) for dimension, value in zip(dimensions, values, strict=True)]
    return jnp.concatenate([jnp.zeros(0, jnp.result_type(float)), *parts])


def sample(key: Key, space: PyTree) -> PyTree:
    """Parameters drawn uniformly from the unit cube: every discrete value equally often, log scales log-uniform."""
    return decode(space, jax.random.uniform(key, (domain(space).size,), jnp.result_type(float)))


def active(space: PyTree, x: Array) -> Array:
    """`[D]` bool: the coordinates that matter at the point `x` `[D]`, i.e. not those of a branch not taken."""
    return domain(space).active(bounds.clip(jnp.asarray(x, jnp.result_type(float))))
