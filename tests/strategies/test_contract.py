import jax
import jax.numpy as jnp
import pytest

from jaxsearch.core.types import Candidates
from jaxsearch.strategies import registry
from jaxsearch.strategies.finite_differences import FiniteDifferences
from jaxsearch.strategies.restart import Restart
from jaxsearch.strategies.seeded import Seeded
from jaxsearch.testing import CHECKS, DOMAINS, MIXED
from jaxsearch.testing.contract import only_compares, state_is_a_fixed_point, together_as_alone

pytestmark = pytest.mark.usefixtures("keys_are_used_once")

STRATEGIES = {name: lambda domain, make=make: make() for name, make in registry.items()}
STRATEGIES["sobol"] = lambda domain: registry["random_search"](sobol=True)
STRATEGIES["pso_ring"] = lambda domain: registry["pso"](topology="ring", update="sphere")
STRATEGIES["pso_global"] = lambda domain: registry["pso"](topology="global")
STRATEGIES["de_shrinking"] = lambda domain: registry["de"](population_size=10, num_generations=40.0)
STRATEGIES["seeded"] = lambda domain: Seeded(registry["ga"](population_size=6), jnp.full((2, domain.size), 0.25))
STRATEGIES["finite_differences"] = lambda domain: FiniteDifferences(registry["gradient_search"]())
STRATEGIES["restart"] = lambda domain: Restart(registry["cmaes"](), growth="bipop", max_batches=4, patience=2.0)


# The registered strategies on every domain; wrappers and settings, which share their code, on two that differ most.
CASES = [
    (name, domain) for name in STRATEGIES for domain in DOMAINS if name in registry or domain in ("mixed", "continuous")
]


# In this order, so that the checks of a strategy on a domain follow each other and share its programs.
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "domain"), CASES)
def test_contract(name, domain, check):
    if name == "finite_differences" and check in (only_compares, together_as_alone):
        pytest.skip("a slope is more than a comparison, and magnifies the last bit of a loss")
    check(STRATEGIES[name](DOMAINS[domain]), DOMAINS[domain])


class Counter:
    """A strategy whose state is what `begin` and `later` make."""

    def __init__(self, begin, later):
        self.begin, self.later = begin, later

    def init(self, key, domain):
        return {"told": self.begin, "size": jnp.zeros(domain.size)}

    def ask(self, key, state):
        return Candidates(jax.random.uniform(key, (2, len(state["size"])))), state

    def tell(self, state, candidates, results):
        return state | {"told": self.later}


@pytest.mark.parametrize(
    ("begin", "later", "message"),
    [
        (jnp.full(2, 0.5), jnp.zeros(2), "told.* is weakly typed"),
        (jnp.zeros(2), jnp.zeros(3), "told.* must keep its shape"),
        (jnp.zeros(2, jnp.float16), jnp.zeros(2, jnp.float16), "told.* default dtype"),
        (jnp.zeros(2), {}, "structure"),
    ],
)
def test_a_broken_state_is_named(begin, later, message):
    with pytest.raises(AssertionError, match=message):
        state_is_a_fixed_point(Counter(begin, later), MIXED)
