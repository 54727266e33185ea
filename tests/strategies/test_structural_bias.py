"""Where searches end when there is nothing to find: the loss is noise, the same everywhere.

The best point of a run on noise should lie anywhere with equal probability; where it does not, the strategy itself
prefers some places. Reference: Kononova, Corne, De Wilde, Shneer, Caraffini, Structural bias in population-based
algorithms, Information Sciences, 2015.
"""

import functools

import jax
import numpy as np
import pytest
from scipy import stats

import jaxsearch as js
from jaxsearch.strategies import registry

SPACE = {"c": js.Choice(*"abcd"), "n": js.Int(0, 4), "x": js.Float(0, 1, shape=(2,))}
CATEGORY, INTEGER, REALS = 0, 1, (2, 3)
STRATEGIES = {name: make() for name, make in registry.items()} | {
    "sobol": js.RandomSearch(sobol=True),
    "tpe": js.TPE(memory=50, samples=4),  # at a twenty-fourth of the cost
}
# They draw every start uniformly and move a real by steps that keep a uniform density uniform.
UNIFORM = ["random_search", "sobol", "local_search", "gradient_search"]
# The error of the whole file, over all strategies and coordinates (Bonferroni).
LEVEL = 0.01 / (len(STRATEGIES) * 6)


def noise(key, params):
    return jax.random.uniform(key) + 0 * params["n"]


def best_points(name, seeds=2000):
    """The best points `[seeds, D]` of as many runs."""
    strategy, domain, evaluations = STRATEGIES[name], js.domain(SPACE), 50 if name == "tpe" else 200
    state = jax.eval_shape(lambda key: strategy.init(key, domain), jax.random.key(0))
    first = jax.eval_shape(strategy.ask, jax.random.key(0), state)[0].x
    evaluator = js.Vectorized(noise, gradients=name == "gradient_search")
    run = functools.partial(js.minimize, evaluator, SPACE, strategy, num_generations=evaluations // len(first))
    return np.asarray(jax.jit(jax.vmap(lambda key: run(key=key).x))(jax.random.split(jax.random.key(0), seeds)), float)


def counts(x, cells):
    return np.bincount(np.minimum(x * cells, cells - 1).astype(int), minlength=cells)


def equal_sides(found):
    """The p-value of the hypothesis that a point is as likely in a cell as in its mirror image."""
    half = len(found) // 2
    left, right = found[:half], found[::-1][:half]
    return stats.chi2.sf(np.sum((left - right) ** 2 / np.maximum(left + right, 1)), half)


@pytest.mark.parametrize("name", STRATEGIES)
def test_noise_leads_nowhere(name):
    x = best_points(name)
    # True of every strategy, since the names of categories and the direction of an axis mean nothing.
    assert stats.chisquare(counts(x[:, CATEGORY], 4)).pvalue > LEVEL
    for found in (counts(x[:, INTEGER], 5), *(counts(x[:, real], 10) for real in REALS)):
        assert equal_sides(found) > LEVEL
    for real in REALS:
        if name in UNIFORM:
            assert stats.kstest(x[:, real], "uniform").pvalue > LEVEL
        else:
            # CMAES starts its mean in [0.1, 0.9], recombination contracts towards the middle, clipping and truncation
            # hold points near a face. Still no tenth of the range has less than half or more than twice its share.
            share = counts(x[:, real], 10) / len(x) * 10
            assert np.all((share > 0.5) & (share < 2)), share
