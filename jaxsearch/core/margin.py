"""Gaussian and categorical distributions that never lose a value of a discrete coordinate."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr, ndtri

from jaxsearch.core.bounds import clip
from jaxsearch.core.types import Array, Domain


def keep_margin(mean: Array, deviation: Array, domain: Domain, alpha: float) -> tuple[Array, Array]:
    """Moves and widens a Gaussian so that every discrete coordinate leaves its cell with some probability.

    Args:
        mean, deviation: `[n]` of the Gaussian along each coordinate.
        domain: of those n coordinates, none categorical.
        alpha: the probability of leaving a cell at either end, and twice that of leaving another on each side.

    Returns:
        the new mean and deviation, both `[n]`; continuous coordinates keep theirs.

    References: Hamano et al., CMA-ES with Margin, GECCO, 2022.
    """
    cells = np.array(domain.cardinality, np.int32)
    movable = cells > 1
    index = domain.index(mean)
    first, last = index == 0, index == cells - 1
    low, high = (domain.centre(index.astype(mean.dtype) + edge, mean.dtype) for edge in (-0.5, 0.5))
    half = alpha / 2
    below, above = ndtr((low - mean) / deviation), ndtr((mean - high) / deviation)
    inside = 1 - below - above
    down, up = jnp.maximum(below, half), jnp.maximum(above, half)
    excess = (1 - down - up - inside) / jnp.maximum(down + up + inside - 3 * half, half)
    down, up = (-ndtri(jnp.minimum(p + excess * (p - half), 0.49)) for p in (down, up))
    enough = first | last | ((below >= half) & (above >= half))
    middle = (low * up + high * down) / (down + up)
    reach = -ndtri(jnp.asarray(alpha, mean.dtype)) * deviation
    edge = jnp.where(first, jnp.maximum(mean, high - reach), jnp.where(last, jnp.minimum(mean, low + reach), mean))
    moved = jnp.where(enough, edge, middle)
    widened = jnp.where(enough, deviation, (high - low) / (down + up))
    return jnp.where(movable, moved, mean), jnp.where(movable, widened, deviation)


def even_odds(cells: np.ndarray, like: Array) -> Array:
    """`[c, K]` equal probabilities of the values of c categorical coordinates, 0 beyond the last value."""
    valid = np.arange(cells.max(initial=1))[None] < cells[:, None]
    return jnp.asarray(valid / np.maximum(cells, 1)[:, None], like.dtype) + jnp.zeros_like(like)


def draw_values(u: Array, odds: Array, cells: np.ndarray) -> Array:
    """`[R, c]` int32 values with probabilities `[c, K]`, from uniform `[R, c]`."""
    below = jnp.cumsum(odds, axis=1)
    index = jnp.sum(u[..., None] >= below[None], axis=2, dtype=jnp.int32)
    return jnp.minimum(index, np.maximum(cells - 1, 0)[None].astype(np.int32))


def learn_odds(odds: Array, values: Array, weights: Array, rate: Array, cells: np.ndarray) -> Array:
    """Moves the probabilities towards the values of the samples and keeps each above a floor.

    odds: `[c, K]`; values: `[R, c]`; weights: `[R]`, at least 0, with sum 1; rate: in [0, 1].
    The floor is (1 - 0.73^(1/c))/(K - 1), so that in 27 % of the samples some value is not the likeliest.
    References: Hamano et al., CatCMA: Stochastic Optimization for Mixed-Category Problems, GECCO, 2024 (the floor).
    """
    seen = jax.nn.one_hot(values, odds.shape[1], dtype=odds.dtype)
    odds = odds + rate * (jnp.sum(weights[:, None, None] * seen, axis=0) - odds)
    valid = np.arange(odds.shape[1])[None] < cells[:, None]
    floor = np.minimum((1 - 0.73 ** (1 / max(len(cells), 1))) / np.maximum(cells - 1, 1), 1 / np.maximum(cells, 1))
    floor = np.where(valid, floor[:, None], 0).astype(odds.dtype)
    raised = jnp.where(valid, jnp.maximum(odds, floor), 0)
    spare = jnp.sum(raised, axis=1, keepdims=True) - 1  # taken from what lies above the floor
    above = raised - floor
    return raised - above * spare / jnp.maximum(jnp.sum(above, axis=1, keepdims=True), jnp.finfo(odds.dtype).tiny)


class Parts:
    """The two kinds of coordinates, static; a space of categories alone gets a numeric coordinate that no one sees."""

    def __init__(self, domain: Domain):
        self.columns = np.flatnonzero(~domain.categorical)
        self.categories = np.flatnonzero(domain.categorical)
        self.cells = np.array(domain.cardinality)[self.categories]
        self.dummy = not len(self.columns)
        pick: Any = lambda values: tuple(values[i] for i in self.columns) or (0,)  # noqa: E731
        self.numeric = Domain(pick(domain.cardinality), (True,) * max(len(self.columns), 1), pick(domain.stretch))
        self.bounded = ~self.numeric.discrete & ~self.dummy  # integers beyond the ends just take the last value
        self.domain = domain

    def join(self, sample: Array, values: Array) -> Array:
        """`[P, D]` points of the cube from numeric and categorical coordinates."""
        if not len(self.categories):
            return clip(sample)
        cells = Domain(tuple(int(cell) for cell in self.cells), (False,) * len(self.cells))
        both = jnp.concatenate([clip(sample)[:, : len(self.columns)], cells.centre(values, sample.dtype)], axis=1)
        return both[:, np.argsort(np.concatenate([self.columns, self.categories]))]

    def split(self, x: Array) -> tuple[Array, Array]:
        """The inverse: `[P, n]` numeric coordinates and `[P, c]` int32 values."""
        numeric = jnp.zeros_like(x[:, :1]) if self.dummy else x[:, self.columns] if len(self.categories) else x
        return numeric, self.domain.index(x)[:, self.categories]
