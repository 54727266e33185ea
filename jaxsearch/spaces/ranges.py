"""The bounds of Float and Int: what they may be, and one for every entry of an array."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsearch.core.pytree import as_integer, is_concrete, is_number
from jaxsearch.core.types import Array
from jaxsearch.spaces.checks import as_objects


def real_bound(dimension: Any, name: str) -> Any:
    """A bound of a Float as a leaf: a nested list as an array; raises ValueError for what can be no bound.

    Arrays may have further axes in front, over which `vmap` maps.
    """
    bound = getattr(dimension, name)
    if isinstance(bound, list | tuple):
        bound = _from_list(dimension, name, bound)
        _check_bound_shape(dimension, name, bound)
    if hasattr(bound, "dtype"):
        real = jnp.issubdtype(bound.dtype, jnp.integer) or jnp.issubdtype(bound.dtype, jnp.floating)
    else:
        real = is_number(bound)
    if not real:
        raise ValueError(
            f"Float needs real bounds; got low={dimension.low!r}, high={dimension.high!r}. Give two numbers."
        )
    return bound


def _from_list(dimension: Any, name: str, bound: Any) -> Any:
    if any(isinstance(entry, Tracer) for entry in jax.tree.leaves(bound)):
        return jnp.asarray(bound, jnp.result_type(float))
    try:
        return np.asarray(bound, np.float64)
    except (TypeError, ValueError, OverflowError):
        kind = type(dimension).__name__
        raise ValueError(f"{kind} needs real bounds; got {name}={bound!r}. Give numbers in a nested list.") from None


def _check_bound_shape(dimension: Any, name: str, bound: Any) -> None:
    shapes = sorted({(), dimension.shape})
    if np.shape(bound) not in shapes:
        raise ValueError(
            f"{type(dimension).__name__} needs bounds of shape {' or '.join(map(str, shapes))}; got {name} of shape "
            f"{np.shape(bound)}. Give one number for all entries, or one for each of shape={np.shape(bound)}."
        )


def integer_bound(dimension: Any, name: str) -> Any:
    """A bound of an Int as static structure: a Python integer, or a nested tuple of them of the dimension's shape."""
    bound = getattr(dimension, name)
    if isinstance(bound, list | tuple | np.ndarray | jax.Array) and np.ndim(as_objects(bound)):
        entries = as_objects(bound)
        _check_bound_shape(dimension, name, entries)
        integers = [_integer(name, entry) for entry in entries.reshape(-1).tolist()]
        return _nested_tuple(integers, dimension.shape)
    return _integer(name, bound)


def _integer(name: str, bound: Any) -> int:
    integer = as_integer(bound)
    if integer is None:
        raise ValueError(f"Int needs integer bounds; got {name}={bound!r}. Use Float for real numbers.")
    return integer


def _nested_tuple(values: list, shape: tuple[int, ...]) -> tuple:
    for length in reversed(shape[1:]):
        values = [tuple(values[i : i + length]) for i in range(0, len(values), length)]
    return tuple(values)


def ends(dimension: Any) -> list[tuple[Any, Any]]:
    """The bounds of each entry of a Float or an Int, in the order of the coordinates."""
    kind = object if isinstance(dimension.low, int | tuple) and isinstance(dimension.high, int | tuple) else None
    low, high = (
        np.broadcast_to(np.asarray(bound, kind), dimension.shape).reshape(-1)
        for bound in (dimension.low, dimension.high)
    )
    return list(zip(low, high, strict=True))


def check_bounds(dimension: Any) -> None:
    """Raises ValueError unless the bounds of a Float or an Int, if they are known, fit together and its scale."""
    if not (is_known(dimension.low) and is_known(dimension.high)):
        return
    low, high = np.asarray(dimension.low), np.asarray(dimension.high)
    try:
        low, high = np.broadcast_arrays(low, high)
    except ValueError:
        raise ValueError(
            f"The bounds of a {type(dimension).__name__} need the same shape; got {low.shape} and {high.shape}. "
            "Give one number, or one for each entry."
        ) from None
    if object not in (low.dtype, high.dtype):
        fits = np.isfinite(low) & np.isfinite(high) & (low < high) & (low > 0 if dimension.log else True)
        if np.all(fits):
            return
    for place in np.ndindex(low.shape):  # the first that is wrong
        _check_pair(dimension, f"[{', '.join(map(str, place))}]" if place else "", low[place], high[place])


def is_known(bound: Any) -> bool:
    """Whether a bound can be looked at: it is no tracer."""
    return isinstance(bound, tuple) or is_concrete(bound)


def _check_pair(dimension: Any, place: str, low: Any, high: Any) -> None:
    name, got = type(dimension).__name__, f"got low{place}={low}, high{place}={high}"
    if not (_finite(low) and _finite(high)):
        raise ValueError(f"{name} needs finite bounds; {got}. Give two numbers.")
    if low == high:
        remedy = f"Swap or widen the bounds, or write Choice({low}) for a constant."
        raise ValueError(f"{name} needs low < high; {got}. {remedy}")
    if low > high:
        raise ValueError(f"{name} needs low < high; {got}. Swap or widen the bounds.")
    if dimension.log and low <= 0:
        raise ValueError(f"{name} with log=True needs low > 0; got low{place}={low}. Raise low or drop log=True.")


def _finite(bound: Any) -> bool:
    try:
        return math.isfinite(bound)
    except OverflowError:  # an integer beyond all floats
        return False


def check_precision(dimension: Any) -> None:
    """Raises ValueError for known bounds of a Float that the default float dtype cannot tell apart, or hold at all."""
    if not (is_known(dimension.low) and is_known(dimension.high)):
        return
    dtype = jnp.result_type(float)
    tiny = jnp.finfo(dtype).tiny  # smaller numbers count as 0 in a compiled program
    with np.errstate(all="ignore"):
        low, high = (np.asarray(bound).astype(dtype) for bound in (dimension.low, dimension.high))
        fits = np.isfinite(high - low) & (high - low >= tiny)
        if dimension.log:
            fits &= (low >= tiny) & (np.log(low) < np.log(high))
    if not np.all(fits):
        raise ValueError(
            f"Float needs bounds that {dtype} can tell apart, from {tiny:.2g} to {jnp.finfo(dtype).max:.2g} away from "
            f"each other; got low={dimension.low}, high={dimension.high}. Move the bounds, or set jax_enable_x64."
        )


def as_bounds(dimension: Any) -> tuple[Array, Array]:
    """The bounds of a Float in the default float dtype, each of shape () or that of the dimension.

    Raises ValueError for bounds of another shape, and for known ones that the dtype of the day cannot tell apart.
    """
    check_use(dimension)
    dtype = jnp.result_type(float)
    return jnp.asarray(dimension.low, dtype), jnp.asarray(dimension.high, dtype)


def check_use(dimension: Any) -> None:
    """Raises ValueError unless the bounds of a Float fit its shape and the default float dtype, as it is now."""
    for name in ("low", "high"):
        _check_bound_shape(dimension, name, getattr(dimension, name))
    check_precision(dimension)
