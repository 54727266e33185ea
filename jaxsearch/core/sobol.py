"""Scrambled Sobol points: any 2^k of them from an aligned block fill every dyadic interval equally."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import random
from jaxsearch.core.types import Array, Key

BITS = 20  # of the number of a point; after 2^BITS points the sequence goes on with another shift


@functools.cache
def directions(dimension: int) -> np.ndarray:
    """The direction numbers `[dimension, BITS]` uint32 of Joe and Kuo, highest bit first.

    Point 2^k of SciPy's sequence, which goes by Gray codes, is the exclusive or of direction numbers k and k - 1.
    """
    from scipy.stats import qmc  # comes with JAX; half a second that only Sobol points should cost

    if dimension > qmc.Sobol.MAXDIM:
        raise ValueError(f"Sobol points have at most {qmc.Sobol.MAXDIM} coordinates; got {dimension}. Use sobol=False.")
    points = []
    for k in range(BITS):
        sequence = qmc.Sobol(dimension, scramble=False, bits=30)
        points.append(sequence.fast_forward(2**k).random(1)[0])
    words = np.rint(np.array(points).T * 2.0**32).astype(np.uint32)
    return np.bitwise_xor.accumulate(words, axis=1)


def scramble(key: Key, dimension: int) -> tuple[Array, Array]:
    """Scrambled direction numbers `[dimension, BITS]` and a shift `[dimension]`, uint32.

    Every bit of a direction number also flips a random set of the lower bits; the shift makes every point uniform.
    References: Matousek, On the L2-Discrepancy for Anchored Boxes, Journal of Complexity, 1998.
    """
    key_lower, key_shift = jax.random.split(key)
    place = np.arange(32, dtype=np.uint32)[None]
    lower = (random.bits(key_lower, (dimension, 32)) >> place >> 1) | (1 << (31 - place)).astype(np.uint32)
    bit = (directions(dimension)[:, :, None] >> (31 - place)[None]) & 1
    words = jnp.bitwise_xor.reduce(jnp.where(bit > 0, lower[:, None], jnp.zeros_like(lower[:, None])), axis=2)
    return words, random.bits(key_shift, (dimension,))


def points(number: Array, words: Array, shift: Array) -> Array:
    """The points `[P, D]` in [0, 1) of the numbers `[P]` uint32."""
    odd = 2 * (number >> BITS) + 1  # times an odd number, the shift is another one, and still uniform
    mixed = shift[None] * odd[:, None]
    for place in range(BITS):  # one fused pass, where a reduction would hold all bits of all points
        bit = (number >> place) & 1
        mixed = mixed ^ (bit[:, None] * words[None, :, place])
    return (mixed >> 8).astype(jnp.result_type(float)) * 2.0**-24
