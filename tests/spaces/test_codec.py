import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import jaxsearch as js

SPACE = {
    "real": js.Float(-2.0, 3.0),
    "log": js.Float(1e-4, 1e-1, log=True),
    "array": js.Float(0.0, 1.0, shape=(2, 3)),
    "int": js.Int(-2, 4),
    "log_int": js.Int(1, 1000, log=True, shape=(2,)),
    "choice": js.Choice("relu", None, [1, 2], 1, True),
    "switch": js.Switch(
        sgd={"momentum": js.Float(0.0, 0.99)},
        adam={"b1": js.Float(0.8, 0.99), "inner": js.Switch(off={}, on={"steps": js.Int(1, 9)})},
    ),
    "list": [js.Int(0, 1), (js.Float(0, 1),)],
}
SIZE = js.domain(SPACE).size
decode = jax.jit(js.decode)
encode = jax.jit(js.encode)


def entries():
    special = st.sampled_from([0.0, 1.0, 0.5, -1.0, 7.0, float("nan"), float("inf"), float("-inf")])
    return special | st.floats(width=32)


@settings(max_examples=150, deadline=None)
@given(st.lists(entries(), min_size=SIZE, max_size=SIZE))
def test_every_vector_decodes_to_a_valid_configuration_and_back(x):
    params = decode(SPACE, jnp.array(x))
    plain = js.describe(SPACE, params)
    assert -2 <= plain["real"] <= 3
    assert 1e-4 <= plain["log"] <= 1e-1
    assert -2 <= plain["int"] <= 4
    assert all(1 <= value <= 1000 for value in plain["log_int"])
    assert type(plain["int"]) is int
    assert type(plain["real"]) is float
    assert any(plain["choice"] is option for option in SPACE["choice"].options)
    again = decode(SPACE, encode(SPACE, params))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6), again, params)
    back = js.undescribe(SPACE, plain)
    assert js.describe(SPACE, back) == plain


@settings(max_examples=60, deadline=None)
@given(st.integers(-(10**6), 10**6), st.integers(1, 2 * 10**6), st.data())
def test_integers_round_trip_exactly(low, width, data):
    space = js.Int(low, low + width)
    value = data.draw(st.integers(low, low + width) | st.sampled_from([low, low + width]))
    assert int(js.decode(space, js.encode(space, value))) == value


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1000), st.integers(1, 10**4), st.data())
def test_log_integers_round_trip_exactly(low, width, data):
    space = js.Int(low, low + width, log=True)
    value = data.draw(st.integers(low, low + width) | st.sampled_from([low, low + width]))
    assert int(js.decode(space, js.encode(space, value))) == value


@pytest.mark.parametrize(
    ("low", "high", "log"), [(0, 2**24 - 1, False), (-(2**23), 2**23 - 1, False), (1, 10**5, True), (5, 10**5, True)]
)
def test_integers_round_trip_exactly_as_far_as_the_docstring_says(low, high, log):
    space = js.Int(low, high, log=log)
    values = np.unique(np.concatenate([np.linspace(low, high, 200_001).astype(int), high - np.arange(50_000)]))
    values = jnp.asarray(values, jnp.result_type(int))
    again = jax.jit(jax.vmap(lambda value: js.decode(space, js.encode(space, value))))(values)
    np.testing.assert_array_equal(again, values)


@pytest.mark.parametrize("log", [False, True])
def test_beyond_that_they_miss_by_no_more_than_it_says(log):
    space = js.Int(1, 2**31 - 2, log=log)
    values = np.geomspace(1, space.high, 100_001) if log else np.linspace(1, space.high, 100_001)
    values = jnp.asarray(values.astype(int), jnp.result_type(int))
    again = jax.jit(jax.vmap(lambda value: js.decode(space, js.encode(space, value))))(values)
    miss = np.abs(np.asarray(again, np.int64) - np.asarray(values, np.int64))
    most = np.maximum(np.asarray(values) * 2.0**-18, 1) if log else 64
    assert np.all(miss <= (most if jnp.result_type(float) == jnp.float32 else 0))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int8(100), 100),
        (np.uint8(200), 200),
        (np.uint32(4_000_000_000), 1000),
        (np.int64(-(2**62)), 0),
        (np.uint64(2**64 - 1), 1000),
        (2**70, 1000),
        (jnp.int8(100), 100),
        (jnp.uint8(200), 200),
        (jnp.uint32(4_000_000_000), 1000),
        (jnp.float32(7.2), 7),
        (999.0, 999),
    ],
    ids=repr,
)
def test_integers_of_every_type_are_encoded(value, expected):
    space = js.Int(0, 1000)
    assert int(decode(space, js.encode(space, value))) == expected
    if hasattr(value, "dtype"):
        assert int(decode(space, encode(space, value))) == expected
        several, array = js.Int(0, 1000, shape=(2,)), np.stack([np.asarray(value)] * 2)
        assert js.decode(several, js.encode(several, array)).tolist() == [expected] * 2


def test_plain_integers_are_exact_beyond_the_doubles():
    space, value = js.Int(2**60, 2**60 + 1000), 2**60 + 3
    with jax.enable_x64(True):
        assert js.describe(space, js.undescribe(space, value)) == value
        assert int(js.decode(space, js.encode(space, value))) == value
        with pytest.raises(ValueError, match="inside its bounds"):
            js.undescribe(space, 2**60 + 1001)


@pytest.mark.parametrize(
    ("space", "params", "message"),
    [
        (js.Float(0, 1, shape=(2,)), jnp.zeros(3), r"encode takes shape \(2,\).*; got shape \(3,\)"),
        (js.Int(0, 1, shape=(2,)), 1, r"encode takes shape \(2,\)"),
        (js.Int(0, 9), float("nan"), "encode takes decoded numbers for Int.*; got nan"),
        (js.Float(0, 9, shape=(2,)), jnp.array([1, jnp.nan]), "encode takes decoded numbers for Float"),
        (js.Choice("a", "b"), "b", "decoded numbers for Choice.*; got 'b'. Give what decode or undescribe returns"),
        (js.Float(0, 1), None, "decoded numbers"),
        (js.Switch(a={}, b={}), {"a": {}}, "Use undescribe for plain values"),
        ({"a": js.Float(0, 1)}, {"b": 1}, "structure of the space; got {'b': 1}"),
    ],
)
def test_what_cannot_be_encoded_is_refused(space, params, message):
    with pytest.raises(ValueError, match=message):
        js.encode(space, params)


@pytest.mark.parametrize("bounds", [(0, 999_999_999), (0, 33_554_435), (1, 2**31 - 1), (-(2**31), -2)])
@pytest.mark.parametrize("log", [False, True])
def test_very_many_integers_stay_inside(bounds, log):
    if not log or bounds[0] > 0:
        space = js.Int(*bounds, log=log)
        for x in (0.0, 0.5, 1.0):
            assert bounds[0] <= int(js.decode(space, jnp.array([x]))) <= bounds[1]


def draws(space, count=20_000, seed=0):
    return jax.jit(jax.vmap(lambda key: js.sample(key, space)))(jax.random.split(jax.random.key(seed), count))


def test_integers_and_choices_have_equal_shares():
    found = draws({"int": js.Int(-3, 3), "choice": js.Choice(*"abcde"), "switch": js.Switch(a={}, b={}, c={})})
    for values in (found["int"], found["choice"], found["switch"].index):
        counts = np.unique(np.asarray(values), return_counts=True)[1]
        assert stats.chisquare(counts).pvalue > 1e-3
    assert set(np.asarray(found["int"]).tolist()) == set(range(-3, 4))


def test_log_scales_are_log_uniform():
    found = draws({"log": js.Float(1e-4, 1e-1, log=True), "int": js.Int(1, 50, log=True)})
    log = np.log(np.asarray(found["log"], np.float64))
    assert stats.kstest(log, stats.uniform(np.log(1e-4), np.log(1e3)).cdf).pvalue > 1e-3
    value = np.arange(1, 51)
    expected = np.log((value + 0.5) / (value - 0.5)) / np.log(50.5 / 0.5)
    counts = np.bincount(np.asarray(found["int"]), minlength=51)[1:]
    assert stats.chisquare(counts, expected * counts.sum()).pvalue > 1e-3


def test_domain_describes_every_coordinate():
    domain = js.domain({"c": js.Choice("a", "b"), "f": js.Float(0, 1, shape=(2,)), "i": js.Int(1, 4)})
    assert domain.cardinality == (2, 0, 0, 4)
    assert domain.ordered == (False, True, True, True)


def test_active_follows_nested_switches():
    def plain(optimizer):
        return js.undescribe({"s": SPACE["switch"]}, {"s": optimizer})

    space = {"s": SPACE["switch"]}  # coordinates: branch, momentum, b1, inner branch, steps
    cases = [
        ({"sgd": {"momentum": 0.5}}, [True, True, False, False, False]),
        ({"adam": {"b1": 0.9, "inner": {"off": {}}}}, [True, False, True, True, False]),
        ({"adam": {"b1": 0.9, "inner": {"on": {"steps": 3}}}}, [True, False, True, True, True]),
    ]
    for optimizer, expected in cases:
        np.testing.assert_array_equal(js.active(space, js.encode(space, plain(optimizer))), expected)


def test_a_switch_offers_its_index_and_every_branch():
    space = SPACE["switch"]
    selected = js.decode(space, js.encode(space, js.undescribe(space, {"adam": {"b1": 0.9, "inner": {"off": {}}}})))
    assert int(selected.index) == 1
    assert float(selected["adam"]["b1"]) == pytest.approx(0.9, rel=1e-5)
    assert "momentum" in selected["sgd"]


def test_decode_is_differentiable_up_to_the_ends():
    space = {"a": js.Float(1.0, 2.0, log=True), "b": js.Float(-1.0, 3.0)}
    slope = jax.grad(lambda x: sum(js.decode(space, x).values()))
    np.testing.assert_allclose(slope(jnp.array([1.0, 0.0])), [2 * np.log(2), 4], rtol=1e-5)


def test_both_ends_are_met_to_the_last_bit():
    bounds = np.random.default_rng(0).normal(size=(500, 2)) * 10.0 ** np.random.default_rng(1).integers(-6, 6, (500, 2))
    low, high = jnp.asarray(np.sort(bounds, axis=1)).T
    ends = jax.jit(jax.vmap(lambda low, high: js.decode(js.Float(low, high, shape=(2,)), jnp.array([0.0, 1.0]))))
    np.testing.assert_array_equal(ends(low, high), jnp.stack([low, high], axis=1))


def test_bounds_are_leaves_that_vmap():
    lows = jnp.array([0.0, 1.0, 2.0])
    values = jax.vmap(lambda low: js.decode(js.Float(low, low + 1.0), jnp.array([0.5])))(lows)
    np.testing.assert_allclose(values, lows + 0.5)


def test_extreme_bounds_stay_finite():
    space = js.Float(1e-30, 1e30, log=True)
    np.testing.assert_allclose(js.decode(space, jnp.array([0.5])), 1.0, rtol=1e-4)
    assert js.describe(js.Float(0.0, 0.1), js.decode(js.Float(0.0, 0.1), jnp.array([1.0]))) == 0.1


def test_wrong_shapes_and_leaves_are_named():
    with pytest.raises(ValueError, match=r"needs shape \(2,\); got \(3,\)"):
        js.decode([js.Float(0, 1), js.Int(0, 1)], jnp.zeros(3))
    with pytest.raises(ValueError, match=r"space\['a'\]\[1\] is 3"):
        js.domain({"a": [js.Float(0, 1), 3]})


def test_dtypes_are_the_defaults():
    params = js.sample(jax.random.key(0), SPACE)
    assert params["real"].dtype == jnp.result_type(float)
    assert params["int"].dtype == jnp.result_type(int)
    assert params["choice"].dtype == jnp.int32
