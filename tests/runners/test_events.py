import json

import jax
import jax.numpy as jnp
import pytest

import jaxsearch as js


def sphere(key, params):
    return jnp.where(params["x"] < 0.5, jnp.nan, params["x"])


def search(log, generations=3):
    strategy, key = js.RandomSearch(10), jax.random.key(0)
    return js.search(sphere, {"x": js.Float(0, 1)}, strategy, key=key, num_generations=generations, callback=[log])


def test_a_line_for_every_generation(tmp_path):
    log = js.EventLog(tmp_path / "log.jsonl")
    result = search(log)
    log.write("mine", note="done")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines == js.events(tmp_path / "log.jsonl")
    *generations, mine = lines
    assert [line["generation"] for line in generations] == [1, 2, 3]
    assert [line["evaluations"] for line in generations] == [10, 20, 30]
    assert sum(line["failed"] for line in generations) == int(result.num_failed) > 0
    assert [line["best_loss"] for line in generations] == pytest.approx(result.history.tolist())
    assert mine["note"] == "done"
    assert generations[0]["time"] <= generations[1]["time"]


def test_a_score_stands_beside_the_loss(tmp_path):
    log = js.EventLog(tmp_path / "log.jsonl", lambda loss: 1 - loss)
    search(log, 1)
    js.search(
        lambda key, p: jnp.nan, {"x": js.Float(0, 1)}, "ga", key=jax.random.key(0), num_generations=1, callback=log
    )
    first, failed = js.events(tmp_path / "log.jsonl")
    assert first["best_score"] == 1 - first["best_loss"]
    assert failed["best_score"] is None


def test_nothing_found_yet_is_null_and_a_torn_line_is_left_alone(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"event": "generation", "generat')
    log = js.EventLog(path)
    js.search(
        lambda key, p: jnp.nan, {"x": js.Float(0, 1)}, "ga", key=jax.random.key(0), num_generations=1, callback=log
    )
    (line,) = js.events(path)
    assert line["best_loss"] is None


def test_a_log_that_cannot_be_written_warns_once(tmp_path):
    with pytest.warns(RuntimeWarning, match="could not be written.*Make room") as warned:
        search(js.EventLog(tmp_path / "no" / "log.jsonl"))
    assert len(warned) == 1
