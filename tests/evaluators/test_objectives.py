import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.evaluators.vectorized import in_chunks

SPACE = {"x": js.Float(-1.0, 3.0, shape=(2,)), "n": js.Int(1, 4), "c": js.Choice("a", "b")}


def noisy(key, params):
    return jnp.sum(params["x"] ** 2) * params["n"] + params["c"] + jax.random.normal(key)


def evaluate(evaluator, count=7):
    x = jax.random.uniform(jax.random.key(0), (count, js.domain(SPACE).size))
    state = evaluator.init(jax.random.key(1), SPACE, count)
    return evaluator.evaluate(jax.random.key(2), state, SPACE, js.Candidates(x))[0], x


@pytest.mark.parametrize("chunk_size", [1, 3, 7, 50])
@pytest.mark.parametrize("gradients", [False, True])
def test_chunked_equals_vectorized(chunk_size, gradients):
    chunked, _ = evaluate(js.Chunked(noisy, chunk_size, gradients=gradients))
    whole, _ = evaluate(js.Vectorized(noisy, gradients=gradients))
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-5), chunked, whole)


def test_chunks_bound_what_is_alive_at_once():
    sizes = []

    def rows(x):
        sizes.append(x.shape[0])
        return 2 * x

    x = jnp.arange(10.0)
    np.testing.assert_array_equal(in_chunks(rows, (x,), 4), 2 * x)
    assert set(sizes) == {4}


def test_gradients_are_those_of_the_unit_cube():
    results, x = evaluate(js.Vectorized(lambda key, p: jnp.sum(p["x"] ** 2), gradients=True))
    value = jax.vmap(lambda x: js.decode(SPACE, x)["x"])(x)
    coordinates = np.asarray(x).shape[1]
    expected = np.zeros((7, coordinates))
    expected[:, 2:] = 2 * np.asarray(value) * 4  # coordinates in the order c, n, x; the range is 4
    np.testing.assert_allclose(results.grad, expected, rtol=1e-4, atol=1e-5)


def test_data_travels_as_leaves():
    evaluator = js.Vectorized(jax.tree_util.Partial(lambda data, key, p: jnp.sum(data) + p["n"], jnp.arange(3.0)))
    assert any(np.shape(leaf) == (3,) for leaf in jax.tree.leaves(evaluator))
    assert evaluate(evaluator)[0].loss.shape == (7,)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (jnp.zeros(3), r"float..\[3\]"),
        (jnp.zeros((1,), jnp.int32), r"int32\[1\]"),
        ("text", "'text'"),
        (None, "None"),
        ((1.0, 2.0), r"\(1.0, 2.0\)"),
        (1j, "1j"),
        (jnp.array(1j, jnp.complex64), r"complex64\[\]"),
        (np.str_("1"), r"<U1\[\]"),
        (jax.random.key(0), r"key<fry>\[\]"),
    ],
)
def test_an_objective_must_return_one_number(value, shown):
    with pytest.raises(ValueError, match=f"one real number per configuration; got {shown}. Reduce it"):
        evaluate(js.Vectorized(lambda key, p: value))


@pytest.mark.parametrize("make", [jnp.int32, jnp.uint8, np.int64])
def test_an_integer_is_refused_since_it_may_have_overflowed(make):
    with pytest.raises(ValueError, match=r"must return a float, since an integer that overflows .*astype\(float\)"):
        evaluate(js.Vectorized(lambda key, p: make(3)))
    for value in (True, 3, jnp.array(True), jnp.float16(3)):
        evaluate(js.Vectorized(lambda key, p, value=value: value))


@pytest.mark.parametrize("objective", [3.0, "f", [1], None])
def test_an_objective_must_be_a_function(objective):
    with pytest.raises(ValueError, match="must be a function"):
        js.minimize(objective, SPACE, js.GA(), key=jax.random.key(0), num_generations=1)


@pytest.mark.parametrize("size", [0, -2, 1.5, True])
def test_chunk_size_is_checked(size):
    with pytest.raises(ValueError, match="chunk_size"):
        js.Chunked(noisy, size)


def test_callback_gets_plain_values_once_each_and_in_order():
    seen = []

    def python(params):
        seen.append(params)
        return params["n"] + (params["c"] == "b")

    results, x = evaluate(js.Callback(python))
    expected = [js.describe(SPACE, js.decode(SPACE, row)) for row in x]
    assert seen == expected
    assert all(type(params["n"]) is int and type(params["x"][0]) is float for params in seen)
    np.testing.assert_allclose(results.loss, [params["n"] + (params["c"] == "b") for params in expected])


def test_callback_works_in_the_compiled_loop_and_under_vmap():
    objective = js.Callback(lambda params: (params["n"] - 3) ** 2 + params["x"][0] ** 2)
    run = functools.partial(js.minimize, objective, SPACE, js.GA(population_size=8), num_generations=10)
    result = run(key=jax.random.key(0), target=0.05)
    assert float(result.loss) < 1.0
    assert js.describe(SPACE, result.params)["n"] == 3
    both = jax.vmap(lambda key: run(key=key).loss)(jax.random.split(jax.random.key(0), 2))
    np.testing.assert_allclose(both[0], run(key=jax.random.split(jax.random.key(0), 2)[0]).loss, rtol=1e-5)


def test_callback_counts_the_exceptions_it_is_told_to_catch():
    def python(params):
        if params["c"] == "a":
            raise FloatingPointError
        return 1.0

    objective = js.Callback(python, catch=(FloatingPointError,))
    result = js.minimize(objective, SPACE, js.RandomSearch(50), key=jax.random.key(0), num_generations=1)
    assert 5 < int(result.num_failed) < 45
    assert float(result.loss) == 1.0
    with pytest.raises(ValueError, match="Python function"):
        js.Callback(3)
