"""What an edge of a cell may do; the choice is data, and may be a mixture."""

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array
from jaxsearch.models import activations

WITHOUT_WEIGHTS = ("skip", "zero")
OPERATIONS = (*activations.VARIANCE, "gated", *WITHOUT_WEIGHTS)


def variance(names: tuple[str, ...], weights: Array) -> Array:
    """The initial variance of an edge's matrix times its fan-in, for operations with `weights` `[E, K]`: `[E]`."""
    return weights @ jnp.asarray([activations.VARIANCE.get(name, 1.0) for name in names], weights.dtype)


def mixed(names: tuple[str, ...], weights: Array, h: Array, z: Array) -> Array:
    """The sum of the operations with `weights` `[K]`.

    h: `[B, W]`, the states that an edge starts from. z: `[B, W]`, their products with its matrix.
    """
    total = jnp.zeros_like(h)
    for weight, name in zip(weights, names, strict=True):
        if name != "zero":
            total += weight * _operate(name, h, z)
    return total


def _operate(name: str, h: Array, z: Array) -> Array:
    match name:
        case "skip":
            return h
        case "gated":
            return h * jax.nn.sigmoid(z)
    return activations.activate((name,), jnp.array(0), z)
