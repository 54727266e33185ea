"""Parzen estimates of a density on the unit cube, for coordinates of every kind.

A kernel is a product over coordinates: a normal truncated to [0, 1] on ordered ones, constant over the cells of
discrete ones; on categories most mass on one value and the rest equally on all. Where a coordinate does not matter
at the centre of a kernel, the kernel is uniform.
"""

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf, logsumexp, ndtr, ndtri

from jaxsearch.core.types import Array, Domain


def sample(u: Array, centre: Array, width: Array, same: Array, domain: Domain) -> Array:
    """One point `[S, D]` from a kernel at each centre `[S, D]`; `u` `[S, D]` uniform in [0, 1).

    width: `[S, D]`, standard deviations.
    same: `[1, D]`, the share of a category's mass that belongs to the centre alone.
    """
    lower, upper = ndtr(-centre / width), ndtr((1 - centre) / width)
    share = lower + u * (upper - lower)
    inside = (share > 0) & (share < 1)
    x = jnp.clip(centre + width * ndtri(jnp.where(inside, share, 0.5)), 0, 1)
    x = jnp.where(inside, x, jnp.where(share > 0, 1, 0))  # what an infinite quantile is clipped to
    again = jnp.clip((u - same) / (1 - same), 0, 1 - jnp.finfo(u.dtype).eps)  # given that u >= same, uniform again
    x = jnp.where(domain.categorical[None], jnp.where(u < same, centre, again), x)
    x = jnp.where(domain.discrete[None], domain.centre(domain.index(x), u.dtype), x)
    return jnp.where(domain.active(centre), x, u).astype(u.dtype)


def spacing(centre: Array, used: Array, least: Array) -> Array:
    """Widths `[M, D]` of the kernels at those of the centres `[M, D]` that are `used` `[M]`, by how close they lie.

    Along each coordinate the distance to the farther one of the two neighbours, for the first and the last to the only
    one; at least `least`, and 1 for a single centre.
    """
    end = jnp.arange(len(centre), dtype=jnp.int32)[:, None]
    count = jnp.sum(used, dtype=jnp.int32)
    order = jnp.argsort(jnp.where(used[:, None], centre, 2), axis=0)
    x = jnp.take_along_axis(centre, order, axis=0)
    step = jnp.abs(x[1:] - x[:-1])
    none = jnp.zeros_like(x[:1])
    below = jnp.concatenate([none, step])
    above = jnp.where(end < count - 1, jnp.concatenate([step, none]), 0)
    width = jnp.where(count > 1, jnp.clip(jnp.maximum(below, above), least, 1), 1)
    return jnp.take_along_axis(width, jnp.argsort(order, axis=0), axis=0).astype(centre.dtype)


def log_density(x: Array, centre: Array, used: Array, width: Array, same: Array, domain: Domain) -> Array:
    """The logarithm `[S]` of the density at `x` `[S, D]`, relative to the uniform one: the mean of the uniform density
    and of the kernels at those of the centres `[M, D]` that are `used` `[M]`.

    width: `[M, D]`, standard deviations.
    Coordinates that do not matter at `x` are integrated out.
    """
    index, own = domain.index(x), domain.index(centre)
    low, high = (domain.centre(index.astype(x.dtype) + side, x.dtype) for side in (-0.5, 0.5))
    inside = _mass(jnp.zeros_like(centre), jnp.ones_like(centre), centre, width)

    # Coordinates lead, which XLA adds up quickly, and each kind is computed for its own coordinates only.
    def real(x: Array, centre: Array, width: Array, inside: Array) -> Array:
        return -0.5 * ((x - centre) / width) ** 2 - jnp.log(width * inside * np.sqrt(2 * np.pi))

    def integer(low: Array, high: Array, centre: Array, width: Array, inside: Array) -> Array:
        share = _mass(low, high, centre, width) / (high - low)
        return jnp.log(jnp.maximum(share, jnp.finfo(share.dtype).tiny)) - jnp.log(inside)

    def category(index: Array, own: Array, same: Array, cells: Array) -> Array:
        return jnp.where(index == own, jnp.log(1 - same + same * cells), jnp.log(1 - same))

    cells = np.array(domain.cardinality, x.dtype)[None]
    kinds = (
        (~domain.discrete, real, [x], [centre, width, inside]),
        (domain.discrete & ~domain.categorical, integer, [low, high], [centre, width, inside]),
        (domain.categorical, category, [index], [own, jnp.broadcast_to(same, cells.shape), cells]),
    )
    log = jnp.zeros((len(x), len(centre)), x.dtype)
    for mask, factor, points, kernels in kinds:
        if len(along := np.flatnonzero(mask)):
            value = factor(*(part.T[along, :, None] for part in points), *(part.T[along, None] for part in kernels))
            if domain.conditional:
                matters = domain.active(x).T[along, :, None] & domain.active(centre).T[along, None]
                value = jnp.where(matters, value, 0)
            log += jnp.sum(value, axis=0)
    log = jnp.concatenate([jnp.where(used[None], log, -jnp.inf), jnp.zeros_like(log[:, :1])], axis=1)
    return (logsumexp(log, axis=1) - jnp.log(1 + jnp.sum(used))).astype(x.dtype)


def _mass(low: Array, high: Array, centre: Array, width: Array) -> Array:
    """The mass of normals between two points, to the absolute precision of the dtype: far below the uniform part."""
    below, above = (erf((point - centre) / (width * np.sqrt(2))) for point in (low, high))
    return (above - below) / 2
