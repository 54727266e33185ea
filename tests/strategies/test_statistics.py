"""Every strategy finds better points than random search with as many evaluations, by a sign test over many seeds.

Also if three evaluations in ten fail at random, for both.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import pytest
from jax.tree_util import Partial
from scipy import stats

import jaxsearch as js
from jaxsearch.problems import functions
from jaxsearch.strategies import registry

SEEDS = 96
# TPE is for few and dear ones; PBT evaluates most points again.
EVALUATIONS = {"tpe": 128, "pbt": 1280, "random_search": 1280}
FAILING = (0.0, 0.3)  # the share of evaluations whose loss is NaN


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


@functools.cache
def bests(name, problem):
    """The best loss `[FAILING, SEEDS, G]` so far after each generation, and the number of evaluations of each run."""
    (space, objective), strategy, domain = PROBLEMS[problem], registry[name](), js.domain(PROBLEMS[problem][0])
    state = jax.eval_shape(lambda key: strategy.init(key, domain), jax.random.key(0))
    first = jax.eval_shape(strategy.ask, jax.random.key(0), state)[0].x
    evaluations = EVALUATIONS.get(name, 320)

    def failing(share, key, params):
        return jnp.where(jax.random.bernoulli(key, share), jnp.nan, objective(key, params))

    @jax.jit
    @functools.partial(jax.vmap, in_axes=(0, None))
    @functools.partial(jax.vmap, in_axes=(None, 0))
    def run(share, key):
        evaluator = js.Vectorized(Partial(failing, share), gradients=name == "gradient_search")
        return js.minimize(evaluator, space, strategy, key=key, num_generations=evaluations // len(first)).history

    return run(jnp.array(FAILING), jax.random.split(jax.random.key(1), SEEDS)), evaluations


def random_bests(problem, evaluations):
    history, most = bests("random_search", problem)
    return history[..., history.shape[-1] * evaluations // most - 1]


@pytest.mark.parametrize("share", FAILING)  # neighbours in this order share what they compile
@pytest.mark.parametrize(("name", "problem"), CASES)
def test_it_beats_random_search(name, problem, share):
    history, evaluations = bests(name, problem)
    row = FAILING.index(share)
    ours, theirs = history[row, :, -1], random_bests(problem, evaluations)[row]
    better, worse = int(jnp.sum(ours < theirs)), int(jnp.sum(ours > theirs))
    assert stats.binomtest(better, better + worse, alternative="greater").pvalue < 0.01, f"{better} to {worse}"
