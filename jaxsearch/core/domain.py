"""What a strategy may know of a space: how many values each coordinate has, and which have an order."""

import dataclasses
import math
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array

NARROW = 1 / 8  # of the width of a cell: rounding of a point beyond which its cell is looked up


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Domain:
    """The static description of a unit cube of D coordinates.

    cardinality: number of values per coordinate; 0 means continuous.
    ordered: False for a categorical coordinate, on which arithmetic has no meaning.
    stretch: 0 where the cells of a discrete coordinate are equally wide; else the logarithm of the ratio
        between the values at the two ends, for cells that grow geometrically (log-scaled integers).
    parent: the coordinate that switches this one on; -1 where it always matters.
    branch: the value of the parent at which this coordinate matters.

    The last three may be left out; they then stand for equal cells and no conditions.
    """

    cardinality: tuple[int, ...]
    ordered: tuple[bool, ...]
    stretch: tuple[float, ...] = ()
    parent: tuple[int, ...] = ()
    branch: tuple[int, ...] = ()

    def __post_init__(self):
        size = len(self.cardinality)
        for name, default in (("stretch", 0.0), ("parent", -1), ("branch", 0)):
            if not getattr(self, name):
                object.__setattr__(self, name, (default,) * size)
        for field in dataclasses.fields(self):
            if len(getattr(self, field.name)) != size:
                raise ValueError(
                    f"Every field of a Domain needs one entry per coordinate: cardinality has {size}, "
                    f"{field.name} has {len(getattr(self, field.name))}. Give both the same length."
                )
        if min(self.cardinality, default=0) < 0:
            raise ValueError(
                f"Cardinality must be 0 (continuous) or more; got {min(self.cardinality)}. Use 0 for reals."
            )

    @property
    def size(self) -> int:
        """The number D of coordinates."""
        return len(self.cardinality)

    @property
    def discrete(self) -> np.ndarray:
        """`[D]` bool: coordinates with finitely many values."""
        return np.array(self.cardinality, dtype=int).reshape(-1) > 0

    @property
    def categorical(self) -> np.ndarray:
        """`[D]` bool: discrete coordinates without an order."""
        return self.discrete & ~np.array(self.ordered, dtype=bool).reshape(-1)

    @property
    def conditional(self) -> bool:
        """Whether some coordinate matters only for some values of another."""
        return any(parent >= 0 for parent in self.parent)

    def index(self, x: Array) -> Array:
        """The cells `[..., D]` int32 that the points `x` `[..., D]` fall into; 0 on continuous coordinates."""
        cells, stretch = self._rows(x.ndim)
        share = x
        if stretch.any():
            safe = np.where(stretch > 0, stretch, 1.0)
            share = jnp.where(stretch > 0, jnp.expm1(x * safe.astype(x.dtype)) / np.expm1(safe).astype(x.dtype), x)
        # Clipped as integers: in float32 the number of the last of very many cells may round up.
        index = jnp.floor(share * cells.astype(x.dtype)).astype(jnp.int32)
        return jnp.clip(index, 0, np.maximum(cells - 1, 0).astype(np.int32))

    def centre(self, index: Array, dtype=None) -> Array:
        """The points `[..., D]` in the middle of the cells `index` `[..., D]`; inverse of `index`.

        Where cells are hardly wider than the rounding of a point, it is the one of three neighbours that `index` likes
        best.
        """
        dtype = jnp.dtype(dtype or jnp.result_type(float))
        cells, stretch = self._rows(index.ndim)
        cells = np.maximum(cells, 1)
        share = (index.astype(dtype) + 0.5) / cells.astype(dtype)
        if stretch.any():
            safe = np.where(stretch > 0, stretch, 1.0)
            share = jnp.where(stretch > 0, jnp.log1p(share * np.expm1(safe).astype(dtype)) / safe.astype(dtype), share)
        narrow = cells * np.maximum(stretch, 1.0) * jnp.finfo(dtype).eps > NARROW
        return self._corrected(index, share) if narrow.any() else share

    def _corrected(self, index: Array, share: Array) -> Array:
        """Points that rounding may have moved to a neighbour of their cell, moved back by one bit."""
        miss = jnp.abs(self.index(share) - index)
        best = share
        for end in (0.0, 1.0):
            beside = jnp.nextafter(share, jnp.full_like(share, end))
            miss_beside = jnp.abs(self.index(beside) - index)
            best = jnp.where(miss_beside < miss, beside, best)
            miss = jnp.minimum(miss, miss_beside)
        return best

    def active(self, x: Array) -> Array:
        """`[..., D]` bool: the coordinates that matter at the points `x` `[..., D]`."""
        result = jnp.ones_like(x, dtype=bool)
        if not self.conditional:
            return result
        row = (1,) * (x.ndim - 1) + (self.size,)
        parent, branch = np.array(self.parent), np.array(self.branch, np.int32).reshape(row)
        always, above = (parent < 0).reshape(row), np.maximum(parent, 0)
        chosen = always | (self.index(x)[..., above] == branch)
        for _ in range(self.depth):  # a coordinate matters if its parent does, up the whole chain
            result = jnp.asarray(chosen & (always | result[..., above]))
        return result

    def _rows(self, ndim: int) -> tuple[np.ndarray, np.ndarray]:
        """Cardinality and stretch with as many axes as the points they meet, for strict rank promotion."""
        shape = (1,) * (ndim - 1) + (self.size,)
        return np.array(self.cardinality).reshape(shape), np.array(self.stretch).reshape(shape)

    @property
    def depth(self) -> int:
        """The number of conditions on the deepest coordinate; 0 without conditions."""

        def conditions(coordinate: int) -> int:
            parent = self.parent[coordinate]
            return 0 if parent < 0 else 1 + conditions(parent)

        return max(map(conditions, range(self.size)), default=0)


def concatenate(domains: Iterable[Domain]) -> Domain:
    """The domain whose coordinates are those of `domains`, one after the other."""
    fields: dict[str, list] = {field.name: [] for field in dataclasses.fields(Domain)}
    offset = 0
    for domain in domains:
        for name, entries in fields.items():
            values = getattr(domain, name)
            entries += [p + offset if p >= 0 else -1 for p in values] if name == "parent" else values
        offset += domain.size
    return Domain(**{name: tuple(entries) for name, entries in fields.items()})


def geometric_stretch(low: int, high: int) -> float:
    """The `stretch` of the integers `low..high` on a log scale, each with the cell [value - 1/2, value + 1/2]."""
    return math.log((high + 0.5) / (low - 0.5))
