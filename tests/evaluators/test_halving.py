import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.evaluators.halving import _rank_within


class Climb:
    """A training without networks: after e of 16 steps a candidate x has the loss `curve(x, e)`."""

    def __init__(self, curve=lambda x, e: x - 0.01 * e):
        self.curve = curve

    def init(self, key, space, count):
        return None

    def evaluate(self, key, state, space, candidates):
        return js.Results(self.curve(candidates.x[:, 0], 16)), state

    def horizon(self, space, x):
        return jnp.full(len(x), 16, jnp.int32)

    def order(self, space, x):
        return jnp.argsort(-x[:, 0])

    def begin(self, state, space, x):
        return jnp.zeros(len(x), jnp.int32), jnp.full(len(x), jnp.nan)

    def advance(self, state, space, x, members, budget):
        steps, loss = members
        trained = budget > steps
        steps = jnp.maximum(steps, budget)
        return steps, jnp.where(trained, self.curve(x[:, 0], steps), loss)

    def results(self, state, members):
        return js.Results(members[1], aux=members[0])


def halve(evaluator, x, **settings):
    halving = js.Halving(evaluator, **settings)
    run = jax.jit(lambda x: halving.evaluate(jax.random.key(0), None, js.Float(0, 1), js.Candidates(x[:, None]))[0])
    return run(jnp.asarray(x))


X = np.random.default_rng(0).permutation(np.arange(16) / 16).astype(np.float32)


def test_the_best_of_every_rung_go_on_and_keep_what_they_have():
    results = halve(Climb(), X, factor=4, num_rungs=3)
    rank = np.argsort(np.argsort(X))
    np.testing.assert_array_equal(results.aux, np.where(rank < 1, 16, np.where(rank < 4, 4, 1)))
    np.testing.assert_allclose(results.loss, X - 0.01 * np.asarray(results.aux), rtol=1e-6)


def test_nobody_wins_by_being_stopped():
    overfits = Climb(lambda x, e: x + 0.5 * (e == 16))  # the one that is trained in full gets worse for it
    results = halve(overfits, X, factor=4, num_rungs=3)
    final = float(np.min(X)) + 0.5
    assert np.argmin(X) == np.flatnonzero(results.aux == 16)[0]
    assert float(results.loss.min()) == pytest.approx(final)
    assert np.argmin(results.loss) == np.argmin(X)
    assert np.sum(results.loss == results.loss.min()) == 1
    np.testing.assert_allclose(results.loss, np.maximum(X, final), rtol=1e-6)


def test_failed_candidates_go_on_last_and_do_not_raise_the_others():
    fails = Climb(lambda x, e: jnp.where(x < 0.1, jnp.nan, x - 0.01 * e))
    results = halve(fails, X, factor=4, num_rungs=3)
    assert np.all(np.asarray(results.aux)[X < 0.1] == 1)
    assert np.isfinite(results.loss).sum() == np.sum(X >= 0.1)
    assert X[np.argmax(results.aux)] == np.min(X[X >= 0.1])
    everything = halve(Climb(lambda x, e: jnp.nan * x), X, factor=4, num_rungs=3)
    assert np.all(np.isnan(everything.loss))


def test_hyperband_spends_about_the_same_on_every_bracket():
    x = np.random.default_rng(1).random(120).astype(np.float32)
    halving = js.Halving(Climb(), factor=4, num_rungs=3, brackets=3)
    results = halve(Climb(), x, factor=4, num_rungs=3, brackets=3)
    bracket, steps = halving._bracket_of(120), np.asarray(results.aux)
    assert steps[bracket == 2].min() == 16
    assert steps[bracket == 1].min() == 4
    assert steps[bracket == 0].min() == 1
    # Those stopped paid less, those who went on paid once: the cost of a bracket is the sum of the last budgets.
    cost = np.array([steps[bracket == b].sum() for b in range(3)])
    assert cost.max() / cost.min() < 1.5
    assert results.loss.min() == pytest.approx(x[steps == 16].min() - 0.16, rel=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 17])
@pytest.mark.parametrize("settings", [{}, {"factor": 3, "num_rungs": 2}, {"brackets": 3}])
def test_every_size_of_a_population_works(count, settings):
    x = np.linspace(0, 0.9, count).astype(np.float32)
    if count < settings.get("brackets", 1):
        with pytest.raises(ValueError, match="needs a population of at least"):
            halve(Climb(), x, **settings)
        return
    results = halve(Climb(), x, **settings)
    assert np.all(np.isfinite(results.loss))
    assert np.max(results.aux) == 16


def test_ranks_within_brackets():
    loss = jnp.array([3.0, 1.0, jnp.nan, 2.0, 0.0, 1.0])
    alive = jnp.array([True, True, True, True, True, False])
    rank = _rank_within(loss, alive, jnp.array([0, 0, 0, 1, 1, 1]))
    assert rank.tolist() == [1, 0, 2, 1, 0, 6]


def test_it_searches_and_compiles_once():
    x = np.random.default_rng(0).normal(size=(120, 4)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
    model = js.models.MLP(4, 2, max_layers=2, max_width=16)
    evaluator = js.Halving(js.Training(model, (x, y), folds=2, epochs=32), factor=4, num_rungs=3)
    run = functools.partial(js.search, evaluator, model.space(), num_generations=3, progress=False)
    result = run(js.GA(population_size=16), key=jax.random.key(0))
    assert float(result.loss) < 0.3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"factor": 1}, "factor must be an integer of at least 2"),
        ({"num_rungs": 0}, "num_rungs must be"),
        ({"brackets": 4}, "brackets must be between 1 and num_rungs=3"),
        ({"evaluator": js.Vectorized(lambda key, x: x)}, "Only an evaluator that trains step by step.* got Vectorized"),
        ({"evaluator": lambda key, x: x}, "Only an evaluator that trains step by step"),
        ({"evaluator": js.Training}, "Only an evaluator that trains step by step.* got Training. Use Training"),
    ],
)
def test_mistakes_are_told_when_made(change, message):
    with pytest.raises(ValueError, match=message):
        js.Halving(**{"evaluator": Climb(), **change})
