"""Float, Int and Choice: one named parameter each, with its map to the unit interval and to plain Python.

Every dimension has the same five methods. `domain` describes its coordinates; `decode` and `encode` map its
slice `[size]` of a point to the parameter and back, under jit; `describe` and `undescribe` map a parameter on
the host to a plain Python value and back.
"""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.bounds import within
from jaxsearch.core.domain import geometric_stretch
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Domain, Scalar
from jaxsearch.spaces import checks


class Dimension:
    """Marks what may stand at the leaves of a space; see the module's docstring for the methods."""


@pytree
class Float(Dimension):
    """A real number in [low, high], or an array of them; decodes to the default float dtype.

    low, high: the bounds, low < high; leaves, so other bounds compile nothing.
    log: uniform in the logarithm; needs low > 0.
    shape: of the array; () is a scalar.
    Raises ValueError for bounds that are not finite, not increasing, or not positive on a log scale.
    """

    low: Scalar
    high: Scalar
    log: bool = static(default=False, kw_only=True)
    shape: tuple[int, ...] = static(default=(), kw_only=True)

    def __post_init__(self):
        checks.check_shape(self.shape)
        checks.check_scale(self.log)
        checks.check_reals(self)

    @property
    def domain(self) -> Domain:
        size = math.prod(self.shape)
        return Domain((0,) * size, (True,) * size)

    def decode(self, x: Array) -> Array:
        low, high = checks.as_bounds(self)
        x = x.reshape(self.shape)
        if self.log:
            low, high = jnp.log(low), jnp.log(high)
        step = high - low
        step = jnp.where(low + step < high, step * (1 + 4 * jnp.finfo(step.dtype).eps), step)  # else 1 may miss high
        value = low + step * x
        if self.log:
            value, (low, high) = jnp.exp(value), checks.as_bounds(self)
        return within(value, low, high)

    def encode(self, value: Array) -> Array:
        low, high = checks.as_bounds(self)
        value = jnp.clip(jnp.asarray(value, low.dtype).reshape(-1), low, high)
        if self.log:
            return (jnp.log(value) - jnp.log(low)) / (jnp.log(high) - jnp.log(low))
        return (value - low) / (high - low)

    def describe(self, value: Array) -> Any:
        low, high = float(self.low), float(self.high)
        # The shortest decimal that rounds to the same float32; 0.1 in float32 lies above 0.1, hence the clip.
        shortest = [min(max(float(str(entry)), low), high) for entry in np.asarray(value).reshape(-1)]
        return checks.nested(shortest, self.shape)

    def undescribe(self, plain: Any) -> np.ndarray:
        value = checks.as_array(self, plain)
        checks.check_inside(self, plain, value)
        return value.astype(jnp.result_type(float))


@pytree
class Int(Dimension):
    """An integer in low..high, both ends included, or an array of them; decodes to the default int dtype.

    Linear: every value has the same share of the unit interval. log=True: the value v has the share of
    [v - 1/2, v + 1/2] on a log scale. `encode` is exact while the narrowest share is wider than the rounding of
    the coordinate: in float32 up to about four million values, on a log scale up to about high = 100,000; beyond
    that it may miss by one value (use `jax_enable_x64`).

    low, high: Python integers, low < high, within the default int dtype. shape: of the array; () is a scalar.
    Raises ValueError for bounds that are not integers, not increasing, or below 1 on a log scale.
    """

    low: int = static()
    high: int = static()
    log: bool = static(default=False, kw_only=True)
    shape: tuple[int, ...] = static(default=(), kw_only=True)

    def __post_init__(self):
        checks.check_shape(self.shape)
        checks.check_scale(self.log)
        for name in ("low", "high"):
            bound = getattr(self, name)
            if isinstance(bound, bool) or not isinstance(bound, int | np.integer):
                raise ValueError(f"Int needs integer bounds; got {name}={bound!r}. Use Float for real numbers.")
            object.__setattr__(self, name, int(bound))
        checks.check_bounds(self)
        if self.high - self.low >= 2**31 - 1:
            raise ValueError(
                f"Int needs fewer than 2**31 - 1 values; got {self.high - self.low + 1}. Use Float and round."
            )

    @property
    def domain(self) -> Domain:
        size = math.prod(self.shape)
        stretch = geometric_stretch(self.low, self.high) if self.log else 0.0
        return Domain((self.high - self.low + 1,) * size, (True,) * size, (stretch,) * size)

    def decode(self, x: Array) -> Array:
        dtype = jnp.result_type(int)
        if not jnp.iinfo(dtype).min <= self.low <= self.high <= jnp.iinfo(dtype).max:
            raise ValueError(f"{self} does not fit into {dtype}. Narrow the bounds or set jax_enable_x64.")
        return (self.domain.index(x).astype(dtype) + self.low).reshape(self.shape)

    def encode(self, value: Array) -> Array:
        index = jnp.clip(jnp.asarray(value).reshape(-1), self.low, self.high) - self.low
        return self.domain.centre(index)

    def describe(self, value: Array) -> Any:
        return checks.nested([int(entry) for entry in np.asarray(value).reshape(-1)], self.shape)

    def undescribe(self, plain: Any) -> np.ndarray:
        value = checks.as_array(self, plain)
        if not np.all(np.isfinite(value)) or np.any(value != np.round(value)):
            raise ValueError(f"{self} takes integers; got {plain!r}. Round the value.")
        checks.check_inside(self, plain, value)
        return value.astype(jnp.result_type(int))


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True, init=False, eq=False)
class Choice(Dimension):
    """One of several options, which may be any Python values; decodes to the int32 index of the option.

    Scalars of NumPy become those of Python.

    ordered: whether neighbours in the list are alike, as in `Choice(16, 32, 64, ordered=True)`. Otherwise no strategy
        does arithmetic on the indices.
    Raises ValueError without options and for two equal ones (1, 1.0 and True are different options).
    """

    options: tuple[Any, ...]
    ordered: bool = False

    def __init__(self, *options: Any, ordered: bool = False):
        if not isinstance(ordered, bool):
            raise ValueError(f"ordered must be True or False; got {ordered!r}. Leave it out for no order.")
        if not options:
            raise ValueError("Choice needs at least one option; got none. Write e.g. Choice('relu', 'tanh').")
        options = tuple(map(checks.of_python, options))
        for i, option in enumerate(options):
            if any(checks.same(option, other) for other in options[:i]):
                raise ValueError(f"Choice needs distinct options; got {option!r} twice. Remove one of the two.")
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "ordered", ordered)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Choice) or self.ordered != other.ordered:
            return False
        return len(self.options) == len(other.options) and all(map(checks.same, self.options, other.options))

    def __hash__(self) -> int:  # options may be unhashable, so only their types count
        return hash(tuple(type(option).__name__ for option in self.options))

    def __repr__(self) -> str:
        return f"Choice({', '.join(map(repr, self.options))}{', ordered=True' * self.ordered})"

    @property
    def domain(self) -> Domain:
        return Domain((len(self.options),), (self.ordered,))

    def decode(self, x: Array) -> Array:
        return self.domain.index(x).reshape(())

    def encode(self, value: Array) -> Array:
        return self.domain.centre(jnp.clip(jnp.asarray(value, jnp.int32).reshape(1), 0, len(self.options) - 1))

    def describe(self, value: Array) -> Any:
        return self.options[int(value)]

    def undescribe(self, plain: Any) -> np.ndarray:
        for index, option in enumerate(self.options):
            if checks.same(option, checks.of_python(plain)):
                return np.int32(index)  # type: ignore[return-value]
        raise ValueError(f"{plain!r} is not an option of {self}. Use one of its options, with the same type.")
