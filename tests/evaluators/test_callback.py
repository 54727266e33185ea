"""Functions that fail, hang or return what is no loss."""

import threading
from decimal import Decimal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js

SPACE = {"n": js.Int(0, 3), "c": js.Choice("a", "b")}
POINTS = js.Candidates(jnp.array([[0.2, i / 4 + 0.1] for i in range(4)], jnp.result_type(float)))


def losses(function, **settings):
    """The losses of n = 0, 1, 2 and 3."""
    return js.Callback(function, **settings).evaluate(jax.random.key(0), None, SPACE, POINTS)[0].loss


def search(function, **settings):
    evaluator, strategy = js.Callback(function, **settings), js.RandomSearch(8)
    return js.search(evaluator, SPACE, strategy, key=jax.random.key(0), num_generations=2, repeat=True, progress=False)


def test_one_real_number_of_any_type():
    values = [True, np.float32(2), jnp.asarray(3), Decimal("0.5")]
    np.testing.assert_array_equal(losses(lambda p: values[p["n"]]), [1, 2, 3, 0.5])
    values = [np.array(-1), np.bool_(False), np.int8(7), 10**30]
    np.testing.assert_allclose(losses(lambda p: values[p["n"]]), [-1, 0, 7, 1e30], rtol=1e-6)


def test_no_infinity_wins_and_a_loss_of_any_size_is_no_failure():
    values = [float("-inf"), float("inf"), float("nan"), -1e300]
    found = losses(lambda p: values[p["n"]])
    np.testing.assert_array_equal(np.isnan(found), [True, True, True, False])
    assert -np.inf < found[3] < -1e38
    result = search(lambda p: values[p["n"] % 3] if p["n"] else 5.0)
    assert float(result.loss) == 5
    assert int(result.num_failed) > 0


WRONG = {
    "None": None,
    "'0.5'": "0.5",
    "b'1'": b"1",
    "[0.5]": [0.5],
    "array([1., 2.])": np.array([1.0, 2.0]),
    "array([1.])": np.array([1.0]),
    "1j": 1j,
    "array(0.+1.j)": np.array(1j),
    "{'loss': 1}": {"loss": 1},
    str(10**400)[:50]: 10**400,
}


@pytest.mark.parametrize("shown", WRONG)
def test_anything_else_ends_the_search_whatever_is_caught(shown):
    def wrong(params):
        return WRONG[shown]

    with pytest.raises(Exception, match="must return one real number") as error:
        losses(wrong, catch=(Exception,))
    assert f"got {shown}" in str(error.value)
    assert "Return e.g. float(loss)" in str(error.value)


@pytest.mark.parametrize("time_limit", [None, 60])
def test_the_exception_of_a_function_is_what_one_reads(time_limit):
    def broken(params):
        raise ZeroDivisionError(f"nothing to divide by in {params['c']}")

    with pytest.raises(Exception, match="ZeroDivisionError: nothing to divide by in [ab]"):
        search(broken, time_limit=time_limit)
    assert int(search(broken, time_limit=time_limit, catch=(ArithmeticError,)).num_failed) == 16


def test_a_call_that_hangs_has_failed_and_the_search_goes_on():
    forever = threading.Event()

    def hangs(params):
        return forever.wait() if params["n"] == 2 else params["n"] + 1.0

    # So long that no other call takes it, on a machine that does much else.
    np.testing.assert_array_equal(losses(hangs, time_limit=2.0), [1, 2, np.nan, 4])
    forever.set()  # lets the thread end


def test_without_a_limit_there_is_no_thread():
    seen = set()
    losses(lambda p: seen.add(threading.current_thread().daemon) or 1.0, time_limit=60)
    assert seen == {True}
    before = threading.active_count()
    losses(lambda p: seen.add(threading.active_count()) or 1.0)
    assert seen - {True} == {before} or before in seen


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), "3", True, 1e300])
def test_limits_are_checked(limit):
    with pytest.raises(ValueError, match="time_limit must be more than 0 seconds; got .*Leave it out"):
        js.Callback(len, time_limit=limit)


@pytest.mark.parametrize("catch", [ValueError, [ValueError], ("ValueError",), (int,), (KeyboardInterrupt,), None])
def test_what_to_catch_is_checked(catch):
    with pytest.raises(ValueError, match="catch must be a tuple of exceptions; got "):
        js.Callback(len, catch=catch)


@pytest.mark.parametrize("strategy", [js.GA(), js.LocalSearch()], ids=["population", "one by one"])
@pytest.mark.parametrize("base", [1e9, -1e9])
def test_losses_that_float32_cannot_tell_apart_are_told_apart(strategy, base):
    objective = js.Callback(lambda x: base + 1e3 * (x - 0.3) ** 2)
    arguments = {"key": jax.random.key(0), "progress": False, "max_evaluations": 160}
    result = js.search(objective, js.Float(-1, 1), strategy, patience=100, **arguments)
    assert float(result.params) == pytest.approx(0.3, abs=0.01)
    loss = result.trials()["loss"]
    assert loss.dtype == np.float64
    exact = base + 1e3 * (np.asarray(result.trials()["value"]) - 0.3) ** 2
    np.testing.assert_allclose(loss - base, exact - base, atol=1e-3)
    assert float(result.loss) == np.asarray(base, result.loss.dtype)


def test_the_best_is_the_lowest_double():
    values = [1e9, 1e9 - 2, 1e9 - 1, np.inf]
    objective = js.Callback(lambda params: values[params["n"]])
    result = js.minimize(objective, SPACE, js.RandomSearch(32), key=jax.random.key(0), num_generations=1)
    assert js.describe(SPACE, result.params)["n"] == 1
