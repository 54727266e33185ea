import jax.numpy as jnp
import pytest

from jaxsearch.strategies import registry
from jaxsearch.strategies.restart import Restart
from jaxsearch.strategies.seeded import Seeded
from jaxsearch.testing import CHECKS, MIXED

STRATEGIES = {name: make() for name, make in registry.items()}
STRATEGIES["sobol"] = registry["random_search"](sobol=True)
STRATEGIES["pso_ring"] = registry["pso"](topology="ring", update="sphere")
STRATEGIES["pso_global"] = registry["pso"](topology="global")
STRATEGIES["de_shrinking"] = registry["de"](population_size=10, num_generations=40.0)
STRATEGIES["seeded"] = Seeded(registry["ga"](population_size=6), jnp.full((2, MIXED.size), 0.25))
STRATEGIES["restart"] = Restart(registry["cmaes"](), growth="bipop", max_batches=4, patience=2.0)


def cases():
    for name in STRATEGIES:
        for check in CHECKS:
            # Seeded's points belong to one domain, so the check on another one does not apply.
            if (name, check.__name__) != ("seeded", "one_dimension"):
                group = pytest.mark.xdist_group(name)  # one process per strategy shares what it compiles
                yield pytest.param(name, check, marks=group, id=f"{name}-{check.__name__}")


@pytest.mark.parametrize(("name", "check"), list(cases()))
def test_contract(name, check):
    check(STRATEGIES[name])
