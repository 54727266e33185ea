import jax
import pytest


@pytest.fixture(autouse=True, scope="module")
def quick_to_compile(forgotten_after_a_module):
    """The suites of other libraries compile hundreds of programs and run each for a moment; none looks at last bits."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
