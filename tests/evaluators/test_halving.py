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
    steps = np.where(rank < 1, 16, np.where(rank < 4, 4, 1))
    np.testing.assert_array_equal(results.aux["epochs"], steps)
    np.testing.assert_array_equal(results.aux["aux"], steps)
    np.testing.assert_array_equal(np.max(results.aux["curve_epochs"], axis=1), steps)
    np.testing.assert_allclose(results.loss, X - 0.01 * steps, rtol=1e-6)


def test_the_loss_of_each_is_its_best_measurement_of_any_rung():
    """Whoever is trained in full gets worse for it: its early optimum wins, with the steps that it had then."""
    overfits = Climb(lambda x, e: x + 0.01 * (e - 4) ** 2)
    results = halve(overfits, X, factor=4, num_rungs=3)
    curve, steps = np.asarray(results.aux["curve"]), np.asarray(results.aux["curve_epochs"])
    np.testing.assert_array_equal(np.isnan(curve), steps == 0)
    np.testing.assert_allclose(curve, np.where(steps > 0, X[:, None] + 0.01 * (steps - 4) ** 2, np.nan), rtol=1e-6)
    np.testing.assert_array_equal(results.loss, np.nanmin(curve, axis=1))
    best = int(np.argmin(X))
    assert steps[best].tolist() == [1, 4, 16]
    assert np.argmin(results.loss) == best
    assert results.aux["epochs"][best] == 4
    # What else was measured is of the same measurement.
    np.testing.assert_array_equal(results.aux["aux"][best], 4)


def test_promotion_is_by_the_losses_of_the_rung_alone():
    """Candidates that were ahead in the first rung and fell behind in the second do not go on."""
    rank = np.argsort(np.argsort(X))
    turns = Climb(lambda x, e: jnp.where(e == 1, x, 1 - x))
    results = halve(turns, X, factor=4, num_rungs=3)
    reached = np.max(results.aux["curve_epochs"], axis=1)
    assert np.flatnonzero(reached == 16) == np.flatnonzero(rank == 3)
    np.testing.assert_allclose(results.loss, np.minimum(X, np.where(rank < 4, 1 - X, 1)), rtol=1e-6)


def test_of_equal_measurements_the_last_counts():
    level = Climb(lambda x, e: x + 0.0 * e)
    results = halve(level, X, factor=4, num_rungs=3)
    np.testing.assert_array_equal(results.aux["epochs"], np.max(results.aux["curve_epochs"], axis=1))


def test_failed_candidates_go_on_last_and_one_that_fails_late_keeps_what_it_was():
    fails = Climb(lambda x, e: jnp.where(x < 0.1, jnp.nan, x - 0.01 * e))
    results = halve(fails, X, factor=4, num_rungs=3)
    steps = np.asarray(results.aux["epochs"])
    assert np.all(steps[X < 0.1] == 1)
    assert np.isfinite(results.loss).sum() == np.sum(X >= 0.1)
    assert X[np.argmax(steps)] == np.min(X[X >= 0.1])
    everything = halve(Climb(lambda x, e: jnp.nan * x), X, factor=4, num_rungs=3)
    assert np.all(np.isnan(everything.loss))
    assert np.all(np.asarray(everything.aux["epochs"]) > 0)
    late = halve(Climb(lambda x, e: jnp.where(e == 16, -jnp.inf, x)), X, factor=4, num_rungs=3)
    np.testing.assert_array_equal(late.loss, X)
    assert np.max(late.aux["epochs"]) == 4
    first = halve(Climb(lambda x, e: jnp.where(x > 0.9, -jnp.inf, x)), X, factor=4, num_rungs=3)
    assert np.all(np.asarray(first.aux["epochs"])[X > 0.9] == 1), "log(0) is no reason to go on"


def test_hyperband_spends_about_the_same_on_every_bracket():
    x = np.random.default_rng(1).random(120).astype(np.float32)
    halving = js.Halving(Climb(), factor=4, num_rungs=3, brackets=3)
    results = halve(Climb(), x, factor=4, num_rungs=3, brackets=3)
    bracket, steps = halving._bracket_of(120), np.asarray(results.aux["epochs"])
    assert steps[bracket == 2].min() == 16
    assert steps[bracket == 1].min() == 4
    assert steps[bracket == 0].min() == 1
    # Those stopped paid less, those who went on paid once: the cost of a bracket is the sum of the last budgets.
    cost = np.array([steps[bracket == b].sum() for b in range(3)])
    assert cost.max() / cost.min() < 1.5
    assert results.loss.min() == pytest.approx(x[steps == 16].min() - 0.16, rel=1e-5)
    first = np.argmax(np.asarray(results.aux["curve_epochs"]) > 0, axis=1)
    np.testing.assert_array_equal(first, bracket)


def test_the_best_of_hyperband_is_the_best_measurement_of_any_bracket():
    x = np.random.default_rng(1).random(120).astype(np.float32)
    results = halve(Climb(lambda x, e: x + 0.05 * e), x, factor=4, num_rungs=3, brackets=3)
    curve = np.asarray(results.aux["curve"])
    np.testing.assert_array_equal(results.loss, np.nanmin(curve, axis=1))
    first = np.argmax(~np.isnan(curve), axis=1)  # each is best before it was trained any further
    np.testing.assert_array_equal(results.aux["epochs"], np.array([1, 4, 16])[first])


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
    assert np.max(results.aux["epochs"]) == 16


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
    trials = result.trials()
    folds = np.stack([trials["folds[0]"], trials["folds[1]"]], axis=1)
    np.testing.assert_allclose(trials["loss"], folds.mean(axis=1), rtol=1e-6)
    curves = np.stack([trials[f"curve[{rung}]"] for rung in range(3)], axis=1)
    epochs = np.stack([trials[f"curve_epochs[{rung}]"] for rung in range(3)], axis=1)
    np.testing.assert_array_equal(np.max(np.where(epochs == trials["epochs"][:, None], curves, -1), 1), trials["loss"])
    error = np.std(folds, axis=1, ddof=1) / np.sqrt(2)
    left = 2 - np.argmax(epochs == trials["epochs"][:, None], axis=1)
    assert len(np.unique(left)) > 1
    np.testing.assert_allclose(trials["adjusted_loss"], trials["loss"] + left * error, rtol=1e-5)
    best = int(np.argmin(trials["adjusted_loss"]))
    assert float(result.loss) == trials["loss"][best]
    assert int(result.aux["epochs"]) == trials["epochs"][best]
    np.testing.assert_array_equal(result.aux["folds"], folds[best])


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
