import numpy as np

import jaxsearch as js
from jaxsearch.report.importance import importance
from jaxsearch.report.one_budget import at_one_budget
from jaxsearch.report.parameters import best_trial
from jaxsearch.runners.archive import Archive

SPACE = {"a": js.Float(0, 1), "b": js.Float(0, 1)}


def halved(num_trials=64, seed=0):
    """Trials of `Halving` with 3 rungs: early it is `a` that counts, and later `b`, and losses fall by training."""
    x = np.random.default_rng(seed).random((num_trials, 2))
    early, late = x[:, 0], x[:, 1] - 2
    epochs = np.zeros((num_trials, 3), np.int32)
    epochs[:, 0] = 4
    order = np.argsort(early)
    epochs[order[: num_trials // 4], 1] = 16
    epochs[order[: num_trials // 16], 2] = 64
    curve = np.where(epochs > 0, np.stack([early, late, late - 1], axis=1), np.nan)
    aux = {"epochs": epochs.max(axis=1), "curve": curve, "curve_epochs": epochs}
    return Archive(np.ones(num_trials, np.int32), x, np.nanmin(curve, axis=1), aux=aux)


def test_halved_trials_are_seen_where_all_of_them_were_measured():
    archive = halved()
    seen = at_one_budget(archive)
    np.testing.assert_array_equal(seen.loss, archive.x[:, 0])
    assert seen.there.all()
    assert seen.words == "after 4 epochs, which all 64 trials reached"
    # The best trial of the search is another one: that which was trained in full.
    assert best_trial(archive) == np.argmin(archive.loss) != np.argmin(seen.loss)
    shares = importance(archive, SPACE)
    assert shares["a"] > 0.9, "by the losses of all budgets, those that went on would count as the best"


def test_the_largest_budget_that_half_of_them_reached():
    archive = halved()
    epochs = np.array(archive.aux["curve_epochs"])
    epochs[:40, 1] = 16
    curve = np.where(epochs > 0, np.nan_to_num(archive.aux["curve"]), np.nan)
    curve[:, 2] = np.where(epochs[:, 2] > 0, np.inf, np.nan)
    seen = at_one_budget(archive._replace(aux={"curve": curve, "curve_epochs": epochs}))
    np.testing.assert_array_equal(seen.there, epochs[:, 1] > 0)
    count = int(seen.there.sum())
    assert seen.words == f"after 16 epochs, which {count} of 64 trials reached"
    np.testing.assert_array_equal(seen.loss[seen.there], curve[seen.there, 1])


def test_epochs_of_their_own_and_models_beyond_the_limits():
    archive = halved(4)
    epochs = np.array([[1, 4, 16], [2, 0, 0], [0, 0, 0], [3, 0, 0]])
    curve = np.where(epochs > 0, 0.5, np.nan)
    seen = at_one_budget(archive._replace(aux={"curve": curve, "curve_epochs": epochs}))
    assert seen.words == "after 1 to 3 epochs, the same share of all, which all 3 trials reached"
    np.testing.assert_array_equal(seen.loss, [0.5, 0.5, np.inf, 0.5])
    assert seen.there.all()


def test_where_trials_go_on_the_last_generation_counts_and_no_other():
    generation = np.repeat(np.arange(1, 4), 5).astype(np.int32)
    loss = np.linspace(1, 0, 15)
    aux = {"epochs": generation * 2}
    archive = Archive(generation, np.random.default_rng(0).random((15, 2)), loss, aux=aux)
    alone = at_one_budget(archive)  # without origins the epochs are a matter of the space
    assert alone.there.all()
    assert alone.words == ""
    seen = at_one_budget(archive._replace(origin=np.tile(np.arange(5), 3)))
    np.testing.assert_array_equal(seen.there, generation == 3)
    assert seen.words == "after 6 epochs, which 5 of 15 trials reached"


def test_every_other_archive_stays_as_it_is():
    archive = Archive(np.ones(3, np.int32), np.zeros((3, 2)), np.array([1.0, np.nan, 2.0]))
    seen = at_one_budget(archive)
    np.testing.assert_array_equal(seen.loss, [1, np.inf, 2])
    assert (seen.there.all(), seen.words) == (True, "")
    assert best_trial(archive) == 0
    assert best_trial(archive._replace(adjusted_loss=np.array([3.0, np.inf, 2.0]))) == 2
