"""Float and Int: one named number, or array, each, with its map to the unit interval and to plain Python.

Every dimension has the same six methods. `domain` describes its coordinates; `check` refuses bounds that the
dtypes of the day do not hold; `decode` and `encode` map its slice `[size]` of a point to the parameter and back,
under jit; `describe` and `undescribe` map a parameter on the host to a plain Python value and back.
"""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.bounds import within
from jaxsearch.core.domain import geometric_stretch
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Domain, HostArray, Scalar
from jaxsearch.spaces import checks, ranges


class Dimension:
    """Marks what may stand at the leaves of a space; see the module's docstring for the methods."""


@pytree
class Float(Dimension):
    """A real number in [low, high], or an array of them; decodes to the default float dtype.

        >>> js.decode(js.Float([0.0, 10.0], [1.0, 20.0], shape=(2,)), jnp.array([0.5, 0.5])).tolist()
        [0.5, 15.0]

    low, high: the bounds, low < high; one number each, or an array of shape `shape` with one for every entry. Leaves,
        so other bounds compile nothing.
    log: uniform in the logarithm; needs low > 0.
    shape: of the array; () is a scalar.
    Raises ValueError for bounds that are not finite, not increasing, or not positive on a log scale, unless `jit` or
    `vmap` hides them.
    """

    low: HostArray | Scalar
    high: HostArray | Scalar
    log: bool = static(default=False, kw_only=True)
    shape: tuple[int, ...] = static(default=(), kw_only=True)

    def __post_init__(self):
        checks.check_shape(self.shape)
        checks.check_scale(self.log)
        for name in ("low", "high"):
            object.__setattr__(self, name, ranges.real_bound(self, name))
        ranges.check_bounds(self)
        ranges.check_precision(self)

    def __eq__(self, other: object) -> bool:  # arrays have no single answer to ==
        if not isinstance(other, Float) or (self.log, self.shape) != (other.log, other.shape):
            return False
        pairs = ((self.low, other.low), (self.high, other.high))
        return all(one is two or bool(np.array_equal(one, two)) for one, two in pairs)

    @property
    def domain(self) -> Domain:
        size = math.prod(self.shape)
        return Domain((0,) * size, (True,) * size)

    @property
    def entries(self) -> list["Float"]:
        """The entries in the order of their coordinates, each a dimension of its own."""
        return [Float(checks.of_python(a), checks.of_python(b), log=self.log) for a, b in ranges.ends(self)]

    def check(self) -> None:
        """Raises ValueError unless the bounds fit the shape and the default float dtype as it is now."""
        ranges.check_use(self)

    def decode(self, x: Array) -> Array:
        low, high = ranges.as_bounds(self)
        x = x.reshape(self.shape)
        if self.log:
            low, high = jnp.log(low), jnp.log(high)
        step = high - low
        step = jnp.where(low + step < high, step * (1 + 4 * jnp.finfo(step.dtype).eps), step)  # else 1 may miss high
        value = low + step * x
        if self.log:
            value, (low, high) = jnp.exp(value), ranges.as_bounds(self)
        return within(value, low, high)

    def encode(self, value: Array) -> Array:
        low, high = ranges.as_bounds(self)
        value = jnp.clip(jnp.asarray(checks.as_encodable(self, value), low.dtype), low, high)
        if self.log:
            value, low, high = jnp.log(value), jnp.log(low), jnp.log(high)
        return ((value - low) / (high - low)).reshape(-1)

    def describe(self, value: Array) -> Any:
        # The shortest decimal that rounds to the same float32; 0.1 in float32 lies above 0.1, hence the clip.
        entries = zip(np.asarray(value).reshape(-1), ranges.ends(self), strict=True)
        shortest = [min(max(float(str(entry)), float(low)), float(high)) for entry, (low, high) in entries]
        return checks.nested(shortest, self.shape)

    def undescribe(self, plain: Any) -> np.ndarray:
        value = checks.as_array(self, plain)
        checks.check_inside(self, plain, value.reshape(-1), ranges.ends(self))
        return value.astype(jnp.result_type(float))


@pytree
class Int(Dimension):
    """An integer in low..high, both ends included, or an array of them; decodes to the default int dtype.

    Linear: every value has the same share of the unit interval. log=True: the value v has the share of
    [v - 1/2, v + 1/2] on a log scale. In float32 `decode` gives back exactly what `encode` got for up to 2**24 values,
    on a log scale up to high = 100,000. Beyond that float32 cannot tell all values apart: it may miss by 2**-25 of
    their number (64 of 2**31), on a log scale by 2**-18 of the value. With `jax_enable_x64` it is exact.

    low, high: integers, low < high, within the default int dtype; one each, or nested lists or an array of shape
        `shape` with one for every entry. Static: other bounds are another space.
    shape: of the array; () is a scalar.
    Raises ValueError for bounds that are not integers, not increasing, or below 1 on a log scale.
    """

    low: Any = static()
    high: Any = static()
    log: bool = static(default=False, kw_only=True)
    shape: tuple[int, ...] = static(default=(), kw_only=True)

    def __post_init__(self):
        checks.check_shape(self.shape)
        checks.check_scale(self.log)
        for name in ("low", "high"):
            object.__setattr__(self, name, ranges.integer_bound(self, name))
        ranges.check_bounds(self)
        most = max(high - low + 1 for low, high in self._ends)
        if most >= 2**31:
            raise ValueError(f"Int needs fewer than 2**31 - 1 values; got {most}. Use Float and round.")

    @property
    def _ends(self) -> list[tuple[int, int]]:
        return ranges.ends(self)

    @property
    def domain(self) -> Domain:
        cardinality = tuple(high - low + 1 for low, high in self._ends)
        stretch = tuple(geometric_stretch(*ends) if self.log else 0.0 for ends in self._ends)
        return Domain(cardinality, (True,) * len(cardinality), stretch)

    @property
    def entries(self) -> list["Int"]:
        """The entries in the order of their coordinates, each a dimension of its own."""
        return [Int(low, high, log=self.log) for low, high in self._ends]

    @property
    def smallest(self) -> int:
        """The lowest value of any entry."""
        return min(low for low, _ in self._ends)

    @property
    def largest(self) -> int:
        """The highest value of any entry."""
        return max(high for _, high in self._ends)

    def check(self) -> None:
        """Raises ValueError unless the bounds fit into the default int dtype as it is now."""
        dtype = jnp.result_type(int)
        if not jnp.iinfo(dtype).min <= self.smallest <= self.largest <= jnp.iinfo(dtype).max:
            raise ValueError(f"{self} does not fit into {dtype}. Narrow the bounds or set jax_enable_x64.")

    def decode(self, x: Array) -> Array:
        self.check()
        dtype = jnp.result_type(int)
        low = np.array([low for low, _ in self._ends], dtype)
        return (self.domain.index(x).astype(dtype) + low).reshape(self.shape)

    def encode(self, value: Array) -> Array:
        self.check()
        return self.domain.centre(checks.cells(checks.as_encodable(self, value), self._ends))

    def describe(self, value: Array) -> Any:
        return checks.nested([int(entry) for entry in np.asarray(value).reshape(-1)], self.shape)

    def undescribe(self, plain: Any) -> np.ndarray:
        self.check()
        entries = checks.as_integers(self, plain)
        checks.check_inside(self, plain, entries, self._ends)
        return np.array(entries, jnp.result_type(int)).reshape(self.shape)
