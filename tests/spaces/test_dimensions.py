import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js


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
