"""The bits of `jax.random`, written so that XLA fuses them into whatever uses them.

`jax.random` lowers threefry to a loop that no consumer can join; the same 20 rounds as plain arithmetic on a counter
give the same bits several times faster on a CPU. Other kinds of keys, 64-bit floats and JAX without partitionable
threefry fall back to `jax.random`.
"""

import math

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array, Key

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def bits(key: Key, shape: tuple[int, ...]) -> Array:
    """Random uint32 words, equal to `jax.random.bits(key, shape, jnp.uint32)`.

    References: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC, 2011 (Threefry-2x32, 20 rounds).
    """
    if not _fusible(key) or math.prod(shape) >= 2**32:
        return jax.random.bits(key, shape, jnp.uint32)
    words = jax.random.key_data(key)
    first, second = words[0], words[1]
    schedule = (first, second, first ^ second ^ jnp.uint32(0x1BD11BDA))
    counter = jnp.zeros(shape, jnp.uint32)
    for axis, size in enumerate(shape):  # the flat index, without a reshape that would break the fusion
        counter = counter * jnp.uint32(size) + jax.lax.broadcasted_iota(jnp.uint32, shape, axis)
    x, y = jnp.full(shape, first), counter + second
    for block in range(5):
        for rotation in ROTATIONS[block % 2]:
            x = x + y
            y = ((y << rotation) | (y >> (32 - rotation))) ^ x
        x = x + schedule[(block + 1) % 3]
        y = y + schedule[(block + 2) % 3] + jnp.uint32(block + 1)
    return x ^ y


def uniform(key: Key, shape: tuple[int, ...], low: float = 0.0, high: float = 1.0) -> Array:
    """Draws from U[low, high) in the default float dtype, equal to `jax.random.uniform`."""
    dtype = jnp.result_type(float)
    if dtype != jnp.float32 or not _fusible(key):
        return jax.random.uniform(key, shape, dtype, low, high)
    mantissa = (bits(key, shape) >> 9) | jnp.uint32(0x3F800000)  # a float in [1, 2)
    unit = jax.lax.bitcast_convert_type(mantissa, jnp.float32) - 1
    return jnp.maximum(jnp.float32(low), unit * jnp.float32(high - low) + jnp.float32(low))


def _fusible(key: Key) -> bool:
    partitionable = bool(jax.config.jax_threefry_partitionable)  # pyright: ignore[reportAttributeAccessIssue]
    return partitionable and str(jax.random.key_impl(key)) == "threefry2x32"
