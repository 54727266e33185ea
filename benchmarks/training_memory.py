"""Is the memory of a model search bounded by the chunk, and the same in every generation?

For several chunk sizes: what `plan` says of a chunk, what XLA sets aside for the whole search (`jaxsearch.memory`), and
after every generation of a search that runs the bytes of all arrays that are alive and the resident set of the process.
Writes results/training_memory.json. The resident set is read from /proc, which only Linux has.

    python benchmarks/training_memory.py [--chunks 1 8 64] [--generations 10]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import jax
import recorder
import training_data
from memory import resident

import jaxsearch as js

RESULT = Path(__file__).parent / "results" / "training_memory.json"
POPULATION = 64


def training(chunk_size: int) -> js.Training:
    model = js.models.MLP(64, 10)
    return js.Training(model, training_data.load("digits"), epochs=2, chunk_size=chunk_size, smaller=model.smaller())


def generations(chunk_size: int, count: int) -> dict:
    """Bytes after each generation, in this process."""
    evaluator, alive, sets = training(chunk_size), [], []

    def look(generation) -> None:
        jax.block_until_ready(generation.state)
        alive.append(sum(array.nbytes for array in jax.live_arrays()))
        sets.append(resident("VmRSS"))

    strategy = js.GA(population_size=POPULATION)
    key, total = jax.random.key(0), count * POPULATION
    js.search(
        evaluator, evaluator.model.space(), strategy, key=key, max_evaluations=total, callback=look, progress=False
    )
    return {"arrays": alive, "resident": sets}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--generations", type=int, default=10)
    parser.add_argument("--one", type=int, help="Run one chunk size in this process, and print.")
    options = parser.parse_args()
    if options.one:
        print(recorder.compact(generations(options.one, options.generations)))
        return
    cells = {}
    for chunk_size in options.chunks:
        evaluator = training(chunk_size)
        space = evaluator.model.space()
        plan = js.plan(evaluator, jax.random.key(0), space, POPULATION)
        peak = js.memory(evaluator, space, js.GA(population_size=POPULATION)).peak
        command = [sys.executable, __file__, "--one", str(chunk_size), "--generations", str(options.generations)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        cells[chunk_size] = {"plan": plan._asdict(), "peak": peak, **json.loads(done.stdout)}
        print(chunk_size, cells[chunk_size], flush=True)
    result = {"about": recorder.about(), "population": POPULATION, "chunks": cells}
    RESULT.write_text(recorder.compact(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
