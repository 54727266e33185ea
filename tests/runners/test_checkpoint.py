import contextlib
import dataclasses
import errno
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.core.pytree import pytree
from jaxsearch.runners.archive import restored
from jaxsearch.runners.files import read, write

SPACE = {"x": js.Float(-2, 3, shape=(2,)), "kind": js.Choice("a", "b"), "rest": js.Switch(n={}, y={"z": js.Int(1, 9)})}


def bowl(key, params):
    return jnp.sum(params["x"] ** 2) + params["kind"] + params["rest"]["y"]["z"]


def search(checkpoint=None, generations=9, strategy=None, **arguments):
    strategy = strategy or js.GA(population_size=8)
    arguments = {"key": jax.random.key(3)} | arguments
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


def test_an_exhausted_space_stays_exhausted(tmp_path):
    def search(**arguments):
        space, strategy = {"k": js.Choice(1, 2, 3)}, js.GA(population_size=4)
        return js.search(
            lambda key, p: 1.0 * p["k"], space, strategy, key=jax.random.key(3), num_generations=50, **arguments
        )

    whole = search()
    assert whole.stopped == "exhausted"
    for callback in ((), pytest.fail):
        parts = search(checkpoint=tmp_path, callback=callback)
        assert parts.stopped == "exhausted"
        same(parts.archive, whole.archive)


def test_states_that_are_kept(tmp_path):
    search(every(tmp_path, keep=3), 7)
    assert sorted(path.name for path in tmp_path.glob("state-*")) == ["state-5.npz", "state-6.npz", "state-7.npz"]
    assert len(list(tmp_path.glob("trials-*"))) == 7
    (tmp_path / "state-7.npz").unlink()  # then the one before is the newest
    (tmp_path / "state-6.npz").unlink()
    same(search(tmp_path, 7).archive, search(generations=7).archive)


def test_what_a_killed_process_left_behind_does_not_count(tmp_path):
    search(every(tmp_path), 4)
    (tmp_path / ".state-99.npz.partial").write_bytes(b"half")
    (tmp_path / "trials-5-6.npz").write_bytes(b"never reached by a state")
    same(search(tmp_path).archive, search().archive)
    assert not list(tmp_path.glob(".*"))


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
    js.search(data, {"x": js.Float(0, 1)}, js.PSO(), key=jax.random.key(3), num_generations=1, checkpoint=tmp_path)
    other = jax.tree_util.Partial(data.func, jnp.arange(3.0) + 1)
    for objective, space, message in (
        (other, {"x": js.Float(0, 1)}, r"evaluator.objective.arguments\[0\] was float"),
        (data, {"x": js.Float(0, 2)}, r"space\['x'\].high was .*1.* and is .*2"),
        (lambda key, params: params["x"], {"x": js.Float(0, 1)}, "evaluator.objective.function was .*lambda"),
    ):
        with pytest.raises(ValueError, match=message):
            js.search(objective, space, js.PSO(), key=jax.random.key(3), num_generations=1, checkpoint=tmp_path)


def test_damaged_files_are_refused_and_execute_nothing(tmp_path):
    search(every(tmp_path), 3)
    path = tmp_path / "state-3.npz"
    content, random = path.read_bytes(), np.random.default_rng(0)
    about, arrays = read(path)
    evil = np.array([print], object)
    np.savez(path, about=np.frombuffer(json.dumps(about).encode(), np.uint8), array_0=evil, allow_pickle=True)
    with pytest.raises(ValueError, match="damaged"):
        search(tmp_path)
    path.write_bytes(b"what NumPy takes for a pickle")
    with pytest.raises(ValueError, match="it is no NPZ file. Restore it"):
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


@pytest.mark.parametrize(
    ("name", "about", "arrays"),
    [
        ("state-3.npz", {}, [np.zeros(3)]),
        ("state-3.npz", {"search": {}, "seconds": 1.0}, []),
        ("state-3.npz", {"search": {}, "seconds": 1.0}, [np.zeros(2)]),
        ("trials-3-3.npz", {}, [np.zeros(8)]),
        ("trials-3-3.npz", {"names": [".x"]}, [np.zeros((8, 6))]),
        ("trials-3-3.npz", {"names": None}, [np.zeros((8, 2))] * 5),
    ],
)
def test_whole_files_of_something_else_are_damaged_too(tmp_path, name, about, arrays):
    search(every(tmp_path), 3)
    (names, _), path = read(tmp_path / "trials-2-2.npz"), tmp_path / name
    write(path, {key: value or names["names"] for key, value in about.items()}, arrays)
    with pytest.raises(ValueError, match="is damaged.*delete it and all newer files"):
        search(tmp_path, 3)
    for one in (path, tmp_path / "state-3.npz"):
        one.unlink(missing_ok=True)
    (tmp_path / "state-0.npz").touch()  # of no search
    (tmp_path / "trials-3-2.npz").touch()
    same(search(tmp_path, 3).archive, search(generations=3).archive)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"directory": True}, "directory must be a path; got True"),
        ({"generations": 0}, "generations must be an integer of at least 1; got 0"),
        ({"keep": None}, "keep must be an integer of at least 1; got None"),
        ({"seconds": "30"}, "seconds must be at least 0; got '30'"),
        ({"seconds": float("nan")}, "seconds must be at least 0"),
        ({"seconds": None}, "needs generations or seconds"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(ValueError, match=message):
        js.Checkpoint(**{"directory": "here"} | arguments)


def test_a_file_system_that_neither_locks_nor_syncs_directories(tmp_path, monkeypatch):
    def refuses(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    def sync(file, real=os.fsync):
        refuses() if stat.S_ISDIR(os.fstat(file).st_mode) else real(file)

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", refuses)
        patched.setattr(os, "fsync", sync)
        search(every(tmp_path), 2)
    same(search(tmp_path).archive, search().archive)


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
        arguments = {"key": jax.random.key(3), "num_generations": generations, "checkpoint": checkpoint}
        return js.search(evaluator, space, js.PBT(population_size=4), **arguments)

    run(2, every(tmp_path))
    same(run(4, tmp_path).archive, run(4).archive)


@pytree
class Adds:
    """An evaluator whose state and trials are of all kinds of types."""

    def init(self, key, space, count):
        return 1.5, {name: jnp.ones(2, name) for name in ("bfloat16", "float8_e5m2", "int4")}

    def evaluate(self, key, state, space, candidates):
        x, (step, arrays) = candidates.x, state
        aux = {name: x.astype(one.dtype) for name, one in arrays.items()} | {"key": jax.random.split(key, len(x))}
        arrays = {name: one + one for name, one in arrays.items()}
        arrays["bfloat16"] *= step  # float32 if step were an array and not a Python number
        return js.Results(x[:, 0], aux=aux | {"deep": {"sum": jnp.sum(x, axis=1)}}), (step, arrays)


def test_types_that_numpy_does_not_know_and_keys(tmp_path):
    space = {"x": js.Float(0, 1, shape=(2,))}

    def run(generations, checkpoint=None):
        strategy, limits = js.RandomSearch(4), {"num_generations": generations, "checkpoint": checkpoint}
        return js.search(Adds(), space, strategy, key=jax.random.key(3), **limits)

    run(2, every(tmp_path))
    parts, whole = run(4, tmp_path), run(4)
    same(parts.archive, whole.archive)
    assert {name: part.dtype.name for name, part in parts.archive.aux.items() if name != "deep"} == {
        "bfloat16": "bfloat16", "float8_e5m2": "float8_e5m2", "int4": "int4", "key": "uint32",
    }  # fmt: skip
    assert list(restored(tmp_path).table(space)) == list(whole.trials())


# Runs a search for every directory that it is told, in a process that is forked when Python and JAX are there.
SERVER = """
import os, sys, time
import jax, numpy as np
import jaxsearch as js

space = {"x": js.Float(0, 1), "k": js.Choice("a", "b")}

def objective(params):
    time.sleep(.001)
    while os.path.exists("hold"):  # as long as the test likes
        time.sleep(.001)
    return params["x"] + (params["k"] == "a")

def hold(generation):
    if int(generation.number) == 9 and os.path.exists("hold after 9"):
        os.rename("hold after 9", "hold")

def run(directory):
    os.chdir(directory)
    found = js.search(js.Callback(objective), space, js.GA(population_size=4), num_generations=200, callback=hold,
                      key=jax.random.key(0), checkpoint=js.Checkpoint(directory, generations=1))
    np.savez(directory + "/result.npz", x=found.archive.x, loss=found.archive.loss, best=found.x, stopped=found.stopped)

for line in sys.stdin:
    if not (child := os.fork()):
        run(line.strip())
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("cache")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    command, pipes = [sys.executable, "-c", SERVER], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, bufsize=1, env=os.environ | cache, **pipes) as process:
        yield process
        process.stdin.close()


def start(server, directory):
    """The number of a process that searches there; what it ends with is the server's next line."""
    server.stdin.write(f"{directory}\n")
    return int(server.stdout.readline())


def finished(directory):
    with np.load(directory / "result.npz") as file:
        return {name: file[name].tobytes() for name in file.files}


@pytest.fixture(scope="module")
def uninterrupted(server, tmp_path_factory):
    directory = tmp_path_factory.mktemp("whole")
    start(server, directory)
    assert int(server.stdout.readline()) == 0
    return finished(directory)


def test_a_killed_search_goes_on_to_the_same_bytes(server, tmp_path, uninterrupted):
    random = np.random.default_rng(1)
    for kill in range(30):
        before, process = set(tmp_path.glob("state-*.npz")), start(server, tmp_path)
        if kill % 3 == 0:  # at any moment from the first on
            time.sleep(random.uniform(0, 0.7))
        else:  # while it searches and saves
            while set(tmp_path.glob("state-*.npz")) == before and not (tmp_path / "result.npz").exists():
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.01))
        with contextlib.suppress(ProcessLookupError):  # it has ended, on a fast machine
            os.kill(process, signal.SIGKILL)
        if (code := int(server.stdout.readline())) == 0:
            break
        assert code == -signal.SIGKILL
    assert kill >= 5
    start(server, tmp_path)
    assert int(server.stdout.readline()) == 0
    assert finished(tmp_path) == uninterrupted


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "interrupt"), (signal.SIGTERM, "terminate")])
def test_signals_end_the_generation_and_save(server, tmp_path, uninterrupted, number, name):
    (tmp_path / "hold after 9").touch()
    process = start(server, tmp_path)
    while not (tmp_path / "hold").exists():
        time.sleep(0.002)
    os.kill(process, number)
    (tmp_path / "hold").unlink()
    assert int(server.stdout.readline()) == 0
    with np.load(tmp_path / "result.npz") as file:
        assert file["stopped"] == name
        assert (tmp_path / f"state-{len(file['loss']) // 4}.npz").exists()
    start(server, tmp_path)
    assert int(server.stdout.readline()) == 0
    assert finished(tmp_path) == uninterrupted
