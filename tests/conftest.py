import ctypes
import gc
import os
import signal
import threading

# Before JAX starts: eight simulated devices, and a quick way to compile, since tests compile more than they run.
# Optimizing little and emitting fusions the older way, XLA compiles much faster. At level 0 it would round the same
# expression differently in different programs, and GradientSearch would not be the same in `search` and in `minimize`.
os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers fill the cores; NumPy's threads would wait for each other
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=1 "
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
)

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")

# A shell starts its background jobs with Ctrl-C ignored, and whatever they start; tests send it.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


WORKER_BYTES = 2 * 2**30  # that a process of the tests may need


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist there is no such hook
def pytest_xdist_auto_num_workers(config) -> int | None:
    """As many processes as there are cores, but no more than the memory has room for."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ or not hasattr(os, "sysconf"):
        return None  # somebody has chosen, or the system does not say
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(cores, memory // WORKER_BYTES))


def forget_programs() -> None:
    """Frees what JAX remembers of compiled programs: some ten megabytes of each, in pieces of which few may be mapped.

    Python's cycles hold more of them, and the C library keeps what is freed unless it is told.
    """
    jax.clear_caches()
    gc.collect()
    if trim := getattr(ctypes.CDLL(None) if os.name == "posix" else None, "malloc_trim", None):
        trim(0)


def resident_bytes() -> int:
    """The memory of this process; 0 where the system does not say."""
    if not os.path.exists("/proc/self/statm"):
        return 0
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(autouse=True, scope="module")
def forgotten_after_a_module():
    yield
    forget_programs()


@pytest.fixture(autouse=True)
def forgotten_when_large():
    """The contract alone would fill 5 GB with its programs, few of which serve more than some neighbouring tests."""
    yield
    if resident_bytes() > WORKER_BYTES * 5 / 8:
        forget_programs()


@pytest.fixture(scope="module")
def keys_are_used_once():
    """JAX's check for reused keys is on.

    Not for all tests: it takes a transposed key for a used one, and so refuses every `vmap` of a loop over split keys;
    and with it JAX compiles more, where tests count that.
    """
    with jax.debug_key_reuse(True):
        yield


@pytest.fixture
def compilations():
    """A function that counts the compilations since the last call."""
    count = [0]

    def listen(event: str, duration: float, **kwargs) -> None:
        count[0] += event.endswith("backend_compile_duration")

    jax.monitoring.register_event_duration_secs_listener(listen)

    def since() -> int:
        found, count[0] = count[0], 0
        return found

    yield since
    # The oldest JAX that is supported has no way to forget a listener; one that counts for nobody does no harm.
    getattr(jax.monitoring, "unregister_event_duration_listener", lambda listener: None)(listen)
