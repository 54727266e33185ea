"""Moves on discrete coordinates that respect their kind: an order where there is one, none where there is not."""

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.random import fraction
from jaxsearch.core.types import Array, Domain


def neighbour(u: Array, x: Array, domain: Domain) -> Array:
    """Moves every discrete coordinate to another of its values; continuous ones stay.

    A categorical coordinate goes to each of its other values with equal probability. An ordered one makes a
    step up or down whose length m has probability log((m + 1)/m)/log(n) for n values: short steps are
    common, long ones possible at every scale.

    Args:
        u: `[..., D]` uniform in [0, 1), one draw per coordinate.
        x: `[..., D]` points of the unit cube.
        domain: the coordinates' kinds.

    Returns:
        `[..., D]` points in the middle of the new cells.

    References: Doerr, Doerr, Koetzing, Static and Self-Adjusting Mutation Strengths for Multi-valued
        Decision Variables, Algorithmica, 2018 (harmonic step lengths).
    """
    row = (1,) * (x.ndim - 1) + (domain.size,)
    cells = np.maximum(np.array(domain.cardinality, np.int32), 1).reshape(row)
    categorical, movable = domain.categorical.reshape(row), (domain.discrete.reshape(row)) & (cells > 1)
    index = domain.index(x)
    other = jnp.floor(u * (cells - 1).astype(x.dtype)).astype(jnp.int32)  # 0 .. cells - 2
    jumped = (index + 1 + jnp.minimum(other, np.maximum(cells - 2, 0))) % cells
    length = jnp.floor(jnp.exp(fraction(2 * u) * np.log(cells).astype(x.dtype))).astype(jnp.int32)
    length = jnp.clip(length, 1, np.maximum(cells - 1, 1))
    there, back = (jnp.where(up, index + length, index - length) for up in (u < 0.5, u >= 0.5))
    inside = (there >= 0) & (there < cells)
    stepped = jnp.clip(jnp.where(inside, there, back), 0, cells - 1)
    moved = jnp.where(categorical, jumped, stepped)
    return jnp.where(movable, domain.centre(moved.astype(jnp.int32), x.dtype), x)
