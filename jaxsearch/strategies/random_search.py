"""Random search."""

import jax.numpy as jnp
import numpy as np

from jaxsearch.core import sobol
from jaxsearch.core.population import check_size, uniform, varying, zero_of
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results


@pytree
class RandomSearchState:
    """What RandomSearch remembers between generations; the arrays are empty without Sobol points."""

    told: Array  # [] uint32, points told so far
    words: Array  # [D, 20] uint32, scrambled direction numbers
    shift: Array  # [D] uint32
    domain: Domain = static()


@pytree
class RandomSearch:
    """Independent points, uniform over the unit cube: every discrete value equally often, log scales log-uniform.

    population_size: points per generation; 32 if None. It changes nothing but the rhythm.
    sobol: a scrambled Sobol sequence, every point uniform, all together more even than independent ones.
    References: Bergstra, Bengio, Random Search for Hyper-Parameter Optimization, JMLR, 2012. Joe, Kuo, Constructing
        Sobol Sequences with Better Two-Dimensional Projections, SIAM Journal on Scientific Computing, 2008.
    """

    population_size: int | None = static(default=None)
    sobol: bool = static(default=False)

    def __post_init__(self):
        check_size(self.population_size)

    def init(self, key: Key, domain: Domain) -> RandomSearchState:
        told = zero_of(key).astype(jnp.uint32)
        if self.sobol:
            words, shift = sobol.scramble(key, domain.size)
        else:
            words, shift = varying((jnp.zeros((0, sobol.BITS), jnp.uint32), jnp.zeros(0, jnp.uint32)), told)
        return RandomSearchState(told, words, shift, domain)

    def ask(self, key: Key, state: RandomSearchState) -> tuple[Candidates, RandomSearchState]:
        size = self.population_size or 32
        if self.sobol:
            number = state.told + np.arange(size, dtype=np.uint32)
            return Candidates(sobol.points(number, state.words, state.shift)), state
        return Candidates(uniform(key, size, state.domain)), state

    def tell(self, state: RandomSearchState, candidates: Candidates, results: Results) -> RandomSearchState:
        checked(candidates, results)
        told = state.told + jnp.uint32(len(candidates.x))
        return RandomSearchState(told, state.words, state.shift, state.domain)
