import jax
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.evaluators import epochs

X, Y = np.zeros((40, 6), np.float32), np.arange(40) % 2
MODEL = js.models.MLP(6, 2, max_layers=2, max_width=64)


def planned(space, **options):
    return js.plan(js.Training(MODEL, (X, Y), folds=2, epochs=4, **options), jax.random.key(0), space, 12)


def test_networks_that_fill_their_arrays_waste_nothing():
    plan = planned({"learning_rate": js.Float(0, 1)}, chunk_size=3)
    assert (plan.num_chunks, plan.num_sizes) == (4, 1)
    assert plan.waste == pytest.approx(1)
    size = 6 * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2 + 6 * 2  # and a linear model
    assert plan.num_bytes == 3 * 2 * 3 * size * 4  # candidates, folds, weights and two moments
    assert "4 chunks" in str(plan)


def test_small_networks_in_large_arrays_waste_what_they_leave_empty():
    space = {"width": js.Choice(16, 64)}
    share = float(np.mean(jax.random.uniform(jax.random.split(jax.random.key(0))[0], (12, 1)) < 0.5))
    narrow, wide = (width * (6 + width + 2) for width in (16, 64))
    needed = share * narrow + (1 - share) * wide
    assert planned(space, chunk_size=1).waste == pytest.approx(wide / needed)
    assert planned(space, chunk_size=1, smaller=MODEL.smaller()).waste == pytest.approx(1)
    filled = planned(space, chunk_size=12, smaller=MODEL.smaller())  # a chunk of each size, filled up to twelve
    assert filled.waste == pytest.approx((narrow + wide) / needed)
    assert (filled.num_chunks, filled.num_sizes) == (2, 2)


def test_layers_that_a_chunk_does_not_have_are_no_waste():
    space = {"layers": js.Int(1, 2)}
    assert planned(space, chunk_size=1).waste == pytest.approx(1)
    assert planned(space, chunk_size=12).waste > 1.2


def test_the_default_network_wastes_little_at_a_few_sizes():
    model = js.models.MLP(64, 10)
    training = js.Training(model, (np.zeros((1437, 64), np.float32), np.arange(1437) % 10), chunk_size=1)
    smaller = js.Training(model, training.data, chunk_size=1, smaller=model.smaller())
    before, after = (js.plan(part, jax.random.key(0), model.space(), 256).waste for part in (training, smaller))
    assert before > 4
    assert after < 1.5


def test_what_cannot_be_planned_is_refused():
    network = js.models.Network(lambda key, params: 0.0, lambda *args: 0.0, lambda *args: 0.0)
    training = js.Training(MODEL, (X, Y))
    for wrong, kind in ((js.Training(network, (X, Y), folds=2), "Network"), (js.Halving(training), "Halving")):
        with pytest.raises(ValueError, match=f"bare Training of a model of jaxsearch; got a {kind}. "):
            js.plan(wrong, jax.random.key(0), {"learning_rate": js.Float(0, 1)})
    with pytest.raises(ValueError, match="num_candidates must be an integer of at least 1; got 0"):
        js.plan(training, jax.random.key(0), MODEL.space(), 0)
    with pytest.raises(ValueError, match="None of 12 candidates is within the limits"):
        planned(MODEL.space(), max_parameters=1)


def test_as_many_chunks_run_as_were_planned(monkeypatch):
    """Counted where a chunk of a training begins."""
    ran, run_chunk = [], epochs.run_chunk

    def counting(*arguments):
        jax.debug.callback(lambda: ran.append(1))
        return run_chunk(*arguments)

    monkeypatch.setattr(epochs, "run_chunk", counting)
    training = js.Training(MODEL, (X, Y), folds=2, epochs=1, chunk_size=3, smaller=MODEL.smaller())
    space, key = MODEL.space(), jax.random.split(jax.random.key(0))[0]
    x = jax.random.uniform(key, (12, js.domain(space).size))
    evaluate = jax.jit(
        lambda x: (
            training.evaluate(jax.random.key(0), training.init(jax.random.key(0), space, 12), space, js.Candidates(x))[
                0
            ].loss
        )
    )
    jax.block_until_ready(evaluate(x))
    jax.effects_barrier()
    assert len(ran) == js.plan(training, jax.random.key(0), space, 12).num_chunks
