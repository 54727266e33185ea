"""Random search."""

from jaxsearch.core.population import check_size, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Candidates, Domain, Key, Results


@pytree
class RandomSearchState:
    """What RandomSearch remembers between generations."""

    domain: Domain = static()


@pytree
class RandomSearch:
    """Independent points, uniform over the unit cube: every discrete value equally often, log scales log-uniform.

    population_size: points per generation; 32 if None. It changes nothing but the rhythm.
    References: Bergstra, Bengio, Random Search for Hyper-Parameter Optimization, JMLR, 2012.
    """

    population_size: int | None = static(default=None)

    def __post_init__(self):
        check_size(self.population_size)

    def init(self, key: Key, domain: Domain) -> RandomSearchState:
        return RandomSearchState(domain)

    def ask(self, key: Key, state: RandomSearchState) -> tuple[Candidates, RandomSearchState]:
        return Candidates(uniform(key, self.population_size or 32, state.domain)), state

    def tell(self, state: RandomSearchState, candidates: Candidates, results: Results) -> RandomSearchState:
        return state
