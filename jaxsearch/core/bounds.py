"""Keeping points inside the unit cube."""

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array


def clip(x: Array) -> Array:
    """The nearest point of [0, 1] to each entry, NaN to 1/2; the gradient at the faces is that of the inside."""
    return jnp.where(x < 0, 0, jnp.where(x > 1, 1, jnp.where(jnp.isnan(x), 0.5, x))).astype(x.dtype)


def reflect(x: Array) -> Array:
    """Mirrors each entry at 0 and 1 until it lies in [0, 1], which keeps a uniform density uniform."""
    return clip(1 - jnp.abs(x - 2 * jnp.floor(x / 2) - 1))  # `mod` is scalar code on a CPU


@jax.custom_jvp
def within(value: Array, low: Array, high: Array) -> Array:
    """The value, which rounding may have moved out of [low, high] by an ulp; the gradient does not see the ends."""
    return jnp.clip(value, low, high)


@within.defjvp
def _(primals, tangents):
    return within(*primals), tangents[0]
