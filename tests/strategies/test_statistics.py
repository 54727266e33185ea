"""Every strategy finds better points than random search with as many evaluations, by a sign test over many seeds."""

import functools
import itertools

import jax
import jax.numpy as jnp
import pytest
from scipy import stats

import jaxsearch as js
from jaxsearch.problems import functions
from jaxsearch.strategies import registry

SEEDS = 32


def mixed(key, params):
    distance = jnp.stack([*params["x"] - 1, params["n"] - 3.0])
    return jnp.sum(distance**2) + (params["c"] != 2)


def categorical(key, params):
    return jnp.sum(jnp.stack(params) != jnp.arange(len(params)), dtype=float)


PROBLEMS = {name: functions.load(name, 3)[:2] for name in ("rosenbrock", "rastrigin")} | {
    "mixed": (  # with a coordinate on which there is nothing to search
        {"x": js.Float(-5, 5, shape=(2,)), "n": js.Int(0, 20), "c": js.Choice(*"abcd"), "one": js.Choice("a")},
        mixed,
    ),
    "categorical": ([js.Choice(*"abcdefgh") for _ in range(6)], categorical),
}

NO_PROMISE = [
    *itertools.product(["random_search"], PROBLEMS),  # against itself
    ("gradient_search", "categorical"),  # there is no gradient
    ("local_search", "rastrigin"),  # a lattice of minima, each of which holds a chain of neighbours
    *itertools.product(["pbt"], ("rastrigin", "categorical")),  # it evaluates four points of five again
]
CASES = [case for case in itertools.product(registry, PROBLEMS) if case not in NO_PROMISE]


def bests(name, problem):
    """The best loss `[SEEDS, G]` so far after each generation, and the number of evaluations of each run."""
    (space, objective), strategy = PROBLEMS[problem], registry[name]()
    evaluator, domain = js.Vectorized(objective, gradients=name == "gradient_search"), js.domain(space)
    first = jax.eval_shape(lambda key: strategy.ask(key, strategy.init(key, domain))[0].x, jax.random.key(0))
    evaluations = 128 if name == "tpe" else 320  # TPE is for few and dear ones
    run = functools.partial(js.minimize, evaluator, space, strategy, num_generations=evaluations // len(first))
    keys = jax.random.split(jax.random.key(1), SEEDS)
    return jax.jit(jax.vmap(lambda key: run(key=key).history))(keys), evaluations


@functools.cache
def random_bests(problem, evaluations):
    history, most = bests("random_search", problem)
    return history[:, history.shape[1] * evaluations // most - 1]


@pytest.mark.parametrize(("name", "problem"), CASES)
def test_it_beats_random_search(name, problem):
    history, evaluations = bests(name, problem)
    ours, theirs = history[:, -1], random_bests(problem, evaluations)
    better, worse = int(jnp.sum(ours < theirs)), int(jnp.sum(ours > theirs))
    assert stats.binomtest(better, better + worse, alternative="greater").pvalue < 0.01, f"{better} to {worse}"
