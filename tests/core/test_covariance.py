import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxsearch.core.covariance import _roots


def turned(values, seed=0):
    """A symmetric matrix with these eigenvalues."""
    basis = stats.ortho_group(len(values), seed=np.random.default_rng(seed)).rvs()
    return (basis * np.asarray(values, float)) @ basis.T


def test_the_root_and_its_inverse():
    matrix = jnp.asarray(turned([0.01, 1, 1, 1, 4]), jnp.result_type(float))
    found, root, inverse_root, longest, missing = _roots(matrix)
    np.testing.assert_array_equal(found, matrix)
    np.testing.assert_allclose(root @ root, matrix, atol=1e-5)
    np.testing.assert_allclose(root, root.T, atol=1e-6)
    np.testing.assert_allclose(root @ inverse_root, np.eye(5), atol=1e-5)
    np.testing.assert_allclose(longest, 2, rtol=1e-5)
    assert missing < 0


@pytest.mark.parametrize(
    "values",
    [
        [0.1, 1, 1, 1, 4],
        [2, 2, 2, 2],
        [-1, -1, -0.5, 1, 1e3],  # three below the floor
        [1, 2, 3, 3 + 1e-13],
    ],
)
def test_the_derivative_of_the_roots_is_that_of_differences(values):
    """Eigenvectors have none where eigenvalues coincide."""
    with jax.enable_x64(True):
        matrix = turned(values)
        change = turned(np.arange(len(values)) - 0.3, seed=1)
        # The largest eigenvalue itself has no derivative where it is not alone.
        parts = slice(0, 3)
        _, found = jax.jvp(lambda matrix: _roots(matrix)[parts], (matrix,), (change,))
        step = 1e-5
        after, before = (_roots(matrix + side * step * change)[parts] for side in (1, -1))
        for tangent, upper, lower in zip(found, after, before, strict=True):
            expected = (upper - lower) / (2 * step)
            scale = np.abs(expected).max()
            np.testing.assert_allclose(tangent / scale, expected / scale, atol=1e-6)
