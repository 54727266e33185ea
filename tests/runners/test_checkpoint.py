import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.runners.files import read

KEY = jax.random.key(3)
SPACE = {"x": js.Float(-2, 3, shape=(2,)), "kind": js.Choice("a", "b"), "rest": js.Switch(n={}, y={"z": js.Int(1, 9)})}


def bowl(key, params):
    return jnp.sum(params["x"] ** 2) + params["kind"] + params["rest"]["y"]["z"]


def search(checkpoint=None, generations=9, strategy=None, **arguments):
    strategy = strategy or js.GA(population_size=8)
    arguments = {"key": KEY} | arguments
    return js.search(bowl, SPACE, strategy, num_generations=generations, checkpoint=checkpoint, **arguments)


def same(one, other):
    """Bit for bit, but for the time that it took."""
    one, other = jax.tree.map(
        lambda part: part._replace(seconds=None) if isinstance(part, js.Archive) else part,
        (one, other),
        is_leaf=lambda part: isinstance(part, js.Archive),
    )
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def every(directory, **arguments):
    return js.Checkpoint(directory, generations=1, **arguments)


@pytest.mark.parametrize("strategy", [js.GA(population_size=8), js.CMAES(), js.Restart(js.PSO()), js.TPE()], ids=repr)
def test_a_search_in_parts_is_the_search_in_one(tmp_path, strategy):
    whole = search(strategy=strategy)
    for generations in (2, 3, 9):
        parts = search(every(tmp_path), generations, strategy)
    same((parts.archive, parts.history, parts.state, parts.x), (whole.archive, whole.history, whole.state, whole.x))
    assert parts.stopped == "generations"
    assert [len(column) for column in parts.trials().values()] == [int(whole.num_evaluations)] * len(whole.trials())


def test_a_search_that_has_ended_only_reads(tmp_path):
    whole = search(tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    same(search(tmp_path, callback=pytest.fail).archive, whole.archive)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")} == written


def test_a_target_and_a_time_limit_count_the_parts_before(tmp_path):
    search(every(tmp_path), 3)
    assert search(tmp_path, target=jnp.inf).stopped == "target"
    about, _ = read(tmp_path / "state-3.npz")
    assert search(tmp_path, time_limit=about["seconds"] / 2).stopped == "time"


def test_states_that_are_kept(tmp_path):
    search(every(tmp_path, keep=3), 7)
    assert sorted(path.name for path in tmp_path.glob("state-*")) == ["state-5.npz", "state-6.npz", "state-7.npz"]
    assert len(list(tmp_path.glob("trials-*"))) == 7
    (tmp_path / "state-7.npz").unlink()  # then the one before is the newest
    (tmp_path / "state-6.npz").unlink()
    same(search(tmp_path, 7).archive, search(generations=7).archive)


def test_what_a_killed_process_left_behind_does_not_count(tmp_path):
    search(every(tmp_path), 4)
    (tmp_path / ".state-5.npz.partial").write_bytes(b"half")
    (tmp_path / "trials-5-6.npz").write_bytes(b"never reached by a state")
    same(search(tmp_path).archive, search().archive)


def test_an_error_of_the_callback_loses_nothing(tmp_path):
    def fail(generation):
        if int(generation.number) == 5:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        search(js.Checkpoint(tmp_path, seconds=1e9), callback=fail)
    assert (tmp_path / "state-5.npz").exists()
    same(search(tmp_path).archive, search().archive)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategy": js.GA(population_size=8, crossover_index=7.0)}, "strategy.crossover_index was .* and is"),
        ({"strategy": js.DE(population_size=8)}, "strategy was 'GA' and is 'DE'|strategy was GA and is DE"),
        ({"key": jax.random.key(4)}, "key was"),
        ({"archive": False}, "archive was True and is False"),
    ],
)
def test_the_checkpoint_of_another_search_says_what_differs(tmp_path, change, message):
    search(tmp_path, 2)
    with pytest.raises(ValueError, match=message) as error:
        search(tmp_path, **change)
    assert "Give the arguments that it had, or use another directory." in str(error.value)


def test_another_space_objective_or_data_are_another_search(tmp_path):
    data = jax.tree_util.Partial(lambda data, key, params: jnp.sum(data) + params["x"], jnp.arange(3.0))
    js.search(data, {"x": js.Float(0, 1)}, js.PSO(), key=KEY, num_generations=1, checkpoint=tmp_path)
    other = jax.tree_util.Partial(data.func, jnp.arange(3.0) + 1)
    for objective, space, message in (
        (other, {"x": js.Float(0, 1)}, r"evaluator.objective.arguments\[0\] was float"),
        (data, {"x": js.Float(0, 2)}, r"space\['x'\].high was .*1.* and is .*2"),
        (lambda key, params: params["x"], {"x": js.Float(0, 1)}, "evaluator.objective.function was .*lambda"),
    ):
        with pytest.raises(ValueError, match=message):
            js.search(objective, space, js.PSO(), key=KEY, num_generations=1, checkpoint=tmp_path)


def test_damaged_files_are_refused_and_execute_nothing(tmp_path):
    search(every(tmp_path), 3)
    path = tmp_path / "state-3.npz"
    content, random = path.read_bytes(), np.random.default_rng(0)
    about, arrays = read(path)
    evil = np.array([print], object)
    np.savez(path, about=np.frombuffer(json.dumps(about).encode(), np.uint8), array_0=evil, allow_pickle=True)
    with pytest.raises(ValueError, match="damaged"):
        search(tmp_path)
    refused = 0
    for _ in range(60):
        changed = bytearray(content)
        for place in random.integers(0, len(content), 3):
            changed[place] ^= 1 << random.integers(8)
        path.write_bytes(bytes(changed[: random.integers(len(content) // 2, 2 * len(content))]))
        try:
            again_about, again = read(path)
            same((again, again_about["search"]), (arrays, about["search"]))  # else in a byte that nobody reads
        except ValueError as error:
            refused += str(path) in str(error)
    assert refused > 40


def test_a_disk_without_room_does_not_end_the_search(tmp_path, monkeypatch):
    from jaxsearch.runners import files

    replace = files.replace
    full = iter([False] + [True] * 5 + [False] * 100)

    def sometimes(path, content):
        if next(full):
            raise OSError(28, "No space left on device")
        replace(path, content)

    monkeypatch.setattr(files, "replace", sometimes)
    with pytest.warns(RuntimeWarning, match="No space left on device.*tries again; make room"):
        result = search(every(tmp_path))
    same(result.archive, search().archive)
    monkeypatch.undo()
    same(search(tmp_path, 12).archive, search(generations=12).archive)


def test_two_processes_in_one_directory(tmp_path):
    def nested(generation):
        with pytest.raises(ValueError, match=f"in use by process {os.getpid()}. Wait"):
            search(tmp_path)
        return True

    assert search(tmp_path, callback=nested).stopped == "callback"


def test_training_resumes_to_the_same_bits(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    training = js.Training(js.models.MLP(3, 2, max_layers=1, max_width=8), (x, (x[:, 0] > 0).astype(int)), folds=2)
    space = training.model.space()
    evaluator = js.Continued(dataclasses.replace(training, epochs=4))

    def run(generations, checkpoint=None):
        arguments = {"key": KEY, "num_generations": generations, "checkpoint": checkpoint}
        return js.search(evaluator, space, js.PBT(population_size=4), **arguments)

    run(2, every(tmp_path))
    same(run(4, tmp_path).archive, run(4).archive)


PROGRAM = """
import sys, time
import jax, numpy as np
import jaxsearch as js
space = {"x": js.Float(0, 1), "k": js.Choice("a", "b")}
def objective(params):
    time.sleep(.002)
    return params["x"] + (params["k"] == "a")
result = js.search(js.Callback(objective), space, js.GA(population_size=4), key=jax.random.key(0), num_generations=60,
                   checkpoint=js.Checkpoint(sys.argv[1], generations=3), callback=lambda g: print(g.number, flush=True))
np.savez(sys.argv[1] + "/result.npz", x=result.archive.x, loss=result.archive.loss, best=result.x)
print(result.stopped)
"""


def start(directory):
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(directory)], stdout=subprocess.PIPE, text=True)


def finished(directory):
    with np.load(directory / "result.npz") as file:
        return {name: file[name].tobytes() for name in file.files}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    directory = tmp_path_factory.mktemp("whole")
    process = start(directory)
    output, _ = process.communicate()
    assert output.split()[-1] == "generations"
    return finished(directory)


def test_a_killed_search_goes_on_to_the_same_bytes(tmp_path, uninterrupted):
    random, kills = np.random.default_rng(1), 0
    while not (tmp_path / "result.npz").exists():
        process = start(tmp_path)
        for _ in range(random.integers(1, 25)):
            process.stdout.readline()
        time.sleep(random.uniform(0, 0.02))
        if kills < 5:
            process.kill()
            kills += process.wait() == -signal.SIGKILL
        process.communicate()
    assert kills >= 3
    assert finished(tmp_path) == uninterrupted


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "interrupt"), (signal.SIGTERM, "terminate")])
def test_signals_end_the_generation_and_save(tmp_path, uninterrupted, number, name):
    process = start(tmp_path)
    for _ in range(10):
        process.stdout.readline()
    process.send_signal(number)
    *generations, stopped = process.communicate()[0].split()
    assert process.returncode == 0
    assert stopped == name
    assert (Path(tmp_path) / f"state-{generations[-1] if generations else 10}.npz").exists()
    start(tmp_path).communicate()
    assert finished(tmp_path) == uninterrupted
