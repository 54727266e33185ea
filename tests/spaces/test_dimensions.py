import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.spaces import columns


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: js.Float(1.0, 1.0), "low < high; got low=1.0, high=1.0"),
        (lambda: js.Float(2, 1), "Swap or widen"),
        (lambda: js.Float(0.0, 1.0, log=True), "low > 0; got low=0.0"),
        (lambda: js.Float(float("nan"), 1.0), "finite bounds"),
        (lambda: js.Float(np.float32(5), np.float32(1)), "low < high"),
        (lambda: js.Float(0.0, 1e309), "finite bounds"),
        (lambda: js.Float(1.0, 1.0 + 1e-17), "low < high"),
        (lambda: js.Float(-1.7e308, 1.7e308), "jax_enable_x64"),
        (lambda: js.Float(0.0, 1.0, shape=3), "tuple of positive integers; got 3"),
        (lambda: js.Float(0.0, 1.0, shape=(0,)), "tuple of positive integers"),
        (lambda: js.Float(0.0, 1e-310), r"can tell apart, from \d.\de-\d+ to"),
        (lambda: js.Float(1e30, np.nextafter(1e30, 2e30), log=True), "can tell apart"),
        (lambda: js.Float(jnp.float32(5), jnp.float32(1)), "low < high; got low=5.0, high=1.0"),
        (lambda: js.Float(jnp.float32(5), 5), r"or write Choice\(5.0\) for a constant"),
        (lambda: js.Float(jnp.array(0.0), 1, log=True), "low > 0; got low=0.0"),
        (lambda: js.Float(0, np.array(np.inf)), "finite bounds; got low=0, high=inf"),
        (lambda: js.Float(0, jnp.array(jnp.nan)), "finite bounds"),
        (lambda: js.Float(jnp.array(1j), 1), "real bounds"),
        (lambda: js.Float(True, 3), "real bounds; got low=True"),
        (lambda: js.Float([0, 1], [1, 1], shape=(2,)), r"low < high; got low\[1\]=1.0, high\[1\]=1.0"),
        (lambda: js.Float(np.array([[1, 0]]), 2, log=True, shape=(1, 2)), r"low > 0; got low\[0, 1\]=0"),
        (lambda: js.Float([0, 1, 2], 5, shape=(2,)), r"shape \(\) or \(2,\); got low of shape \(3,\)"),
        (lambda: js.Float([0, 1], 5), r"needs bounds of shape \(\); got low of shape \(2,\)"),
        (lambda: js.Float([0, "a"], 5, shape=(2,)), r"got low=\[0, 'a'\]. Give numbers"),
        (lambda: js.Int([0, 1], 1, shape=(2,)), r"got low\[1\]=1, high\[1\]=1. .* write Choice\(1\)"),
        (lambda: js.Int([0, 1.5], 3, shape=(2,)), "integer bounds; got low=1.5"),
        (lambda: js.Int(0, [3, 4]), r"bounds of shape \(\); got high of shape \(2,\)"),
        (lambda: jax.jit(lambda high: js.Int(0, high))(3), "integer bounds; got high="),
        (lambda: js.Int(3, 3), "low < high"),
        (lambda: js.Int(0.5, 3), "integer bounds; got low=0.5"),
        (lambda: js.Int(True, 3), "integer bounds"),
        (lambda: js.Int(0, 3, log=True), "low > 0; got low=0"),
        (lambda: js.Int(0, 2**31), "fewer than"),
        (lambda: js.Choice(), "at least one option"),
        (lambda: js.Choice("a", "b", "a"), "got 'a' twice"),
        (lambda: js.Choice(16, 32, ordered="yes"), "ordered must be True or False; got 'yes'"),
        (lambda: js.Switch(), "at least one branch"),
        (lambda: js.Switch(a={"x": 1}), "Float, Int, Choice or Switch"),
    ],
)
def test_static_mistakes_are_told_when_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_options_may_be_any_values_and_differ_by_type():
    choice = js.Choice(1, 1.0, True, "1", None, [1], {"a": 1}, np.array([1, 2]), len)
    for index, option in enumerate(choice.options):
        assert js.undescribe(choice, option) == index
        assert js.describe(choice, np.int32(index)) is option
    assert choice == js.Choice(*choice.options)
    assert js.Choice(1, 0) != js.Choice(True, False)
    assert hash(js.Choice([1], [2])) == hash(js.Choice([1], [2]))


def test_scalars_of_numpy_are_options_as_those_of_python():
    choice = js.Choice(*np.array([8, 12]), np.float64(0.5), np.bool_(True), np.str_("a"))
    assert choice == js.Choice(8, 12, 0.5, True, "a")
    assert [type(js.describe(choice, np.int32(index))) for index in range(5)] == [int, int, float, bool, str]
    assert js.undescribe(choice, 12) == js.undescribe(choice, np.int64(12)) == 1
    with pytest.raises(ValueError, match="got 1 twice"):
        js.Choice(1, np.int64(1))


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"f": 2.0, "i": 1, "c": "a"}, "inside its bounds"),
        ({"f": 0.5, "i": 1.5, "c": "a"}, "takes integers"),
        ({"f": 0.5, "i": 9, "c": "a"}, "inside its bounds"),
        ({"f": "x", "i": 1, "c": "a"}, "takes numbers"),
        ({"f": [0.5, 0.5], "i": 1, "c": "a"}, "takes shape"),
        ({"f": 0.5, "i": 1, "c": "z"}, "not an option"),
        ({"f": 0.5, "i": 1}, "structure of the space"),
        ({"f": float("nan"), "i": 1, "c": "a"}, "inside its bounds"),
    ],
)
def test_values_that_do_not_belong_are_refused(plain, message):
    space = {"f": js.Float(0, 1), "i": js.Int(0, 5), "c": js.Choice("a", "b")}
    with pytest.raises(ValueError, match=message):
        js.undescribe(space, plain)


def test_a_switch_takes_exactly_one_branch():
    space = js.Switch(a={"x": js.Float(0, 1)}, b={})
    assert js.describe(space, js.undescribe(space, {"b": {}})) == {"b": {}}
    for plain in ({}, {"a": {"x": 0.1}, "b": {}}, {"c": {}}, 3):
        with pytest.raises(ValueError, match="one of the branches a, b"):
            js.undescribe(space, plain)


def test_dimensions_are_pytrees_with_their_bounds_as_leaves():
    assert jax.tree.leaves(js.Float(0.0, 1.0)) == [0.0, 1.0]
    assert jax.tree.leaves([js.Int(0, 3), js.Choice("a")]) == []
    switch = js.Switch(b={"x": js.Float(0.0, 1.0)}, a={})
    assert jax.tree.map(lambda leaf: leaf + 1, switch) == js.Switch(b={"x": js.Float(1.0, 2.0)}, a={})
    assert js.describe(switch, js.sample(jax.random.key(0), switch)).keys() <= {"a", "b"}


def test_an_ordered_choice_tells_strategies_that_neighbours_are_alike():
    ordered = js.Choice(16, 32, 64, ordered=True)
    assert js.domain(ordered) == js.domain(js.Int(0, 2))
    assert js.domain(js.Choice(16, 32, 64)) != js.domain(ordered)
    assert js.describe(ordered, js.decode(ordered, jnp.array([0.9]))) == 64
    assert ordered != js.Choice(16, 32, 64)
    assert repr(ordered) == "Choice(16, 32, 64, ordered=True)"


@pytest.mark.parametrize("number", [np.int8, np.uint16, np.float32, jnp.int32, jnp.float32, jnp.bfloat16, np.array])
def test_numbers_of_numpy_and_jax_are_bounds(number):
    space = js.Float(number(2), number(3))
    assert 2 <= float(js.decode(space, jnp.array([0.3]))) <= 3
    if jnp.issubdtype(jnp.asarray(number(2)).dtype, jnp.integer):
        assert js.Int(number(2), number(3)) == js.Int(2, 3)


def test_bounds_are_checked_for_the_dtypes_of_their_use():
    with jax.enable_x64(True):
        close, large = js.Float(1.0, 1.0 + 1e-10), js.Int(2**60, 2**60 + 9)
        js.decode([close, large], jnp.array([0.5, 0.5]))
    with jax.enable_x64(False):
        for space, message in ((close, "can tell apart"), (large, "does not fit into int32")):
            for wrong in (
                lambda space: js.decode(space, jnp.array([0.5])),
                lambda space: js.minimize(
                    lambda key, x: 0.0, {"s": js.Switch(a=space)}, "ga", key=jax.random.key(0), num_generations=1
                ),
            ):
                with pytest.raises(ValueError, match=message):
                    wrong(space)
        narrow = js.Float(1.0, 1.5)
    with jax.enable_x64(True):
        assert js.decode(narrow, jnp.array([1.0])) == 1.5


ARRAYS = {
    "real": js.Float([0.0, 10.0, -1.0], [1.0, 20.0, 1.0], shape=(3,)),
    "log": js.Float(jnp.array([[1e-3, 1.0]]), [[1.0, 100.0]], log=True, shape=(1, 2)),
    "int": js.Int([0, 5], np.array([3, 9]), shape=(2,)),
    "log_int": js.Int(1, [[9], [1000]], log=True, shape=(2, 1)),
}


def test_every_entry_of_an_array_may_have_bounds_of_its_own():
    alone = {
        "real": [js.Float(0, 1), js.Float(10, 20), js.Float(-1, 1)],
        "log": [js.Float(1e-3, 1, log=True), js.Float(1, 100, log=True)],
        "int": [js.Int(0, 3), js.Int(5, 9)],
        "log_int": [js.Int(1, 9, log=True), js.Int(1, 1000, log=True)],
    }
    assert js.domain(ARRAYS) == js.domain(alone)
    for x in jax.random.uniform(jax.random.key(0), (5, 9)):
        together, one_by_one = js.decode(ARRAYS, x), js.decode(alone, x)
        for name, values in one_by_one.items():
            np.testing.assert_allclose(together[name].reshape(-1), values, rtol=1e-6)
        np.testing.assert_allclose(js.encode(ARRAYS, together), js.encode(alone, one_by_one), rtol=1e-5)
    plain = js.describe(ARRAYS, js.decode(ARRAYS, jnp.ones(9)))
    assert plain == {"real": [1, 20, 1], "log": [[1, 100]], "int": [3, 9], "log_int": [[9], [1000]]}
    assert js.describe(ARRAYS, js.undescribe(ARRAYS, plain)) == plain
    with pytest.raises(ValueError, match="inside its bounds"):
        js.undescribe(ARRAYS, {**plain, "int": [4, 9]})
    again = js.from_json(js.to_json(ARRAYS))
    assert again == ARRAYS
    assert again != {**ARRAYS, "real": js.Float([0.0, 10.0, -2.0], [1.0, 20.0, 1.0], shape=(3,))}
    dimension = columns.dimensions(ARRAYS)["real[1]"]
    assert (dimension.low, dimension.high) == (10, 20)
    table = columns.columns(ARRAYS, jax.tree.map(lambda leaf: leaf[None], js.decode(ARRAYS, jnp.ones(9))))
    assert {name: column[0] for name, column in table.items() if name.startswith("log_int")} == {
        "log_int[0,0]": 9,
        "log_int[1,0]": 1000,
    }


def test_bounds_of_arrays_are_leaves_that_vmap():
    def best(space):
        bowl = lambda key, x: jnp.sum(x)  # noqa: E731
        return js.minimize(bowl, space, js.GA(), key=jax.random.key(0), num_generations=20).params

    lows = jnp.array([[0.0, 1.0], [2.0, 3.0]])
    found = jax.vmap(best)(js.Float(lows, lows + 1, shape=(2,)))
    np.testing.assert_allclose(found, lows, atol=0.1)


def test_a_choice_does_not_compare_all_pairs_of_its_options():
    compared = []

    class Option:
        def __init__(self, number):
            self.number = number

        def __hash__(self):
            return hash(self.number)

        def __eq__(self, other):
            compared.append(other)
            return self.number == other.number

    options = [Option(number) for number in range(1000)]
    js.Choice(*options)
    assert len(compared) < 1000
    with pytest.raises(ValueError, match="distinct options"):
        js.Choice(*options, Option(3))
    with pytest.raises(ValueError, match="distinct options"):
        js.Choice([1, 2], 3, [1, 2])
    assert len(js.Choice([1, 2], (1, 2), 1, 1.0, True, [2]).options) == 6
