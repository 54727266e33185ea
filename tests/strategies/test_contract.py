import jax
import jax.numpy as jnp
import pytest

from jaxsearch.core.types import Candidates, Results
from jaxsearch.strategies import registry
from jaxsearch.strategies.finite_differences import FiniteDifferences
from jaxsearch.strategies.restart import Restart
from jaxsearch.strategies.seeded import Seeded
from jaxsearch.testing import CHECKS, DOMAINS, MIXED
from jaxsearch.testing.contract import (
    hyperparameters_have_gradients,
    only_compares,
    runs_under_strict_promotion,
    state_can_be_donated,
    state_is_a_fixed_point,
    together_as_alone,
)

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


# For these the domain that has coordinates of every kind will do.
ON_MIXED = (runs_under_strict_promotion, state_can_be_donated, hyperparameters_have_gradients)
CASES = [
    (name, domain, check) for name, domain in CASES for check in CHECKS if domain == "mixed" or check not in ON_MIXED
]


# In this order, so that the checks of a strategy on a domain follow each other and share its programs.
@pytest.mark.parametrize(("name", "domain", "check"), CASES, ids=lambda value: getattr(value, "__name__", value))
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


WRONG = {
    "scalar": lambda loss: loss[0],
    "none": lambda loss: loss[:0],
    "column": lambda loss: loss[:, None],
    "one_more": lambda loss: jnp.append(loss, 0.0),
    "complex": lambda loss: loss + 1j,
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_results_that_are_not_one_for_each_candidate_are_refused(name):
    strategy = STRATEGIES[name](MIXED)

    def generation(key, change, name):
        candidates, state = strategy.ask(key, strategy.init(key, MIXED))
        results = Results(candidates.x[:, 0], candidates.x, candidates.x[:, 0])
        wrong = results._replace(**{name: change(getattr(results, name))})
        return strategy.tell(state, candidates, wrong)

    key = jax.random.key(0)
    for part, change in [*(("loss", change) for change in WRONG.values()), ("grad", lambda grad: grad[:, :1])]:
        with pytest.raises(ValueError, match=rf"results\.{part} must be real"):
            jax.eval_shape(lambda key: generation(key, change, part), key)  # noqa: B023  # used at once
