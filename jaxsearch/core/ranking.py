"""From losses to orders."""

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array


def best(loss: Array, count: int) -> Array:
    """The indices `[count]` int32 of the lowest of the losses `[P]`, best first, ties to the lower index, NaN last."""
    return jax.lax.top_k(-jnp.where(jnp.isnan(loss), jnp.inf, loss), count)[1]
