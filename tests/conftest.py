import os

# Before JAX starts: eight simulated devices, and the quick compiler, since tests compile more than they run.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8 --xla_backend_optimization_level=1")

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")


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
    jax.monitoring.unregister_event_duration_listener(listen)
