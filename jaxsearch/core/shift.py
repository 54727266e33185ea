"""Losses in two words: what float32 cannot tell apart, since all have a large number in common, stays distinct."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import Array, Results

# The spread of the losses, in units of their size, below which a float32 of 24 bits spends ten or more of them on what
# all losses have in common.
NARROW = 2.0**-10


def split(losses: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Doubles as the nearest numbers of a narrower dtype, and what that rounding took from them.

    A finite loss of any size stays finite, since it is no failure.
    """
    most = np.finfo(dtype).max
    inside = np.where(np.isfinite(losses), np.clip(losses, -most, most), losses)
    near = inside.astype(dtype)
    with np.errstate(invalid="ignore"):  # of infinities
        rest = np.where(np.isfinite(near), inside - near.astype(np.float64), 0.0)
    return near, rest.astype(dtype)


class Shift(NamedTuple):
    """What is subtracted from all losses before a strategy is told them.

    lowest, remainder: `[]`, the two words of it; of the lowest loss so far while nothing is decided, +inf for none.
    decided: `[]` bool, whether there were two different losses, or a negative one.
    """

    lowest: Array
    remainder: Array
    decided: Array

    @classmethod
    def undecided(cls) -> "Shift":
        """Before the first loss."""
        dtype = jnp.result_type(float)
        return cls(jnp.array(jnp.inf, dtype), jnp.zeros((), dtype), jnp.array(False))


def told(results: Results, shift: Shift) -> tuple[Results, Shift]:
    """What a strategy is told of results in two words, and the shift from now on.

    The first generation with different losses decides: where they are close to each other beside their size, the lowest
    of them is subtracted from then on, which keeps the order and all differences. Until then losses are told as they
    are: if those to come are shifted, they are the lower ones. That does not apply to a negative loss, which is
    subtracted at once. Nothing is lost by that, since lower losses are then of a larger size.

    Args:
        results: the loss of failed candidates is +inf. Without `remainder` they are told as they are.
        shift: of the generation before.
    """
    if results.remainder is None:
        return results, shift
    loss = jnp.concatenate([shift.lowest[None], results.loss])
    remainder = jnp.concatenate([shift.remainder[None], results.remainder])
    known = jnp.isfinite(loss)
    count = jnp.sum(known, dtype=jnp.int32)
    lowest = jnp.min(loss)
    lowest_remainder = jnp.min(jnp.where(loss == lowest, remainder, jnp.inf))
    above = jnp.sort(jnp.where(known, (loss - lowest) + (remainder - lowest_remainder), jnp.inf))
    median, largest = above[count // 2], above[jnp.maximum(count - 1, 0)]
    spread = jnp.where(median > 0, median, largest)
    decided = (count > 0) & ((spread > 0) | (lowest < 0))
    common = ~decided | (spread == 0) | (spread < NARROW * jnp.abs(lowest))
    found = Shift(jnp.where(common, lowest, 0), jnp.where(common, lowest_remainder, 0), decided)
    now = Shift(*(jnp.where(shift.decided, old, new) for old, new in zip(shift, found, strict=True)))
    shifted = (results.loss - now.lowest) + (results.remainder - now.remainder)
    value = jnp.where(now.decided, shifted, results.loss)
    value = jnp.where(jnp.isfinite(results.loss), value, jnp.inf)
    return results._replace(loss=value, remainder=None), now
