import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsearch.core import random


@pytest.mark.parametrize("shape", [(), (1,), (5,), (7, 9), (3, 4, 5)])
@pytest.mark.parametrize("implementation", ["threefry2x32", "rbg"])
def test_the_bits_are_those_of_jax(shape, implementation):
    key = jax.random.key(3, impl=implementation)
    np.testing.assert_array_equal(random.bits(key, shape), jax.random.bits(key, shape, jnp.uint32))
    np.testing.assert_array_equal(random.uniform(key, shape), jax.random.uniform(key, shape, jnp.result_type(float)))


def test_ranges_and_vmap():
    keys = jax.random.split(jax.random.key(0), 4)
    ours = jax.jit(jax.vmap(lambda key: random.uniform(key, (6,), -1.0, 3.0)))(keys)
    theirs = jax.jit(jax.vmap(lambda key: jax.random.uniform(key, (6,), minval=-1.0, maxval=3.0)))(keys)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert ours.dtype == jnp.result_type(float)
