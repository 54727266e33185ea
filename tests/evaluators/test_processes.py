"""Two processes with two devices each search together."""

import json
import os
import re
import socket
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

import jaxsearch as js

SECONDS = 600  # a few will do; a process that waits so long for the other will wait for ever
SPACE = js.Float(-5.0, 5.0, shape=(3,))
PROCESS = """
import json, sys
import jax

jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.distributed.initialize(sys.argv[1], num_processes=2, process_id=int(sys.argv[2]), initialization_timeout=300)
sys.path.insert(0, sys.argv[3])
import test_processes

result = test_processes.run()
parts = test_processes.parts(sys.argv[4], lag=0.02 * jax.process_index())
local = [list(shard.data.shape) for shard in result.state.x.addressable_shards]
print(json.dumps([jax.device_count(), local, result.history.tolist(), result.params.tolist(), parts]))
"""


def bowl(key, x):
    return jnp.sum((x - 1) ** 2) + 0.1 * jax.random.uniform(key)


def run():
    return js.minimize(js.Sharded(bowl), SPACE, js.PSO(16), key=jax.random.key(0), num_generations=5)


def search(generations, checkpoint=None, callback=()):
    limits = {"num_generations": generations, "time_limit": 600.0, "checkpoint": checkpoint, "callback": callback}
    found = js.search(js.Sharded(bowl), SPACE, js.PSO(16), key=jax.random.key(0), progress=False, **limits)
    return found.archive.loss.tolist(), found.stopped


def parts(directory, lag):
    """A search in two parts, saved by a clock, of processes that are not equally fast and of which one wants to end."""
    checkpoint, log = js.Checkpoint(directory, seconds=0.05), js.EventLog(f"{directory}/log.jsonl")
    return [search(3, checkpoint), search(9, checkpoint, [log, lambda _: time.sleep(lag) or lag > 0])]


def test_two_processes_find_what_one_finds(tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    # The compiler's settings of this process, for the same rounding, but not its devices.
    flags = re.sub(r"--xla_force_host_platform_device_count=\d+", "", os.environ.get("XLA_FLAGS", ""))
    here = os.path.dirname(__file__)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, address, str(process_id), here, str(tmp_path)],
            env=os.environ | {"XLA_FLAGS": flags},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for process_id in range(2)
    ]
    deadline = time.monotonic() + SECONDS
    try:
        outputs = [process.communicate(timeout=deadline - time.monotonic()) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    expected, searched = run(), search(9)
    for process, (output, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors
        devices, local, history, params, (_, second) = json.loads(output.splitlines()[-1])
        assert (devices, local) == (4, [[4, 3], [4, 3]])
        assert second == list(searched)
        np.testing.assert_array_equal(np.array(history, np.float32), expected.history)
        np.testing.assert_array_equal(np.array(params, np.float32), expected.params)
    assert [line["generation"] for line in js.events(tmp_path / "log.jsonl")] == [4, 5, 6, 7, 8, 9]
