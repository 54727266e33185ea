"""An objective that refers to something else than before is another objective."""

import functools
import logging
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.runners.snapshot import snapshot

SPACE = js.Float(-1.0, 1.0)
TARGET = 0.25  # changed by a test
ARRAY = np.array([0.25])
project = types.ModuleType("project")
project.settings = types.ModuleType("settings")
project.__file__ = project.settings.__file__ = "project.py"  # as of modules that the user wrote, not installed


class Model:
    """Has a method that is an objective."""

    def __init__(self, target):
        self.settings = {"targets": [target]}

    def loss(self, key, x):
        return (x - self.settings["targets"][0]) ** 2


def found(objective, run=js.minimize, **settings):
    strategy = js.GA(population_size=4)
    result = run(objective, SPACE, strategy, key=jax.random.key(0), num_generations=25, **settings)
    return float(result.params)


def by_global(key, x):
    return (x - TARGET) ** 2


def by_array(key, x):
    return jnp.sum((x - ARRAY) ** 2)


def through_another(key, x):
    return by_global(key, x) + 1


def change_global(value):
    global TARGET
    TARGET = value


def change_array(value):
    ARRAY[0] = value


def closure():
    target = 0.25

    def objective(key, x):
        return (x - target) ** 2

    def change(value):
        nonlocal target
        target = value

    return objective, change


def method():
    model = Model(0.25)
    return model.loss, lambda value: model.settings["targets"].__setitem__(0, value)


def bound():
    target = np.array([0.25])

    def objective(target, key, x):
        return jnp.sum((x - target) ** 2)

    return functools.partial(objective, target), lambda value: target.__setitem__(0, value)


def bound_to_another():
    return functools.partial(scaled, 2.0), change_global


def scaled(scale, key, x):
    return scale * by_global(key, x)


def by_module(key, x):
    return (x - project.settings.target) ** 2


def change_module(value):
    project.settings.target = value


CASES = {
    "global": lambda: (by_global, change_global),
    "array in place": lambda: (by_array, change_array),
    "through another": lambda: (through_another, change_global),
    "closure": closure,
    "method": method,
    "bound array": bound,
    "bound function": bound_to_another,
    "module": lambda: (by_module, change_module),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("run", [js.minimize, functools.partial(js.search, progress=False)], ids=["minimize", "search"])
def test_what_has_changed_counts(case, run):
    objective, change = CASES[case]()
    for target in (0.25, -0.5):
        change(target)
        assert found(objective, run) == pytest.approx(target, abs=0.03)


def test_what_has_not_changed_compiles_nothing(compilations):
    objective, change = closure()
    change(0.5)
    data = jnp.ones(3)
    partial = functools.partial(scaled, 2.0)
    objectives = (objective, partial, by_array, lambda key, x: objective(key, x) + data.sum(), js.Chunked(by_array, 2))
    for one in objectives:
        found(one)
    compilations()
    for one in objectives:
        found(one)
    assert compilations() == 0


def test_a_logger_is_not_looked_into():
    logger = logging.getLogger("one")
    before = snapshot(lambda key, x: logger.debug("x") or x)
    logging.getLogger("another, made later").debug("x")
    assert before == snapshot(before.function)


def test_it_ends_however_much_there_is():
    endless = []
    endless.append(endless)
    many = list(range(10**6))
    one = snapshot(lambda key, x: (endless, many, x))
    assert len(one.contents) < 100
    assert hash(one) == hash(snapshot(one.function))
    assert one == snapshot(one.function) != snapshot(lambda key, x: x)
    assert snapshot(jnp.sum) is jnp.sum
