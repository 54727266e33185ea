"""Genetic algorithm."""

import math

import jax
import jax.numpy as jnp

from jaxsearch.core import random, ranking
from jaxsearch.core.bounds import reflect
from jaxsearch.core.fusion import once
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
    """Steady-state genetic algorithm: binary tournaments, simulated binary crossover and Laplace mutation.

        child_j = reflect(mean_j -+ spread_j * |mother_j - father_j| / 2),  spread ~ the density of SBX
        categorical genes come from either parent with probability 1/2
        every gene that matters mutates with probability 1/(their number): continuous ones by a step with the
        density of Laplace, reflected at the faces, discrete ones to another value

    P children per generation; the best M of parents and children survive, children first among equals. The first
    M candidates are uniform. On a finite space a child that was evaluated before is bred again, a few times, and then
    gives way to a uniform point.

    population_size: P; 8 if None, 4 on finite spaces.
    parents: M, at least 2; if None the larger of P and 40, or 14 on finite spaces.
    aging: the youngest M survive instead of the best (regularized evolution).
    crossover_rate: in [0, 1], the share of children with two parents.
    crossover_exponent: at least 0; larger is more local. mutation_scale: above 0, the mean length of a step.
    References: Deb, Agrawal, Simulated Binary Crossover for Continuous Search Space, Complex Systems, 1995. Real
        et al., Regularized Evolution for Image Classifier Architecture Search, AAAI, 2019 (aging).
    """

    population_size: int | None = static(default=None)
    parents: int | None = static(default=None)
    aging: bool = static(default=False)
    crossover_rate: Scalar = 1.0
    crossover_exponent: Scalar = 1.0
    mutation_scale: Scalar = 0.05

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
        domain, shape = state.domain, (count, state.domain.size)
        words = once(random.bits(key, (6, count), start=math.prod(shape)))
        rivals = (words[:4] % len(state.x)).astype(jnp.int32).reshape(2, 2, count)  # parent, rival, child
        first_wins = state.loss[rivals[:, 0]] <= state.loss[rivals[:, 1]]
        winners = once(jnp.where(first_wins, rivals[:, 0], rivals[:, 1]))
        mother, father = state.x[winners[0]], state.x[winners[1]]
        crossed = self._cross(random.unit(random.bits(key, shape)), mother, father, domain)
        pair = (random.unit(words[4]) < self.crossover_rate)[:, None]
        u = random.across(words[5], domain.size)
        return self._mutate(u, jnp.where(pair, crossed, mother), domain).astype(state.x.dtype)

    def _cross(self, u: Array, mother: Array, father: Array, domain: Domain) -> Array:
        # The half of u says which of the two children, the rest how far.
        upper, again = u >= 0.5, random.fraction(2 * u)
        # The log of the spread, whose inverse distribution is (2 u)^(1/(exponent + 1)), or its reciprocal of 1 - u.
        spread = jnp.log(2 * jnp.minimum(again, 1 - again)) / (self.crossover_exponent + 1)
        spread = jnp.exp(jnp.where(again < 0.5, spread, -spread))
        child = reflect((mother + father + jnp.where(upper, spread, -spread) * jnp.abs(mother - father)) / 2)
        child = jnp.where(domain.discrete[None], domain.centre(domain.index(child), u.dtype), child)
        return jnp.where(domain.categorical[None], jnp.where(upper, father, mother), child)

    def _mutate(self, u: Array, x: Array, domain: Domain) -> Array:
        active = domain.active(x)
        rate = 1 / (jnp.sum(active, axis=-1, keepdims=True, dtype=x.dtype) if domain.conditional else domain.size)
        again = jnp.clip(u / rate, 0, 1 - jnp.finfo(x.dtype).eps)  # given that u < rate, uniform again
        step = self.mutation_scale * jnp.log(1 - random.fraction(2 * again))
        moved = reflect(x + jnp.where(again < 0.5, step, -step))
        mutated = jnp.where(domain.discrete[None], neighbour(again, x, domain), moved)
        return jnp.where((u < rate) & active, mutated, x)

    def tell(self, state: GAState, candidates: Candidates, results: Results) -> GAState:
        x = jnp.concatenate([candidates.x, state.x])
        loss = jnp.concatenate([results.loss.astype(state.loss.dtype), state.loss])
        parents, size = len(state.x), len(candidates.x)
        survivors = jnp.arange(parents) if self.aging else ranking.among_best(loss, parents)
        told = jnp.minimum(state.told + size, parents)
        visited = visit(state.visited, candidates.x, state.domain)
        return GAState(x[survivors], loss[survivors], told, visited, state.domain)
