"""The Cauchy distribution of width 0.1, cut off at 0."""

import jax.numpy as jnp

from jaxsearch.core.types import Array


def below_zero(location: Array) -> Array:
    """The probability that Cauchy(location, 0.1) is below 0."""
    return 0.5 - jnp.arctan(location / 0.1) / jnp.pi


def above_zero(u: Array, location: Array, below: Array) -> Array:
    """Cauchy(location, 0.1) given that it is above 0, by its inverse, capped at 1; `u` in [0, 1)."""
    share = below + (1 - below) * (1 - u)
    return jnp.clip(location + 0.1 * jnp.tan(jnp.pi * (share - 0.5)), jnp.finfo(u.dtype).tiny, 1)
