"""Covariance matrices that are learned: a full one with its eigensystem, and a diagonal one."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxsearch.core.pytree import pytree
from jaxsearch.core.types import Array


def _worst(dtype) -> float:
    """The condition number up to which an eigensystem of this precision can be trusted."""
    return 1e14 if dtype == jnp.float64 else 1e6


@pytree
class Full:
    """C = B diag(axes^2) B^T, `[n, n]`; the eigensystem may lag behind the matrix."""

    matrix: Array
    basis: Array  # B, [n, n]
    axes: Array  # [n], above 0
    ill: Array  # [] bool, whether the condition number had to be capped

    @classmethod
    def identity(cls, like: Array) -> "Full":
        eye = jnp.eye(len(like), dtype=like.dtype) + jnp.zeros_like(like)[None]
        return cls(eye, eye, jnp.ones_like(like), jnp.zeros_like(like[0], dtype=bool))

    def sample(self, z: Array) -> Array:
        """`[R, n]` draws of N(0, C) from standard normal ones."""
        return jnp.matmul(z * self.axes[None], self.basis.T, precision="highest")

    def whiten(self, y: Array) -> Array:
        """C^-1/2 y for one `[n]`."""
        return self.basis @ ((y @ self.basis) / self.axes)

    def distance(self, y: Array) -> Array:
        """`[R]` squared Mahalanobis lengths of `[R, n]`."""
        return jnp.sum((jnp.matmul(y, self.basis, precision="highest") / self.axes[None]) ** 2, axis=1)

    def deviations(self) -> Array:
        """`[n]` standard deviations along the coordinates."""
        return jnp.sqrt(jnp.maximum(jnp.diagonal(self.matrix), jnp.finfo(self.matrix.dtype).tiny))

    def update(self, decay: Array, c1: Array, path: Array, weights: Array, y: Array, due: Array) -> "Full":
        """decay C + c1 path path^T + sum_i weights_i y_i y_i^T, decomposed when `due`."""
        rank_mu = jnp.matmul(y.T * weights[None], y, precision="highest")
        matrix = decay * self.matrix + c1 * path[:, None] * path[None] + rank_mu
        matrix = (matrix + matrix.T) / 2
        return jax.lax.cond(due, Full._decomposed, lambda new: new, dataclasses.replace(self, matrix=matrix))

    def _decomposed(self) -> "Full":
        values, basis = jnp.linalg.eigh(self.matrix)
        floor = values[-1] / _worst(values.dtype)
        # Raised in the matrix too, or a direction once lost would stay negative for ever.
        missing = jnp.maximum(floor - values, 0)
        matrix = self.matrix + jnp.matmul(basis * missing[None], basis.T, precision="highest")
        return Full(matrix, basis, jnp.sqrt(jnp.maximum(values, floor)), values[0] < floor)


@pytree
class Diagonal:
    """C = diag(axes^2)."""

    axes: Array  # [n], above 0
    ill: Array  # [] bool

    @classmethod
    def identity(cls, like: Array) -> "Diagonal":
        return cls(jnp.ones_like(like), jnp.zeros_like(like[0], dtype=bool))

    def sample(self, z: Array) -> Array:
        return z * self.axes[None]

    def whiten(self, y: Array) -> Array:
        return y / self.axes

    def distance(self, y: Array) -> Array:
        return jnp.sum((y / self.axes[None]) ** 2, axis=1)

    def deviations(self) -> Array:
        return self.axes

    def update(self, decay: Array, c1: Array, path: Array, weights: Array, y: Array, due: Array) -> "Diagonal":
        values = decay * self.axes**2 + c1 * path**2 + jnp.sum(weights[:, None] * y**2, axis=0)
        floor = jnp.max(values) / _worst(values.dtype)
        return Diagonal(jnp.sqrt(jnp.maximum(values, floor)), jnp.min(values) < floor)
