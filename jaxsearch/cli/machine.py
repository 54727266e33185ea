"""What the command does with the machine that it runs on."""

import contextlib
import os
from pathlib import Path

import jax

# Where shares differ a device waits for another; after 40 seconds of that XLA would end the process.
TIMEOUTS = {
    "xla_cpu_collective_call_warn_stuck_timeout_seconds": 86_400,
    "xla_cpu_collective_call_terminate_timeout_seconds": 86_400,
}


def use_compilation_cache() -> None:
    """Keeps compiled programs between runs of the command, where the user's cache can be written."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxsearch"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def use_all_cores() -> None:
    """Makes every core of a CPU a device of its own, which trains its share of the candidates without waiting."""
    flags = os.environ.get("XLA_FLAGS", "")
    for name, seconds in TIMEOUTS.items():
        if name not in flags:
            flags += f" --{name}={seconds}"
    os.environ["XLA_FLAGS"] = flags
    with contextlib.suppress(RuntimeError):  # JAX runs already, as in a notebook
        jax.config.update("jax_num_cpu_devices", os.cpu_count() or 1)
