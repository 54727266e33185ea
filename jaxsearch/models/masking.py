"""What makes a small network inside a large array behave as if it stood alone."""

import jax
import jax.numpy as jnp

from jaxsearch.core import random
from jaxsearch.core.types import Array, Key


def units(width: Array, max_width: int, dtype: jnp.dtype) -> Array:
    """`[max_width]` ones for the first `width` units, zeros for those that are off."""
    return (jnp.arange(max_width) < width).astype(dtype)


def uniform_table(key: Key, rows: int, columns: int) -> Array:
    """`[rows, columns]` draws from U[-1, 1] whose upper left part does not depend on the size of the table.

    One key per row, and JAX's partitionable random bits count from the start of the row: a network padded to a larger
    size starts from the same weights as alone.
    """
    return jax.vmap(lambda row: random.uniform(row, (columns,), -1.0, 1.0))(jax.random.split(key, rows))


def dropout(key: Key, rate: Array, activations: Array) -> Array:
    """Drops entries of `activations` `[B, W]` with probability `rate`, the same ones whatever the padding of W."""
    batch, width = activations.shape
    kept = rate <= random.uniform(key, (width, batch)).T  # W leads, see uniform_table
    return jnp.where(kept, activations / (1 - rate), 0)
