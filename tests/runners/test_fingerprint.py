import functools
import types

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxsearch as js
from jaxsearch.runners.fingerprint import differences, fingerprint


def test_parts_are_told_by_name():
    found = fingerprint({"strategy": js.Restart(js.PSO(population_size=7))}, "search")
    assert found["search['strategy']"] == "Restart"
    assert found["search['strategy'].strategy.population_size"] == "7"


def test_equal_things_have_equal_texts_and_different_ones_do_not():
    def objective(key, params):
        return params

    things = [
        lambda: js.Switch(a={}, b={"x": js.Float(0, 1)}),
        lambda: js.Switch(a={}, b={"x": js.Float(0, 2)}),
        lambda: js.Choice("a", 1),
        lambda: js.Choice("a", 1.0),
        lambda: js.Choice("a", print),
        lambda: np.arange(3),
        lambda: jnp.arange(3),
        lambda: jnp.arange(3.0),
        lambda: jax.random.key(1),
        lambda: jax.random.key(1, impl="rbg"),
        lambda: functools.partial(objective, 1),
        lambda: functools.partial(objective, 2),
        lambda: objective,
        lambda: eqx.nn.Linear(2, 3, key=jax.random.key(0)),
        lambda: eqx.nn.Linear(2, 3, key=jax.random.key(1)),
        lambda: object(),
        lambda: float("nan"),
        lambda: b"bytes",
    ]
    texts = [fingerprint(thing(), "x") for thing in things]
    assert texts == [fingerprint(thing(), "x") for thing in things]
    same = [(i, j) for i in range(len(texts)) for j in range(i) if not differences(texts[i], texts[j])]
    assert same in ([], [(6, 5)])  # NumPy's integers are wider, unless JAX has 64 bits


def test_functions_are_told_by_their_code():
    one, other, again = (lambda x: x + 1), (lambda x: x + 2), (lambda x: x + 1)
    assert fingerprint(one, "f") == fingerprint(again, "f") != fingerprint(other, "f")
    assert fingerprint(jax.jit(one), "f") == fingerprint(jax.jit(again), "f") != fingerprint(jax.jit(other), "f")
    one, other, again = (lambda x, y=1: y), (lambda x, y=2: y), (lambda x, y=1: y)
    assert fingerprint(one, "f") == fingerprint(again, "f") != fingerprint(other, "f")
    one, other = (types.MethodType(function, 3) for function in (one, other))
    assert fingerprint(one, "f") == fingerprint(again, "f") != fingerprint(other, "f")
    assert " at 0x" not in str(fingerprint(lambda: lambda y: y, "f"))


def test_what_a_partial_binds_is_told_behind_the_wrapper_of_jax():
    def of(data, function):
        return fingerprint(jax.tree_util.Partial(functools.partial(function, data)), "f")

    one, other = (lambda data, x: x + 1), (lambda data, x: x + 2)
    data = np.zeros(5000)  # of which a text shows the ends alone
    changed = np.where(np.arange(5000) == 2500, 1.0, data)
    assert of(data, one) == of(data.copy(), one)
    assert of(data, one) != of(changed, one)
    assert of(data, one) != of(data, other)


def test_sets_are_told_by_their_content():
    code = (lambda x: x in {3, 11}).__code__

    def with_set(*members):
        constants = [frozenset(members) if isinstance(part, frozenset) else part for part in code.co_consts]
        return types.FunctionType(code.replace(co_consts=tuple(constants)), {}), set(members)

    # These have the order of insertion, as 3 and 11 collide; that of texts differs from process to process.
    assert list({3, 11}) != list({11, 3})
    assert fingerprint(with_set(3, 11), "x") == fingerprint(with_set(11, 3), "x") != fingerprint(with_set(3, 12), "x")


def test_differences_say_what_was_and_what_is():
    saved, current = {"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}
    assert differences(saved, current) == ["b was 2 and is 3", "c was absent and is 4"]
