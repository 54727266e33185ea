"""Euclidean lengths that may be 0."""

import jax.numpy as jnp

from jaxsearch.core.types import Array


def length(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """The length of `x`, as `jnp.linalg.norm`, whose gradient at 0 is NaN; here it is 0."""
    square = jnp.sum(x * x, axis=axis, keepdims=keepdims)
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)
