"""What the dimensions check, and the plain values that they take and give."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsearch.core.pytree import as_integer, is_concrete


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


def as_objects(bound: Any) -> np.ndarray:
    """The entries as objects, so that integers of any size stay exact."""
    if isinstance(bound, Tracer):
        return np.asarray(None)
    if isinstance(bound, np.ndarray | jax.Array):
        return np.asarray(bound).astype(object)
    try:
        return np.array(bound, object)
    except ValueError:  # lists of different lengths
        return np.asarray(None)


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
    value = as_objects(plain)
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


def check_inside(dimension: Any, plain: Any, entries: Any, bounds: list[tuple[Any, Any]]) -> None:
    """Raises ValueError unless every entry lies between the bounds of its coordinate."""
    if not all(low <= entry <= high for entry, (low, high) in zip(entries, bounds, strict=True)):
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
    # NaN has no nearest bound: rounded to an integer it would count as one of the two.
    if real and is_concrete(array) and jnp.issubdtype(array.dtype, jnp.floating):
        real = not np.any(np.isnan(np.asarray(array)))
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
