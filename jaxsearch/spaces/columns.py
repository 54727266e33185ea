"""The parameters of many configurations as the columns of a table, on the host."""

import itertools
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.spaces import codec, ranges
from jaxsearch.spaces.dimensions import Choice, Dimension, Float, Int
from jaxsearch.spaces.switch import Switch

_decode = jax.jit(jax.vmap(codec.decode, in_axes=(None, 0)))  # remembers how it was traced


def columns(space: PyTree, params: PyTree) -> dict[str, np.ndarray]:
    """Decoded parameters with a leading axis `[N]`, a column `[N]` for each number or label, by the name of its place.

    Floats and integers as `describe` gives them, the options of a Choice as they are. Names inside containers and
    branches are joined by dots, entries of arrays have their index in brackets: `optimizer.sgd.momentum`, `width[0]`.
    A Switch has a column for the name of the branch; in the rows of the other branches its parameters are None.
    """
    _, structure = codec.flatten(space)
    leaves, _ = jax.tree_util.tree_flatten_with_path(space, is_leaf=lambda node: isinstance(node, Dimension))
    found: dict[str, np.ndarray] = {}
    for (path, dimension), value in zip(leaves, structure.flatten_up_to(jax.device_get(params)), strict=True):
        found |= _of_dimension(".".join(map(_name, path)) or "value", dimension, value)
    return found


def dimensions(space: PyTree) -> dict[str, Any]:
    """The dimension behind each column, and each coordinate, by its name; behind the name of a branch its Switch."""
    shapes = _decode.eval_shape(space, np.zeros((1, codec.domain(space).size), np.float32))
    names = columns(space, jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes))
    return dict(zip(names, _behind(space), strict=True))


def _behind(space: PyTree) -> Iterator[Any]:
    for dimension in codec.flatten(space)[0]:
        yield from dimension.entries if isinstance(dimension, Float | Int) else [dimension]
        if isinstance(dimension, Switch):
            for branch in dimension.branches.values():
                yield from _behind(branch)


def _name(key: Any) -> str:
    """Of a place in a container; quoted if it has the signs that names are joined by."""
    name = str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key))))
    return repr(name) if set(".[]") & set(name) else name


def _of_dimension(name: str, dimension: Any, value: Any) -> dict[str, np.ndarray]:
    match dimension:
        case Choice():
            return {name: _objects(dimension.options)[np.asarray(value)]}
        case Switch():
            return _of_switch(name, dimension, value)
        case Float() | Int():
            value, kind = np.asarray(value), np.float64 if isinstance(dimension, Float) else np.int64
            places = itertools.product(*map(range, dimension.shape))
            flat = {place: value[(slice(None), *place)] for place in places}
            ends = zip(flat.items(), ranges.ends(dimension), strict=True)
            return {
                name + (f"[{','.join(map(str, place))}]" if place else ""): np.clip(
                    [kind(str(entry)) for entry in column], kind(low), kind(high)
                )
                for (place, column), (low, high) in ends
            }
    raise TypeError(f"{type(dimension).__name__} is no dimension that has columns.")


def _of_switch(name: str, switch: Switch, value: Any) -> dict[str, np.ndarray]:
    index = np.asarray(value.index)
    found = {name: _objects(tuple(switch.branches))[index]}
    for number, (branch, space) in enumerate(switch.branches.items()):
        for inner, column in columns(space, value.branches[branch]).items():
            column = column.astype(object)
            column[index != number] = None
            found[f"{name}.{branch}.{inner}"] = column
    return found


def _objects(options: tuple[Any, ...]) -> np.ndarray:
    """`[K]` of Python values, also where NumPy would make an array with more axes of them."""
    array = np.empty(len(options), object)
    for place, option in enumerate(options):
        array[place] = option
    return array
