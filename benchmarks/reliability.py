"""Does a search survive being killed, and what do records, checkpoints and progress cost?

Kills: a process of its own evaluates a million points and is killed by SIGKILL at random moments, again and again; then
it may end. Its trials and its result are compared, byte for byte, with those of a search that nobody killed, and the
memory of the processes is followed. Cost: a search whose generations take 50 ms, bare, and with archive, log of events,
checkpoints every second, and a progress bar on a terminal. Writes results/reliability.json.

    python benchmarks/reliability.py [--kills 200] [--evaluations 1000000] [--rounds 5]
"""

import argparse
import functools
import hashlib
import json
import os
import pty
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import recorder
import timing
from memory import resident

import jaxsearch as js

RESULT = Path(__file__).parent / "results" / "reliability.json"
POPULATION, DIMENSIONS = 1000, 10
SPACE = {"x": js.Float(-5, 5, shape=(DIMENSIONS,)), "kind": js.Choice("a", "b", "c")}


def sphere(key, params):
    return jnp.sum(params["x"] ** 2) + params["kind"] + 0.01 * jax.random.normal(key)


def child(directory: Path, evaluations: int) -> None:
    """One part of the search, in this process; says what it holds in memory after every generation."""
    memory = []
    begun = time.monotonic()

    def look(generation) -> None:
        memory.append(resident("VmRSS"))
        print(int(generation.number), flush=True)

    result = js.search(
        sphere,
        SPACE,
        js.DE(population_size=POPULATION),
        key=jax.random.key(0),
        max_evaluations=evaluations,
        checkpoint=js.Checkpoint(directory, generations=5),
        callback=[look, js.EventLog(directory / "events.jsonl")],
        progress=False,
    )
    archive = result.archive._replace(seconds=None)
    digest = hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves((archive, result.x))))
    kept = sum(leaf.nbytes for leaf in jax.tree.leaves(result.archive))
    part = {"memory": memory[:: max(len(memory) // 50, 1)], "archive": kept, "seconds": time.monotonic() - begun}
    print(json.dumps({"digest": digest.hexdigest(), "trials": len(archive.loss)} | part), flush=True)


def killed(directory: Path, evaluations: int, kills: int) -> dict:
    """A search that is killed so often, and what its last part says."""
    random, done, last, generations = np.random.default_rng(0), 0, 0, evaluations // POPULATION
    command = [sys.executable, __file__, "--child", str(directory), "--evaluations", str(evaluations)]
    lost = []
    while True:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        if done < kills:
            wanted = max((generations - last) // (2 * (kills - done)), 1)  # generations until the next kill, about
            for _ in range(random.integers(1, 2 * wanted + 1)):
                line = process.stdout.readline()
                if line.strip().isdigit():
                    last = int(line)
            time.sleep(random.uniform(0, 0.01))
            process.kill()
            rest, _ = process.communicate()
            if process.returncode >= 0:
                raise RuntimeError("The search ended before it was killed; give more evaluations or fewer kills.")
            last = max([last, *(int(number) for number in rest.split("\n")[:-1] if number.isdigit())])
            saved = max((int(path.stem.split("-")[1]) for path in directory.glob("state-*.npz")), default=0)
            lost.append(last - saved)
            done += 1
        else:
            output, _ = process.communicate()
            found = json.loads(output.splitlines()[-1])
            return found | {"kills": done, "lost": lost}


def cost(rounds: int) -> dict:
    """Seconds of the same search, bare and with everything that is kept and shown."""
    generations = 60

    def pause(params):  # a quarter of the 50 ms for each of four candidates; sleeping takes no core
        time.sleep(0.0125)
        return params["x"][0]

    search = functools.partial(
        js.search,
        js.Callback(pause),
        SPACE,
        js.GA(population_size=4),
        key=jax.random.key(0),
        num_generations=generations,
    )

    def everything() -> None:
        with tempfile.TemporaryDirectory() as directory, _Terminal():
            path = Path(directory)
            search(checkpoint=js.Checkpoint(path, seconds=1), callback=js.EventLog(path / "log"), progress=True)

    sides = {"bare": lambda: search(archive=False, progress=False), "everything": everything}
    times = {name: [] for name in sides}
    for round_ in range(rounds + 1):
        for name, run in sides.items():
            took = timing.seconds(run)
            if round_:  # the first compiles
                times[name].append(took)
    ratios = np.divide(times["everything"], times["bare"])
    return {
        "generations": generations,
        "seconds": {name: timing.spread(found) for name, found in times.items()},
        "ratio": timing.spread(ratios.tolist()),
    }


class _Terminal:
    """A terminal in place of the standard error, read by nobody in particular."""

    def __enter__(self):
        self._master, slave = pty.openpty()
        self._old = sys.stderr
        sys.stderr = os.fdopen(slave, "w")
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        try:
            while os.read(self._master, 65536):
                pass
        except OSError:
            pass

    def __exit__(self, *_):
        sys.stderr.close()
        sys.stderr = self._old
        self._reader.join()
        os.close(self._master)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--evaluations", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", type=Path, help="Run a part of the search in this process, and print.")
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.evaluations)
        return
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as parts:
        expected = killed(Path(whole), options.evaluations, 0)
        found = killed(Path(parts), options.evaluations, options.kills)
    kills = {
        "kills": found["kills"],
        "evaluations": found["trials"],
        "identical": found["digest"] == expected["digest"],
        "generations_to_repeat": {"median": float(np.median(found["lost"])), "most": max(found["lost"])},
        "archive_bytes": expected["archive"],
        "resident_bytes": expected["memory"],
    }
    print(kills, flush=True)
    result = {"about": recorder.about(), "kills": kills, "cost": cost(options.rounds)}
    print(result["cost"])
    options.result.write_text(recorder.compact(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
