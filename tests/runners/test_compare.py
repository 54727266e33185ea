import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import jaxsearch as js
from jaxsearch.runners.significance import holm, sign_test

SPACE = js.Float(-1, 1, shape=(4,))


def sphere(key, x):
    return jnp.sum((x - 0.3) ** 2)


def noisy(key, x):
    return sphere(key, x) + 0.1 * jax.random.normal(key)


def test_the_sign_test_is_that_of_scipy():
    for wins, losses in itertools.product(range(12), range(12)):
        expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
        assert sign_test(wins, losses) == pytest.approx(expected, rel=1e-12)
    assert sign_test(300, 700) == pytest.approx(stats.binomtest(300, 1000).pvalue, rel=1e-9)


def test_holm_is_the_closed_test_of_bonferroni():
    """A hypothesis falls when Bonferroni's test rejects every intersection that it belongs to."""
    for seed in range(20):
        p = np.random.default_rng(seed).random(5) ** 3
        subsets = [list(s) for n in range(1, 6) for s in itertools.combinations(range(5), n)]
        closed = [min(1, max(len(s) * min(p[s]) for s in subsets if i in s)) for i in range(5)]
        np.testing.assert_allclose(holm(p), closed)


def test_equals_are_called_different_as_rarely_as_promised():
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(400):
        losses = random.standard_cauchy((4, 32, 1))
        alarms += np.any(js.Comparison(tuple("abcd"), losses, np.ones(4, int)).p_values <= 0.05)
    assert stats.binomtest(int(alarms), 400, 0.05, alternative="greater").pvalue > 0.001


@pytest.fixture(scope="module")
def race():
    strategies = {"swarm": js.PSO(), "genes": js.GA(), "covariance": js.CMAES(), "chance": js.RandomSearch(30)}
    return js.compare(sphere, SPACE, strategies, key=jax.random.key(0), num_seeds=24, max_evaluations=400, target=0.01)


def test_strategies_that_learn_beat_random_search(race):
    assert race.names == ("swarm", "genes", "covariance", "chance")
    assert race.best == "covariance"
    for learner in range(3):
        assert race.p_values[learner, 3] < 0.001
        assert race.wins[learner, 3] > 20
    assert "chance" not in race.as_good
    assert race.order[-1] == 3


def test_all_are_compared_after_the_same_number_of_evaluations(race):
    np.testing.assert_array_equal(race.num_evaluations, [392, 400, 400, 390])  # 14, 8, 8 and 30 at a time
    assert race.evaluations == 390
    assert race.curves.shape == (4, 24, 390)
    assert np.all(np.diff(race.curves, axis=2) <= 0)
    np.testing.assert_array_equal(race.losses, race.curves[..., -1])


def test_a_run_is_that_of_minimize_with_the_same_key(race):
    for i in (0, 17):
        key = jax.random.split(jax.random.key(0), 24)[i]
        alone = js.minimize(sphere, SPACE, js.PSO(), key=key, num_generations=27)
        np.testing.assert_allclose(race.curves[0, i, 13::14], alone.history, rtol=1e-3, atol=1e-6)


def test_statistics_of_the_final_losses(race):
    np.testing.assert_allclose(race.median, np.median(race.losses, axis=1))
    assert np.all((race.quartiles[:, 0] <= race.median) & (race.median <= race.quartiles[:, 1]))
    for one, other in itertools.permutations(range(4), 2):
        assert race.wins[one, other] == sum(a < b for a, b in zip(race.losses[one], race.losses[other], strict=True))
    assert race.won.sum() == pytest.approx(2)
    raw = [stats.binomtest(int(race.wins[pair]), 24).pvalue for pair in itertools.combinations(range(4), 2)]
    np.testing.assert_allclose(race.p_values[np.triu_indices(4, 1)], holm(raw))


def test_evaluations_to_the_target(race):
    spent = race.evaluations_to_target
    for run, count in zip(race.curves.reshape(-1, 390), spent.reshape(-1), strict=True):
        assert count == next((i + 1 for i, loss in enumerate(run) if loss <= np.float32(0.01)), np.inf)
    assert np.isfinite(spent[2]).all()
    assert np.isfinite(spent[3]).sum() < 12


def test_the_table_says_who_is_as_good_as_the_best(race):
    lines = str(race).splitlines()
    assert "after 390 evaluations, 24 seeds" in lines[0]
    assert [line.split()[0] for line in lines[2:6]] == [race.names[i] for i in race.order]
    assert lines[2].endswith("best")
    assert "worse, p = " in lines[5]
    assert "100%" in lines[2]
    assert lines[6].startswith("Best: covariance; ")


@pytest.mark.parametrize("objective", [sphere, noisy])
def test_identical_strategies_are_never_different(objective):
    same = {"one": js.PSO(), "other": js.PSO(), "third": js.PSO(inertia=0.7213)}
    result = js.compare(objective, SPACE, same, key=jax.random.key(0), num_seeds=10, max_evaluations=60)
    assert not result.wins.any()
    assert np.all(result.p_values == 1)
    assert result.as_good == ("other", "third")
    assert "not distinguishable from it: other, third" in str(result)


def test_failures_are_ties_and_print():
    def never(key, x):
        return jnp.nan * sphere(key, x)

    result = js.compare(
        never, SPACE, [js.GA(), js.RandomSearch(8)], key=jax.random.key(0), num_seeds=7, max_evaluations=20, target=0
    )
    assert np.all(np.isinf(result.losses))
    assert np.all(result.p_values == 1)
    assert result.names == ("GA", "RandomSearch")
    assert "inf to inf" in str(result)


def test_names_stand_for_strategies():
    def go(strategies):
        return js.compare(sphere, SPACE, strategies, key=jax.random.key(0), num_seeds=2, max_evaluations=40)

    named = go(["auto", "pso"])
    given = go({"chosen": js.choose(SPACE, 40).strategy, "swarm": js.PSO()})
    assert named.names == ("auto", "pso")
    np.testing.assert_array_equal(named.curves, given.curves)


def test_other_keys_and_hyperparameters_compile_nothing(compilations):
    def go(seed, inertia):
        strategies = [js.PSO(inertia=inertia), js.Restart(js.GA())]
        return js.compare(sphere, SPACE, strategies, key=keys[seed], num_seeds=3, max_evaluations=30)

    keys = [jax.random.key(seed) for seed in range(2)]
    assert go(0, 0.7).names == ("PSO", "Restart(GA)")
    assert compilations() > 0
    go(1, 0.5)
    assert compilations() == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategies": [js.PSO()]}, "at least two strategies; got 1"),
        ({"strategies": js.PSO()}, "must be a dict or a list"),
        ({"strategies": [js.GA(), js.GA(parents=50)]}, "a name of its own; GA comes 2 times. Give a dict"),
        ({"strategies": [js.GA(), js.PSO]}, "Pass an instance"),
        ({"strategies": [js.GA, js.PSO]}, "Pass an instance"),
        ({"strategies": [js.GA(), "pos"]}, "Unknown strategy 'pos'. Did you mean pso"),
        ({"strategies": ["pso", "pso"]}, "a name of its own; pso comes 2 times. Give a dict"),
        ({"max_evaluations": 13}, "14 candidates of PSO; got 13"),
        ({"max_evaluations": 2.5}, "max_evaluations must be an integer"),
        ({"num_seeds": 1}, "num_seeds must be an integer of at least 2; got 1"),
        ({"space": {}}, "at least one dimension"),
    ],
)
def test_mistakes(change, message):
    arguments = {"strategies": [js.GA(), js.PSO()], "space": SPACE, "num_seeds": 2, "max_evaluations": 20} | change
    run = functools.partial(
        js.compare, sphere, arguments.pop("space"), arguments.pop("strategies"), key=jax.random.key(0)
    )
    with pytest.raises(ValueError, match=message):
        run(**arguments)


def test_a_target_that_was_not_given():
    result = js.Comparison(("a", "b"), np.ones((2, 6, 1)), np.ones(2, int))
    with pytest.raises(ValueError, match="needs a target; got None"):
        _ = result.evaluations_to_target
