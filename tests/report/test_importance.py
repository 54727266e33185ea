import numpy as np
import pytest
from archives import SPACE, archive, uniform

import jaxsearch as js
from jaxsearch.report import importance

CUBE = {name: js.Float(0, 1) for name in "abcd"}


def shares(loss, space, count, seed, **options):
    x = uniform(count, space, seed)
    return importance(archive(loss(x), x), space, **options)


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_recovered_in_their_order(seed):
    weights = np.array([8, 4, 1.5, 0])
    found = shares(lambda x: np.abs(x - 0.5) @ weights, CUBE, 1000, seed)
    assert sorted(found, key=lambda name: -found[name]) == list("abcd")
    assert sum(found.values()) == pytest.approx(1)
    assert found["d"] < 0.01


@pytest.mark.parametrize("count", [60, 300, 3000])
def test_what_does_not_matter_gets_nothing_on_average_however_few_the_trials(count):
    found = [shares(lambda x: (x[:, 0] - 0.3) ** 2, CUBE, count, seed) for seed in range(10)]
    assert np.mean([[one[name] for name in "bcd"] for one in found]) < 0.03
    assert min(one["a"] for one in found) > 0.75


def test_losses_of_pure_noise_divide_at_random():
    found = [shares(lambda x: np.arange(len(x)) * 0.7 % 1, CUBE, 200, seed) for seed in range(20)]
    assert np.all(np.mean([list(one.values()) for one in found], axis=0) < 0.5)


def test_the_variance_is_that_of_the_chance_to_be_among_the_best():
    # A choice of two with chances 0.4 and 0.1, and one of two with 0.25 + d: the variances are 0.15^2 and d^2.
    space = {"a": js.Choice(0, 1), "b": js.Choice(0, 1)}
    a, b = np.arange(2000) % 2, np.arange(2000) // 2 % 2
    chance = 0.25 + 0.15 * (1 - 2 * a) + 0.05 * (1 - 2 * b)
    loss = np.where(np.random.default_rng(0).permutation(2000) / 2000 < chance, 0.0, 1.0)
    found = importance(archive(loss, np.stack([a, b], 1) / 2 + 0.25), space, share=0.2)
    assert found["a"] == pytest.approx(0.15**2 / (0.15**2 + 0.05**2), abs=0.06)


def test_any_increasing_function_of_the_loss_gives_the_same():
    x = uniform(200, CUBE)
    loss = (x[:, 0] - 0.4) ** 2 + 0.1 * x[:, 1]
    assert importance(archive(loss, x), CUBE) == importance(archive(np.exp(3 * loss), x), CUBE)


def test_a_choice_and_a_log_scaled_integer_and_a_branch_count():
    def loss(x):
        sgd, momentum = x[:, 1] < 0.5, x[:, 2]
        return np.where(sgd, np.abs(momentum - 0.2), 1 + 0.001 * x[:, 3])

    found = shares(loss, SPACE, 1500, 0)
    # The chance to be among the best tenth is 0.2 with sgd, else 0: a variance of 0.01 between the branches. With sgd,
    # in half of the trials, it is 1 for a fifth of the momenta, else 0: a variance of 0.16 there.
    assert found["optimizer"] == pytest.approx(0.01 / (0.01 + 0.16 / 2), abs=0.03)
    assert found["optimizer.sgd.momentum"] == pytest.approx(0.08 / (0.01 + 0.16 / 2), abs=0.03)
    assert max(found[name] for name in found if not name.startswith("optimizer")) < 0.02
    assert found["optimizer.adam.b1"] == 0
    units = shares(lambda x: np.abs(x[:, 5] - 0.9) + 0.2 * (x[:, 0] > 0.6), SPACE, 1500, 1)
    assert units["units"] > units["activation"] > 0.02 > units["rate"]


def test_what_makes_trials_fail_matters():
    found = shares(lambda x: np.where(x[:, 0] > 0.3, np.inf, x[:, 1]), CUBE, 600, 0)
    assert found["a"] > 0.1
    assert found["a"] + found["b"] > 0.95


@pytest.mark.parametrize("loss", [[1.0], [np.inf] * 9, [2.0] * 9])
def test_nothing_can_be_told(loss):
    assert set(importance(archive(loss), SPACE).values()) == {0.0}


def test_a_share_out_of_range_says_what_to_do():
    with pytest.raises(ValueError, match=r"share must lie between 0 and 1; got 1\. Try"):
        importance(archive([1.0]), SPACE, share=1)


def test_ties_are_all_among_the_best():
    x = uniform(300, CUBE)
    loss = np.where(x[:, 0] < 0.4, 0.0, 1.0)  # more than a tenth, in no order
    assert importance(archive(loss, x), CUBE)["a"] > 0.97
