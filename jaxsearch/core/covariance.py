"""Covariance matrices that are learned: a full one with its square root, and a diagonal one."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxsearch.core.pytree import pytree
from jaxsearch.core.types import Array


def _worst(dtype) -> float:
    """The condition number up to which eigenvalues of this precision can be trusted."""
    return 1e14 if dtype == jnp.float64 else 1e6


@pytree
class Full:
    """A covariance matrix C `[n, n]` with its symmetric square root, which may lag behind it.

    The root is unique: unlike eigenvectors it does not depend on which of many bases a decomposition
    returns, and it has a derivative where eigenvalues coincide.
    """

    matrix: Array  # C, [n, n]
    root: Array  # C^(1/2), [n, n]
    inverse_root: Array  # C^(-1/2), [n, n]
    longest: Array  # [] the largest standard deviation in any direction
    ill: Array  # [] bool, whether the condition number had to be capped

    @classmethod
    def identity(cls, like: Array) -> "Full":
        eye = jnp.eye(len(like), dtype=like.dtype) + jnp.zeros_like(like)[None]
        longest = jnp.ones_like(like[0])
        return cls(eye, eye, eye, longest, jnp.zeros_like(like[0], dtype=bool))

    def sample(self, z: Array) -> Array:
        """`[R, n]` draws of N(0, C) from standard normal ones."""
        return jnp.matmul(z, self.root, precision="highest")

    def whiten(self, y: Array) -> Array:
        """C^-1/2 y for one `[n]`."""
        return jnp.matmul(self.inverse_root, y, precision="highest")

    def distance(self, y: Array) -> Array:
        """`[R]` squared Mahalanobis lengths of `[R, n]`."""
        return jnp.sum(jnp.matmul(y, self.inverse_root, precision="highest") ** 2, axis=1)

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
        matrix, root, inverse_root, longest, missing = _roots(self.matrix)
        return Full(matrix, root, inverse_root, longest, missing > 0)


@jax.custom_jvp
def _roots(matrix: Array) -> tuple[Array, Array, Array, Array, Array]:
    """The matrix, with eigenvalues of at least a floor, and its roots.

    The floor caps the condition number. It is applied to the matrix too, or a direction once lost
    would stay negative for ever.

    Args:
        matrix: `[n, n]`, symmetric.

    Returns:
        the matrix, its root and its inverse root, all `[n, n]`; the root `[]` of its largest
        eigenvalue; and what the smallest eigenvalue lacked, `[]`, at most 0 if all were above the floor.
    """
    values, basis = jnp.linalg.eigh(matrix)
    return _from_eigensystem(matrix, values, basis)


def _from_eigensystem(matrix: Array, values: Array, basis: Array) -> tuple[Array, Array, Array, Array, Array]:
    floor = values[-1] / _worst(values.dtype)
    missing = floor - values
    axes = jnp.sqrt(jnp.maximum(values, floor))
    raised = matrix + _in_basis(basis, jnp.maximum(missing, 0))
    return raised, _in_basis(basis, axes), _in_basis(basis, 1 / axes), axes[-1], missing[0]


def _in_basis(basis: Array, diagonal: Array) -> Array:
    """B diag(d) B^T, `[n, n]`."""
    return jnp.matmul(basis * diagonal[None], basis.T, precision="highest")


@_roots.defjvp
def _(primals, tangents):
    """Divided differences in the eigenbasis, which no two equal eigenvalues divide by zero.

    With S = C^(1/2), dS S + S dS = dC and d(S^-1) = -S^-1 dS S^-1.

    References: Higham, Functions of Matrices, 2008, theorem 3.11 (Daleckii, Krein).
    """
    (matrix,) = primals
    (change,) = tangents
    values, basis = jnp.linalg.eigh(matrix)
    outputs = _from_eigensystem(matrix, values, basis)

    def rotated(left: Array, middle: Array, right: Array) -> Array:
        return jnp.matmul(jnp.matmul(left, middle, precision="highest"), right, precision="highest")

    change = rotated(basis.T, change, basis)
    worst = _worst(values.dtype)
    floor, floor_change = values[-1] / worst, change[-1, -1] / worst
    above = values >= floor
    raised = jnp.maximum(values, floor)
    mixed = above[:, None] != above[None]
    distance = jnp.where(mixed, values[:, None] - values[None], 1)
    share = jnp.where(mixed, (raised[:, None] - raised[None]) / distance, above[:, None] & above[None])
    change = share * change + jnp.diag(jnp.where(above, 0, floor_change))
    axes = jnp.sqrt(raised)
    root_change = change / (axes[:, None] + axes[None])
    inverse_change = -root_change / (axes[:, None] * axes[None])
    longest_change = change[-1, -1] / (2 * axes[-1])
    changes = (
        rotated(basis, change, basis.T),
        rotated(basis, root_change, basis.T),
        rotated(basis, inverse_change, basis.T),
        longest_change,
        jnp.zeros_like(outputs[-1]),
    )
    return outputs, changes


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

    @property
    def longest(self) -> Array:
        """`[]` the largest standard deviation."""
        return jnp.max(self.axes)

    def update(self, decay: Array, c1: Array, path: Array, weights: Array, y: Array, due: Array) -> "Diagonal":
        values = decay * self.axes**2 + c1 * path**2 + jnp.sum(weights[:, None] * y**2, axis=0)
        floor = jnp.max(values) / _worst(values.dtype)
        return Diagonal(jnp.sqrt(jnp.maximum(values, floor)), jnp.min(values) < floor)
