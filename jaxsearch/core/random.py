"""The draws of `jax.random`, written so that XLA fuses them into whatever uses them.

`jax.random` lowers threefry to a loop that no consumer can join; the same 20 rounds as plain arithmetic on a counter
give the same bits several times faster on a CPU. Other kinds of keys and JAX without partitionable threefry fall
back to `jax.random`. The counter is the global index of a draw, so that no result depends on how arrays are sharded.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsearch.core.types import Array, HostArray, Key

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def bits(key: Key, shape: tuple[int, ...], start: int = 0) -> Array:
    """Random uint32 words, equal to `jax.random.bits(key, shape, jnp.uint32)`.

    start: the counter of the first one, so that one key serves for several blocks of draws in a generation.
    """
    if not _fusible(key, shape, start):
        return jax.random.bits(_at(key, start), shape, jnp.uint32)
    first, second = _words(key, shape, start)
    return lax.bitwise_xor(first, second)


def uniform(key: Key, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Array:
    """Draws from U[low, high) in the default float dtype, equal to `jax.random.uniform`."""
    dtype = jnp.result_type(float)
    if not _fusible(key, shape):
        return jax.random.uniform(key, shape, dtype, low, high)
    if dtype == jnp.float32:
        drawn = unit(bits(key, shape))
    else:
        first, second = (lax.convert_element_type(word, jnp.uint64) for word in _words(key, shape))
        word = lax.bitwise_or(lax.shift_left(first, np.uint64(32)), second)
        mantissa = lax.bitwise_or(lax.shift_right_logical(word, np.uint64(12)), np.uint64(0x3FF0000000000000))
        drawn = lax.sub(lax.bitcast_convert_type(mantissa, jnp.float64), np.float64(1))
    if (low, high) == (0.0, 1.0):
        return drawn
    first, last = np.asarray(low, dtype), np.asarray(high, dtype)
    return lax.max(first, lax.add(lax.mul(drawn, last - first), first))


def uniforms(key: Key, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Two independent draws from U[0, 1) for the work of one: both words of a counter, each with 23 random bits."""
    if not _fusible(key, shape):
        both = jax.random.bits(key, (2, *shape), jnp.uint32)
        return unit(both[0]), unit(both[1])
    first, second = _words(key, shape)
    return unit(first), unit(second)


def normal(key: Key, shape: tuple[int, ...]) -> Array:
    """Standard normal draws in the default float dtype, equal to `jax.random.normal`."""
    dtype = jnp.result_type(float)
    open_interval = uniform(key, shape, float(np.nextafter(dtype.type(-1), dtype.type(0))), 1.0)
    return lax.mul(np.asarray(np.sqrt(2), dtype), lax.erf_inv(open_interval))


def unit(word: Array) -> Array:
    """The upper 23 bits of uint32 words as floats in [0, 1)."""
    mantissa = lax.bitwise_or(lax.shift_right_logical(word, np.uint32(9)), np.uint32(0x3F800000))  # in [1, 2)
    drawn = lax.sub(lax.bitcast_convert_type(mantissa, jnp.float32), np.float32(1))
    return lax.convert_element_type(drawn, jnp.result_type(float))


def across(word: Array, count: int, axis: int = -1) -> Array:
    """`[..., count]` draws from U[0, 1), a row of them hashed from each uint32 word `[...]`: for masks, at little cost.

    axis: where the draws of a word lie; 0 for `[count, ...]`.
    """
    others = tuple(range(word.ndim + 1))
    column = np.expand_dims(np.arange(count, dtype=np.uint32), others[1:] if axis == 0 else others[:-1])
    return unit(hashed(jnp.expand_dims(word, axis), column))


def hashed(word: Array, index: HostArray) -> Array:
    """A uint32 word for each pair of a word and an index: as good as independent for masks and orders, at little cost.

    References: Wellons, Prospecting for Hash Functions, nullprogram.com, 2018 (lowbias32).
    """
    # Spread by the golden ratio, so that rows of neighbouring words are no shifted copies of each other.
    mixed = word ^ (index * np.uint32(0x9E3779B9))
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        mixed = (mixed ^ (mixed >> shift)) * np.uint32(factor)
    return mixed ^ (mixed >> 16)


def fraction(x: Array) -> Array:
    """x modulo 1, without the scalar code that `%` compiles to on a CPU."""
    return lax.sub(x, lax.floor(x))


def gaussian(u: Array) -> Array:
    """Standard normal draws from uniform ones in [0, 1) of 23 random bits, from the middles of their cells."""
    middle = lax.add(lax.mul(u, u.dtype.type(2)), u.dtype.type(2.0**-23 - 1))
    return lax.mul(lax.erf_inv(middle), u.dtype.type(np.sqrt(2)))


def _words(key: Key, shape: tuple[int, ...], start: int = 0) -> tuple[Array, Array]:
    """Both uint32 words of Threefry-2x32 at every flat index of the shape.

    References: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC, 2011 (20 rounds).
    """
    if start == 0:
        _use_up(key)
    words = jax.random.key_data(key)
    first, second = (lax.index_in_dim(words, i, keepdims=False) for i in range(2))
    third = lax.bitwise_xor(lax.bitwise_xor(first, second), np.uint32(0x1BD11BDA))
    schedule = [lax.broadcast(word, shape) for word in (first, second, third)]
    x, y = schedule[0], lax.add(schedule[1], np.uint32(start))
    for axis, size in enumerate(shape):  # the flat index, without a reshape that would break the fusion
        # One axis after the other: XLA would keep an index of the whole shape, and read it in every generation.
        stride = np.uint32(math.prod(shape[axis + 1 :]))
        y = lax.add(y, lax.broadcast_in_dim(lax.mul(lax.iota(jnp.uint32, size), stride), shape, (axis,)))
    for block in range(5):
        for rotation in ROTATIONS[block % 2]:
            x = lax.add(x, y)
            turned = lax.bitwise_or(
                lax.shift_left(y, np.uint32(rotation)), lax.shift_right_logical(y, np.uint32(32 - rotation))
            )
            y = lax.bitwise_xor(turned, x)
        x = lax.add(x, schedule[(block + 1) % 3])
        y = lax.add(lax.add(y, schedule[(block + 2) % 3]), np.uint32(block + 1))
    return x, y


def _use_up(key: Key) -> None:
    """Shows a draw to JAX's check for reused keys, which does not see those made by arithmetic; else nothing.

    Blocks that start at a later counter belong to the same use of the key.
    """
    if jax.config.jax_debug_key_reuse:  # pyright: ignore[reportAttributeAccessIssue]
        jax.random.bits(key, ())


def _at(key: Key, start: int) -> Key:
    """A key for the draws from `start` on, where they cannot be counted from there."""
    return jax.random.fold_in(jax.random.fold_in(key, start >> 32), start & 0xFFFFFFFF) if start else key


def _fusible(key: Key, shape: tuple[int, ...], start: int = 0) -> bool:
    partitionable = bool(jax.config.jax_threefry_partitionable)  # pyright: ignore[reportAttributeAccessIssue]
    return partitionable and str(jax.random.key_impl(key)) == "threefry2x32" and start + math.prod(shape) < 2**32
