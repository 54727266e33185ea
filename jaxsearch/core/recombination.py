"""The constants of CMA-ES, and weights that do not care in which order equals come."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import Array


class Constants(NamedTuple):
    """What CMA-ES derives from the number of samples; numbers of equations are those of the reference."""

    weights: Array  # [R] recombination weights, best first, 0 beyond the samples in use; the positive sum to 1
    c1: Array  # learning rate of the rank-one update
    cmu: Array  # of the rank-mu update
    cc: Array  # of the covariance path
    cs: Array  # of the step-size path
    damping: Array  # of the step size


def constants(samples: Array, rows: int, dimension: int, separable: bool = False) -> Constants:
    """Hansen's defaults with active (negative) weights.

    Args:
        samples: `[]` float, lambda, at most `rows`; it may be traced, so that populations grow inside one program.
        rows: R, the static length of the weights.
        dimension: n, at least 1.
        separable: learn (n + 2)/3 times faster, for a diagonal covariance.

    References: Hansen, The CMA Evolution Strategy: A Tutorial, arXiv 1604.00772, 2016. Ros, Hansen, A Simple
        Modification in CMA-ES Achieving Linear Time and Space Complexity, PPSN, 2008.
    """
    # As a float: JAX takes Python's integers for int32, which n^2 leaves from n = 46,341 on.
    n = float(dimension)
    dtype = samples.dtype
    rank = np.arange(1, rows + 1)
    used = rank.astype(dtype) <= samples
    raw = jnp.where(used, jnp.log((samples + 1) / 2) - np.log(rank).astype(dtype), 0)  # (49)
    positive, negative = jnp.maximum(raw, 0), jnp.minimum(raw, 0)
    mass = effective(positive)
    c1 = 2 / ((n + 1.3) ** 2 + mass)  # (57)
    cmu = 2 * (mass - 2 + 1 / mass) / ((n + 2) ** 2 + mass)  # (58)
    if separable:
        c1, cmu = c1 * (n + 2) / 3, cmu * (n + 2) / 3
    c1 = jnp.minimum(c1, 0.5)
    cmu = jnp.minimum(1 - c1, cmu)
    most = jnp.minimum(1 + c1 / cmu, 1 + 2 * effective(negative) / (mass + 2))  # (50), (51)
    most = jnp.minimum(most, (1 - c1 - cmu) / (n * cmu))  # (52)
    weights = positive / jnp.sum(positive) - most * negative / jnp.sum(negative)  # (53)
    cs = (mass + 2) / (n + mass + 5)  # (55)
    damping = 1 + 2 * jnp.maximum(0, jnp.sqrt((mass - 1) / (n + 1)) - 1) + cs
    cc = (4 + mass / n) / (n + 4 + 2 * mass / n)  # (56)
    return Constants(weights.astype(dtype), c1, cmu, cc, cs, damping)


def effective(weights: Array) -> Array:
    """The effective number (sum w)^2 / sum w^2 of samples behind weights of one sign."""
    return jnp.sum(weights) ** 2 / jnp.maximum(jnp.sum(weights**2), jnp.finfo(weights.dtype).tiny)


def rank_sum(loss: Array, outside: Array, used: Array) -> Array:
    """`[R]` ranks of losses plus half the ranks of distances outside the feasible set; equals rank equally.

    Without the distances a mean far outside would see one plateau; with their full rank it could not stay outside
    long enough to find an optimum on a face. Infinite losses come last, wherever they are. NaN where not `used`.
    """

    def ranks(values: Array) -> Array:
        values = jnp.where(used, values, jnp.nan)
        return _place(jnp.sort(values), values, "left").astype(loss.dtype)

    return jnp.where(used, ranks(loss) + jnp.where(loss < jnp.inf, ranks(outside) / 2, len(loss)), jnp.nan)


def share_ties(weights: Array, loss: Array) -> Array:
    """Gives samples of equal loss the mean of their weights; both `[R]`, the losses ascending, NaN where unused."""
    left, right = _place(loss, loss, "left"), _place(loss, loss, "right")
    total = jnp.concatenate([jnp.zeros_like(weights[:1]), jnp.cumsum(weights)])
    count = right - left
    shared = (total[right] - total[left]) / jnp.maximum(count, 1).astype(weights.dtype)
    return jnp.where(count <= 1, weights, shared)


def _place(ascending: Array, values: Array, side: str) -> Array:
    """Where `values` belong among `[R]` ascending ones; all are compared while that is faster than halving."""
    return jnp.searchsorted(ascending, values, side, method="compare_all" if len(values) <= 32 else "scan")
