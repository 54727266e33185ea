"""What the dimensions check, and the plain values that they take and give."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsearch.core.pytree import as_integer, is_concrete, is_number
from jaxsearch.core.types import Array


def of_python(value: Any) -> Any:
    """A number, boolean or text of NumPy as that of Python, anything else as it is."""
    return value.item() if isinstance(value, np.number | np.bool_ | np.str_) else value


def same(a: Any, b: Any) -> bool:
    """Whether two options are the same value of the same type."""
    if type(a) is not type(b):
        return False
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a is b or a == b)


def check_distinct(options: tuple[Any, ...]) -> None:
    """Raises ValueError where two options are the same; compares in pairs only those without a hash."""
    known, without_hash = set(), []
    for option in options:
        typed = (type(option), option)
        try:
            twice = typed in known
            known.add(typed)
        except TypeError:
            twice = any(same(option, other) for other in without_hash)
            without_hash.append(option)
        if twice:
            raise ValueError(f"Choice needs distinct options; got {option!r} twice. Remove one of the two.")


def nested(values: list, shape: tuple[int, ...]) -> Any:
    """A flat list as nested lists of the given shape; its only entry for ()."""
    for length in reversed(shape):
        values = [values[i : i + length] for i in range(0, len(values), length)]
    return values[0]


MOST_ENTRIES = 2**24  # of an array, each a coordinate that a Domain describes


def check_shape(shape: Any) -> None:
    """Raises ValueError unless `shape` is a tuple of positive integers, and not of too many entries."""
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n > 0 for n in shape):
        raise ValueError(f"A shape must be a tuple of positive integers; got {shape!r}. Write e.g. shape=(3,).")
    if math.prod(shape) > MOST_ENTRIES:
        raise ValueError(f"An array may have {MOST_ENTRIES:,} entries; got shape {shape!r}. Use a smaller one.")


def check_scale(log: Any) -> None:
    """Raises ValueError unless `log` is True or False."""
    if not isinstance(log, bool):
        raise ValueError(f"log must be True or False; got {log!r}. Leave it out for a linear scale.")


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
    if isinstance(bound, list | tuple | np.ndarray | jax.Array) and np.ndim(_entries(bound)):
        entries = _entries(bound)
        _check_bound_shape(dimension, name, entries)
        integers = [_integer(name, entry) for entry in entries.reshape(-1).tolist()]
        return _nested_tuple(integers, dimension.shape)
    return _integer(name, bound)


def _entries(bound: Any) -> np.ndarray:
    """The entries as objects, so that integers of any size stay exact."""
    if isinstance(bound, Tracer):
        return np.asarray(None)
    if isinstance(bound, np.ndarray | jax.Array):
        return np.asarray(bound).astype(object)
    try:
        return np.array(bound, object)
    except ValueError:  # lists of different lengths
        return np.asarray(None)


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


def as_array(dimension: Any, plain: Any) -> np.ndarray:
    """A plain value of a Float as an array of its shape; ValueError if it is not."""
    try:
        value = np.asarray(plain, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{dimension} takes numbers; got {plain!r}. Give a number or a nested list.") from None
    _check_value_shape(dimension, plain, value)
    return value


def as_integers(dimension: Any, plain: Any) -> list[int]:
    """A plain value of an Int as its entries, however large; ValueError if it is not one."""
    value = _entries(plain)
    found = [_plain_number(entry) for entry in value.reshape(-1).tolist()]
    if None in found:
        raise ValueError(f"{dimension} takes numbers; got {plain!r}. Give a number or a nested list.")
    if not all(isinstance(number, int) for number in found):
        raise ValueError(f"{dimension} takes integers; got {plain!r}. Round the value.")
    _check_value_shape(dimension, plain, value)
    return found  # type: ignore[return-value]


def _plain_number(entry: Any) -> int | float | None:
    """A whole number as an integer, another real number as a float; None for anything else."""
    if (integer := as_integer(entry)) is not None:
        return integer
    try:
        number = float(entry) if not isinstance(entry, str | bytes) else None
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if number is not None and number.is_integer() else number


def _check_value_shape(dimension: Any, plain: Any, value: np.ndarray) -> None:
    if value.shape != dimension.shape:
        raise ValueError(
            f"{dimension} takes shape {dimension.shape}; got {plain!r} of shape {value.shape}. Reshape it."
        )


def check_inside(dimension: Any, plain: Any, entries: Any) -> None:
    """Raises ValueError unless every entry lies between the dimension's bounds."""
    if not all(low <= entry <= high for entry, (low, high) in zip(entries, ends(dimension), strict=True)):
        raise ValueError(f"{dimension} takes values inside its bounds; got {plain!r}. Widen the bounds or clip.")


def as_encodable(dimension: Any, value: Any) -> Any:
    """A decoded value that `encode` gets, as an array; raises ValueError for what is none, or has another shape."""
    remedy = "Give what decode or undescribe returns."
    try:
        array = value if isinstance(value, jax.Array) else np.asarray(value)
    except TypeError:  # a list of tracers
        array = jnp.asarray(value)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype == object:  # integers beyond 64 bits, or anything
        real = all(as_integer(entry) is not None for entry in array.reshape(-1).tolist())
    else:
        kinds = (jnp.floating, jnp.integer, jnp.bool_)
        real = any(jnp.issubdtype(array.dtype, kind) for kind in kinds)
    if not real:
        raise ValueError(f"encode takes decoded numbers for {dimension}; got {value!r:.200}. {remedy}")
    shape = getattr(dimension, "shape", ())
    if array.shape != shape:
        raise ValueError(f"encode takes shape {shape} for {dimension}; got shape {array.shape}. {remedy}")
    return array


def cells(value: Any, bounds: list[tuple[int, int]]) -> Any:
    """The number `[size]` int32 of the cell of each entry, which is clipped to its bounds before it can overflow."""
    value = value.reshape(-1)
    low, high = zip(*bounds, strict=True)
    if not isinstance(value, jax.Array):  # exact, however large
        near = [_nearest(entry, *ends) for entry, ends in zip(value.tolist(), bounds, strict=True)]
        return jnp.asarray(np.array([one - least for one, least in zip(near, low, strict=True)], np.int32))
    integer = jnp.result_type(int)
    most = np.array([b - a for a, b in bounds], np.int32)
    if jnp.issubdtype(value.dtype, jnp.floating):
        index = jnp.round(value - np.array(low, value.dtype)).astype(jnp.int32)
        return jnp.clip(index, 0, most)
    if jnp.issubdtype(value.dtype, jnp.unsignedinteger):  # among which may be more than the default dtype holds
        limit = int(jnp.iinfo(value.dtype).max)
        value = jnp.minimum(value, np.array([min(max(b, 0), limit) for b in high], value.dtype))
    value = jnp.clip(value.astype(integer), np.array(low, integer), np.array(high, integer))
    return (value - np.array(low, integer)).astype(jnp.int32)


def _nearest(entry: Any, low: int, high: int) -> int:
    if isinstance(entry, float) and not math.isfinite(entry):
        return low if entry < 0 else high
    return min(max(round(entry), low), high)
