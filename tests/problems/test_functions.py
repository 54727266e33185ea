import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

import jaxsearch as js
from jaxsearch.problems import functions

NAMES = list(functions.FUNCTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_the_known_minimum_is_there_and_nothing_is_lower(name):
    space, _, optimum = functions.load(name, None if functions.FUNCTIONS[name].dimensions[1] else 5)
    best = np.broadcast_to(np.asarray(functions.FUNCTIONS[name].minimizer, float), space.shape)
    with jax.enable_x64(True):
        formula = jax.jit(functions.FUNCTIONS[name].formula)

        def f(x):
            return float(formula(jnp.asarray(x)))

        assert abs(f(best) - optimum) < 1e-6
        # Whatever a local method finds from the known point and from others is not lower.
        bounds = [(space.low, space.high)] * len(best)
        for start in (best, *np.random.default_rng(0).uniform(space.low, space.high, (4, *space.shape))):
            assert minimize(f, start, bounds=bounds).fun > optimum - 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_every_function_says_what_it_is(name):
    assert inspect.getdoc(functions.FUNCTIONS[name].formula)
    assert functions.FUNCTIONS[name].formula.__name__ == name


def test_a_problem_is_what_minimize_takes():
    space, objective, optimum = functions.load("rastrigin", dimension=3)
    loss = js.minimize(objective, space, js.DE(), key=jax.random.key(0), num_generations=200).loss
    assert optimum <= loss < 1e-3


def test_dimensions_that_a_function_does_not_have():
    assert functions.load("hartmann6").space.shape == (6,)
    for name, dimension, rule in (
        ("rosenbrock", 1, "at least 2"),
        ("branin", 3, "exactly 2"),
        ("sphere", 0, "least 1"),
    ):
        with pytest.raises(ValueError, match=rule):
            functions.load(name, dimension)
    with pytest.raises(ValueError, match="Did you mean rastrigin"):
        functions.load("rastrigen")
