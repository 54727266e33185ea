"""From losses to orders."""

import jax.numpy as jnp
from jax import lax

from jaxsearch.core.types import Array

SORTED_UP_TO = 256  # losses; beyond, top_k on a CPU takes longer than to halve and count


def best(loss: Array, count: int) -> Array:
    """The indices `[count]` int32 of the lowest of the losses `[P]`, best first, ties to the lower index, NaN last.

    -0 comes before 0.
    """
    return lax.top_k(-jnp.where(jnp.isnan(loss), jnp.inf, loss), count)[1]


def among_best(loss: Array, count: int) -> Array:
    """The indices `[count]` int32 of the lowest of the losses `[P]`, in any order, ties to the lower index, NaN last.

    Linear in P where sorting would cost more than the rest of a generation: the count-th lowest loss is found bit by
    bit.
    """
    if len(loss) <= SORTED_UP_TO:
        return best(loss, count)
    number = jnp.int32 if loss.dtype.itemsize == 4 else jnp.int64
    low = jnp.iinfo(number).min
    order = lax.bitcast_convert_type(jnp.where(jnp.isnan(loss), jnp.inf, loss), number)
    order = jnp.where(order < 0, low - order, order)  # integers in the order of the floats

    def halve(step: Array, threshold: Array) -> Array:
        half = threshold + (jnp.ones((), number) << (8 * loss.dtype.itemsize - 2 - step).astype(number))
        return jnp.where(jnp.sum(order < half) < count, half, threshold)

    start = jnp.where(jnp.sum(order < 0) < count, 0, low).astype(number)
    threshold = lax.fori_loop(0, 8 * loss.dtype.itemsize - 1, halve, start)
    below, equal = order < threshold, order == threshold
    room = count - jnp.sum(below, dtype=jnp.int32)
    first = lax.cond(  # rarely needed, and half of what is left to do
        jnp.sum(equal, dtype=jnp.int32) > room,
        lambda: equal & (jnp.cumsum(equal, dtype=jnp.int32) <= room),
        lambda: equal,
    )
    chosen = below | first
    place = jnp.where(chosen, jnp.cumsum(chosen, dtype=jnp.int32) - 1, count)
    index = jnp.arange(len(loss), dtype=jnp.int32)
    return jnp.zeros_like(index, shape=count).at[place].set(index, mode="drop")


def lowest(loss: Array) -> Array:
    """The index `[]` int32 of the lowest of the losses `[P]`, the first among equals; the last of all if one is NaN.

    Two reductions that are vectorized; on a CPU `argmin` is not, and takes five times as long.
    """
    last = len(loss) - 1
    return jnp.min(jnp.where(loss == jnp.min(loss), jnp.arange(len(loss), dtype=jnp.int32), last))
