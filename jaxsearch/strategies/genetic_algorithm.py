"""Genetic algorithm."""

import jax
import jax.numpy as jnp

from jaxsearch.core import ranking
from jaxsearch.core.bounds import clip
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_count, check_size, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar
from jaxsearch.core.visited import first_new, flags, visit

TRIES = 4  # children that are bred for every one evaluated on a finite space, to find one that is new


@pytree
class GAState:
    """What GA remembers between generations; M parents."""

    x: Array  # [M, D]
    loss: Array  # [M]
    told: Array  # [] int32, candidates told so far, at most M
    visited: Array  # [F] bool, what has been evaluated of a finite space
    domain: Domain = static()


@pytree
class GA:
    """Steady-state genetic algorithm: binary tournaments, simulated binary crossover and polynomial mutation.

        child_j = mean_j -+ spread_j * |mother_j - father_j| / 2,  spread ~ the density of SBX inside the bounds
        categorical genes come from either parent with probability 1/2
        every gene that matters mutates with probability 1/(their number): continuous ones by a polynomial
        step, discrete ones to another value

    P children per generation; the best M of parents and children survive, children first among equals. The first
    M candidates are uniform. On a finite space a child that was evaluated before is bred again, a few times, and then
    gives way to a uniform point.

    population_size: P; 8 if None, 4 on finite spaces.
    parents: M, at least 2; if None the larger of P and 40, or 14 on finite spaces.
    aging: the youngest M survive instead of the best (regularized evolution).
    crossover_rate: in [0, 1], the share of children with two parents.
    crossover_exponent, mutation_exponent: at least 0; larger is more local.
    References: Deb, Agrawal, Simulated Binary Crossover for Continuous Search Space, Complex Systems, 1995. Deb,
        Agrawal, A Niched-Penalty Approach for Constraint Handling in Genetic Algorithms, ICANNGA, 1999 (mutation).
        Real et al., Regularized Evolution for Image Classifier Architecture Search, AAAI, 2019 (aging).
    """

    population_size: int | None = static(default=None)
    parents: int | None = static(default=None)
    aging: bool = static(default=False)
    crossover_rate: Scalar = 1.0
    crossover_exponent: Scalar = 1.0
    mutation_exponent: Scalar = 20.0

    def __post_init__(self):
        check_size(self.population_size)
        if self.parents is not None:
            check_count("parents", self.parents, at_least=2)

    def _size(self, domain: Domain) -> int:
        return self.population_size or (4 if flags(domain) else 8)

    def init(self, key: Key, domain: Domain) -> GAState:
        parents = self.parents or max(self._size(domain), 14 if flags(domain) else 40)
        x = uniform(key, parents, domain)
        loss = jnp.full_like(x[:, 0], jnp.inf)
        visited = jnp.zeros_like(loss, dtype=bool, shape=flags(domain)) | (loss[0] < 0)
        return GAState(x, loss, jnp.zeros_like(loss[0], dtype=jnp.int32), visited, domain)

    def ask(self, key: Key, state: GAState) -> tuple[Candidates, GAState]:
        key_fresh, key_breed = jax.random.split(key)
        size, tries = self._size(state.domain), TRIES if len(state.visited) else 1
        fresh = uniform(key_fresh, size * tries, state.domain)
        proposals = jnp.where(state.told < len(state.x), fresh, self._breed(key_breed, size * tries, state))
        if tries > 1:  # a last resort, when all that can be bred is known
            proposals = jnp.concatenate([proposals, fresh])
        proposals = proposals.reshape(-1, size, state.domain.size)
        return Candidates(first_new(state.visited, proposals, state.domain)[0]), state

    def _breed(self, key: Key, count: int, state: GAState) -> Array:
        key_parents, key_rate, key_cross, key_mutate = jax.random.split(key, 4)
        rivals = jax.random.randint(key_parents, (2, 2, count), 0, len(state.x))  # parent, rival, child
        first_wins = state.loss[rivals[:, 0]] <= state.loss[rivals[:, 1]]
        mother, father = state.x[jnp.where(first_wins, rivals[:, 0], rivals[:, 1])]
        crossed = self._cross(uniform(key_cross, count, state.domain), mother, father, state.domain)
        pair = jax.random.uniform(key_rate, (count, 1), mother.dtype) < self.crossover_rate
        return self._mutate(
            uniform(key_mutate, count, state.domain), jnp.where(pair, crossed, mother), state.domain
        ).astype(state.x.dtype)

    def _cross(self, u: Array, mother: Array, father: Array, domain: Domain) -> Array:
        upper, again = u >= 0.5, 2 * u % 1  # the half of u says which of the two children, the rest how far
        distance = jnp.abs(mother - father)
        near = jnp.minimum(mother, father)
        near = jnp.where(upper, 1 - near - distance, near)  # from the bound on the child's side to the nearer parent
        apart = distance > 1e-6  # so that the ratio below is a finite float32
        ratio = 1 + 2 * near / jnp.where(apart, distance, 1)
        power = self.crossover_exponent + 1
        mass = again * (2 - ratio**-power)
        spread = jnp.where(mass <= 1, mass, 1 / jnp.maximum(2 - mass, jnp.finfo(u.dtype).eps)) ** (1 / power)
        child = clip((mother + father + jnp.where(upper, spread, -spread) * distance) / 2)
        child = jnp.where(apart, child, mother)
        child = jnp.where(domain.discrete[None], domain.centre(domain.index(child), u.dtype), child)
        return jnp.where(domain.categorical[None], jnp.where(upper, father, mother), child)

    def _mutate(self, u: Array, x: Array, domain: Domain) -> Array:
        rate = 1 / jnp.sum(domain.active(x), axis=-1, keepdims=True, dtype=x.dtype)
        again = jnp.clip(u / rate, 0, 1 - jnp.finfo(x.dtype).eps)  # given that u < rate, uniform again
        power = self.mutation_exponent + 1
        down = (2 * again + (1 - 2 * again) * (1 - x) ** power) ** (1 / power) - 1
        up = 1 - (2 * (1 - again) + (2 * again - 1) * x**power) ** (1 / power)
        polynomial = clip(x + jnp.where(again < 0.5, down, up))
        mutated = jnp.where(domain.discrete[None], neighbour(again, x, domain), polynomial)
        return jnp.where((u < rate) & domain.active(x), mutated, x)

    def tell(self, state: GAState, candidates: Candidates, results: Results) -> GAState:
        x = jnp.concatenate([candidates.x, state.x])
        loss = jnp.concatenate([results.loss.astype(state.loss.dtype), state.loss])
        parents, size = len(state.x), len(candidates.x)
        survivors = jnp.arange(parents) if self.aging else ranking.best(loss, parents)
        told = jnp.minimum(state.told + size, parents)
        visited = visit(state.visited, candidates.x, state.domain)
        return GAState(x[survivors], loss[survivors], told, visited, state.domain)
