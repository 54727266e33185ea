"""Standardization fitted on some rows and applied to others."""

import jax.numpy as jnp

from jaxsearch.core.pytree import pytree
from jaxsearch.core.types import Array


@pytree
class Scaler:
    """Maps a column to (value - mean) * factor; a missing value becomes 0, i.e. the training mean.

    mean, factor: `[F]`; the factor is 1 / (standard deviation), and 0 for a column that is constant or wholly missing
    in training, which therefore says nothing later on either (a category that training never saw is such a column).
    """

    mean: Array
    factor: Array

    def transform(self, x: Array) -> Array:
        scaled = (x - self.mean[None]) * self.factor[None]
        return jnp.where(jnp.isnan(scaled), 0, scaled)

    def inverse(self, scaled: Array) -> Array:
        return scaled / jnp.where(self.factor > 0, self.factor, 1)[None] + self.mean[None]


def fit(x: Array, weights: Array) -> Scaler:
    """The scaler of the rows of `x` `[n, F]` with `weights` `[n]` above 0; NaN entries are left out."""
    known = ~jnp.isnan(x) & (weights > 0)[:, None]
    count = jnp.maximum(jnp.sum(known, 0), 1)
    mean = jnp.sum(jnp.where(known, x, 0), 0) / count
    deviation = jnp.sqrt(jnp.sum(jnp.where(known, x - mean[None], 0) ** 2, 0) / count)
    varies = deviation > 1e-6 * jnp.maximum(jnp.abs(mean), jnp.finfo(x.dtype).tiny * 1e6)
    return Scaler(mean.astype(x.dtype), jnp.where(varies, 1 / jnp.where(varies, deviation, 1), 0).astype(x.dtype))
