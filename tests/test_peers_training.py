"""What the benchmarks' peers of model search share draws from the whole space and learns from training rows only."""

from pathlib import Path

import jax
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "benchmarks")


def test_draws_reach_both_ends_and_every_option():
    from peers_training import SPACE, draw

    state = np.random.RandomState(0)  # what scikit-learn passes
    drawn = {name: [draw(dimension, state) for _ in range(2000)] for name, dimension in SPACE.items()}
    assert np.bincount(drawn["layers"])[1:] == pytest.approx([667, 667, 667], abs=100)
    assert (min(drawn["width"]), max(drawn["width"])) == (8, 128)
    assert np.mean(np.array(drawn["width"]) <= 31) == pytest.approx(0.5, abs=0.05)  # the middle of 7.5 to 128.5, log
    assert 1e-3 <= min(drawn["learning_rate"]) < 1.1e-3
    assert 2.7e-2 < max(drawn["learning_rate"]) <= 3e-2
    for name in ("activation", "batch_size"):
        assert set(drawn[name]) == set(SPACE[name])


def test_scaling_is_that_of_the_training_rows():
    from peers_training_jax import scaled

    values = np.random.default_rng(0).normal(3, 2, (40, 3)).astype(np.float32)
    values[:, 2] = 5.0
    held_out = np.arange(40) % 4 == np.arange(4)[:, None]
    found, divisor = scaled(values, held_out)
    for fold in range(4):
        rows = found[fold][~held_out[fold]]
        np.testing.assert_allclose(rows.mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(rows.std(0), [1, 1, 0], atol=1e-5)
        deviation = values[~held_out[fold]].std(0)
        np.testing.assert_allclose(divisor[fold], np.where(deviation > 0, deviation, 1), rtol=1e-5)


@jax.numpy_rank_promotion("allow")  # people write x @ w + b
def test_a_network_in_jax_learns_what_there_is_and_does_not_see_the_held_out_rows():
    from peers_training_jax import jax_loss

    random = np.random.default_rng(0)
    x, folds = random.normal(size=(400, 4)).astype(np.float32), np.arange(400, dtype=np.int32) % 4
    params = {"layers": 1, "width": 16, "activation": "relu", "batch_size": 32}
    params |= {"learning_rate": 0.03, "weight_decay": 1e-4}
    assert jax_loss(x, (x[:, 0] > 0).astype(np.int32), folds, 10)(params, 0) < 0.1
    noise = random.integers(0, 2, 400, dtype=np.int32)
    assert jax_loss(x, noise, folds, 10)(params, 0) == pytest.approx(0.5, abs=0.1)
    linear = (1000 + 50 * x[:, 0]).astype(np.float32)
    assert jax_loss(x, linear, folds, 10)(params, 0) < 15  # in the target's unit
