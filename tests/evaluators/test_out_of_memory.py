import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.evaluators.out_of_memory import halved, out_of_memory

COUNT = 6
X = jax.random.normal(jax.random.key(0), (24, 2))
MODEL = js.models.MLP(2, 2, max_layers=1, max_width=8)
TRAINING = js.Training(MODEL, (X, (X[:, 0] > 0).astype(int)), metric="cross_entropy", folds=2, epochs=2)
NETWORKS = {"learning_rate": js.Float(1e-3, 1e-1, log=True), "width": js.Int(2, 8)}
NUMBERS = js.Float(-1, 1, shape=(2,))


def noisy(key, x):
    return jnp.sum(x**2) + jax.random.normal(key)


EVALUATORS = {
    "vectorized": (js.Vectorized(noisy), NUMBERS),
    "gradients": (js.Vectorized(noisy, gradients=True), NUMBERS),
    "chunked": (js.Chunked(noisy, 5), NUMBERS),
    "sharded": (js.Sharded(noisy), NUMBERS),
    "training": (TRAINING, NETWORKS),
    "continued": (js.Continued(TRAINING), NETWORKS),
    "devices": (js.Halving(js.Sharded(TRAINING, js.Sharded(noisy)._mesh()), num_rungs=2), NETWORKS),
}


def chunk_sizes(evaluator, count):
    """Of the evaluator halved again and again."""
    sizes = []
    while (evaluator := halved(evaluator, count)) is not None:
        inner = evaluator
        while not hasattr(inner, "chunk_size"):
            inner = inner.evaluator
        sizes.append(inner.chunk_size)
    return sizes


@pytest.mark.parametrize("name", EVALUATORS)
def test_the_same_losses_from_the_same_state(name):
    evaluator, space = EVALUATORS[name]
    smaller = halved(evaluator, 2 * COUNT if name == "devices" else COUNT)
    x = jax.random.uniform(jax.random.key(0), (COUNT, js.domain(space).size))

    @jax.jit
    def second_generation(first, second):
        state = first.init(jax.random.key(0), space, COUNT)
        origin = jnp.arange(COUNT, dtype=jnp.int32)
        _, state = first.evaluate(jax.random.key(0), state, space, js.Candidates(x))
        results, after = second.evaluate(jax.random.key(0), state, space, js.Candidates(x, origin=origin))
        return results, after

    whole, parts = second_generation(evaluator, evaluator), second_generation(evaluator, smaller)
    assert jax.tree.structure(whole) == jax.tree.structure(parts)
    for one, other in zip(jax.tree.leaves(whole), jax.tree.leaves(parts), strict=True):
        if jnp.issubdtype(one.dtype, jax.dtypes.prng_key):
            one, other = jax.random.key_data(one), jax.random.key_data(other)
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


def test_down_to_a_single_candidate():
    assert chunk_sizes(js.Vectorized(noisy), 20) == [10, 5, 2, 1]
    assert chunk_sizes(js.Chunked(noisy, 9), 6) == [3, 1]
    assert chunk_sizes(js.Continued(TRAINING), 5) == [2, 1]
    assert chunk_sizes(js.Sharded(js.Chunked(noisy, 64)), 512) == [32, 16, 8, 4, 2, 1]
    assert chunk_sizes(js.Halving(js.Sharded(TRAINING)), 4 * jax.device_count()) == [2, 1]  # of the 4 of each device


class Own:
    def init(self, key, space, count): ...

    def evaluate(self, key, state, space, candidates): ...


@pytest.mark.parametrize("evaluator", [js.Callback(len), js.Sharded(js.Callback(len)), Own(), js.Chunked(noisy, 1)])
def test_nothing_to_halve(evaluator):
    assert halved(evaluator, 100) is None


def test_only_a_lack_of_memory_is_one():
    with pytest.raises(jax.errors.JaxRuntimeError) as error:
        jnp.zeros((2**22, 2**22), jnp.float32).block_until_ready()  # more than a process can address
    assert out_of_memory(error.value)
    assert not out_of_memory(MemoryError())
    assert not out_of_memory(jax.errors.JaxRuntimeError("INTERNAL: RESOURCE"))
    assert not out_of_memory(ValueError("RESOURCE_EXHAUSTED"))
