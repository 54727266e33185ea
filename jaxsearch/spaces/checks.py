"""What the dimensions check, and the plain values that they take and give."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.pytree import is_number, is_real
from jaxsearch.core.types import Array


def of_python(value: Any) -> Any:
    """A number, boolean or text of NumPy as that of Python, anything else as it is."""
    return value.item() if isinstance(value, np.number | np.bool_ | np.str_) else value


def same(a: Any, b: Any) -> bool:
    """Whether two options are the same value of the same type."""
    if type(a) is not type(b):
        return False
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a is b or a == b)


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


def check_reals(dimension: Any) -> None:
    """Raises ValueError unless the bounds of a Float can be some; what JAX puts in their place passes."""
    low, high = dimension.low, dimension.high
    if any(isinstance(bound, str | bytes | complex | list | tuple | dict | set) for bound in (low, high)):
        raise ValueError(f"Float needs real bounds; got low={low!r}, high={high!r}. Give two numbers.")
    if is_number(low) and is_number(high):
        check_bounds(dimension)
        check_precision(dimension)


def check_bounds(dimension: Any) -> None:
    """Raises ValueError unless the bounds of a Float or an Int fit together and its scale."""
    name, low, high = type(dimension).__name__, dimension.low, dimension.high
    if not (_finite(low) and _finite(high)):
        raise ValueError(f"{name} needs finite bounds; got low={low}, high={high}. Give two numbers.")
    if low >= high:
        raise ValueError(f"{name} needs low < high; got low={low}, high={high}. Swap or widen the bounds.")
    if dimension.log and low <= 0:
        raise ValueError(f"{name} with log=True needs low > 0; got low={low}. Raise low or drop log=True.")


def _finite(bound: Any) -> bool:
    try:
        return math.isfinite(bound)
    except OverflowError:  # an integer beyond all floats
        return False


def as_bounds(dimension: Any) -> tuple[Array, Array]:
    """The bounds of a Float in the default float dtype; ValueError if they are none."""
    low, high, dtype = dimension.low, dimension.high, jnp.result_type(float)
    if not (is_real(low) and is_real(high)):
        raise ValueError(f"Float needs real bounds; got low={low!r}, high={high!r}. Give two numbers.")
    return jnp.asarray(low, dtype), jnp.asarray(high, dtype)


def as_array(dimension: Any, plain: Any) -> np.ndarray:
    """A plain value of a Float or an Int as an array of its shape; ValueError if it is not."""
    try:
        value = np.asarray(plain, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{dimension} takes numbers; got {plain!r}. Give a number or a nested list.") from None
    if value.shape != dimension.shape:
        raise ValueError(
            f"{dimension} takes shape {dimension.shape}; got {plain!r} of shape {value.shape}. Reshape it."
        )
    return value


def check_inside(dimension: Any, plain: Any, value: np.ndarray) -> None:
    """Raises ValueError unless every entry lies between the dimension's bounds."""
    if not np.all((value >= float(dimension.low)) & (value <= float(dimension.high))):
        raise ValueError(f"{dimension} takes values inside its bounds; got {plain!r}. Widen the bounds or clip.")


def check_precision(dimension: Any) -> None:
    """Raises ValueError for bounds of a Float that the default float dtype cannot tell apart, or hold at all."""
    dtype = jnp.result_type(float)
    with np.errstate(all="ignore"):
        low, high = (np.asarray(bound).astype(dtype) for bound in (dimension.low, dimension.high))
        fits = np.isfinite(high - low) and low < high and (not dimension.log or low >= jnp.finfo(dtype).tiny)
    if not fits:
        raise ValueError(
            f"Float needs bounds that differ, with their difference, in {dtype}; got low={dimension.low}, "
            f"high={dimension.high}. Move the bounds, or set jax_enable_x64."
        )
