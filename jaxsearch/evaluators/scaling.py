"""Standardization fitted on some rows and applied to others."""

import jax.numpy as jnp

from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array


@pytree
class Scaler:
    """Maps a column, or a channel of images, to (value - mean) * factor; a missing value becomes 0, the training mean.

    mean, factor: `[F]`, for the last axis of the data; the factor is 1 / (standard deviation), and 0 for a column that
    is constant or wholly missing in training, which therefore says nothing later on either (a category that training
    never saw is such a column). integers: whether the data are, which then stay as they are.
    """

    mean: Array
    factor: Array
    integers: bool = static(default=False)

    def transform(self, x: Array) -> Array:
        if self.integers:
            return x
        scaled = (x - _last(self.mean, x)) * _last(self.factor, x)
        return jnp.where(jnp.isnan(scaled), 0, scaled)

    def inverse(self, scaled: Array) -> Array:
        return scaled / _last(jnp.where(self.factor > 0, self.factor, 1), scaled) + _last(self.mean, scaled)


def fit(x: Array, weights: Array) -> Scaler:
    """The scaler of the rows of `x` `[n, ..., F]` with `weights` `[n]`, 0 for none; NaN entries are left out."""
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return Scaler(jnp.zeros(x.shape[-1]), jnp.ones(x.shape[-1]), integers=True)
    weights = weights.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1))
    known, axes = ~jnp.isnan(x) & (weights > 0), tuple(range(x.ndim - 1))
    total = jnp.sum(jnp.where(known, weights, 0), axes)
    total = jnp.where(total > 0, total, 1)
    mean = jnp.sum(jnp.where(known, x * weights, 0), axes) / total
    deviation = jnp.sqrt(jnp.sum(jnp.where(known, (x - _last(mean, x)) ** 2 * weights, 0), axes) / total)
    varies = deviation > 1e-6 * jnp.maximum(jnp.abs(mean), jnp.finfo(x.dtype).tiny * 1e6)
    return Scaler(mean.astype(x.dtype), jnp.where(varies, 1 / jnp.where(varies, deviation, 1), 0).astype(x.dtype))


def _last(values: Array, x: Array) -> Array:
    """`values` `[F]` with as many axes as `x` `[..., F]`."""
    return values.reshape((1,) * (x.ndim - 1) + (-1,))
