"""Genetic algorithm."""

import jax
import jax.numpy as jnp

from jaxsearch.core import random, ranking
from jaxsearch.core.bounds import reflect
from jaxsearch.core.fusion import once
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_count, check_size, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.results import checked
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
    """Steady-state genetic algorithm: binary tournaments, crossover about the parents' mean, heavy-tailed mutation.

        child_j = reflect(mean_j + spread_j * (inherited_j - mean_j)),  inherited from either parent, mean of both
        spread  = near or, as often, 1/near;  near = (1 + e) v / (1 + e v),  v ~ U(0, 1],  e = crossover_index

    A categorical gene is inherited. Every gene that matters mutates with probability 1/(their number) instead, and goes
    from what it inherited, if it is discrete to another value, else to either side, reflected at the faces, by

        step = mutation_scale * v^8 / (1 - v),  v ~ U[0, 1)

    A relative of simulated binary crossover, whose near is v^(1/(e + 1)): a quotient costs far less than powers, and
    has heavier tails, P(spread > s) = 1/(2 (1 + e) s) for large s. Half the steps of mutation are below 1/128 of the
    scale; a few are far beyond it, as Cauchy's are.

    P children per generation; the best M of parents and children survive, children first among equals. The first
    M candidates are uniform. On a finite space a child that was evaluated before is bred again, a few times, and then
    gives way to a uniform point.

    population_size: P; 8 if None, 4 on finite spaces.
    parents: M, at least 2; if None the larger of P and 40, or 14 on finite spaces.
    aging: the youngest M survive instead of the best (regularized evolution).
    crossover_rate: in [0, 1], the share of children with two parents.
    crossover_index: at least 0, e above; larger is more local. mutation_scale: above 0.
    References: Deb, Agrawal, Simulated Binary Crossover for Continuous Search Space, Complex Systems, 1995. Yao, Liu,
        Lin, Evolutionary Programming Made Faster, IEEE Trans. Evol. Comput., 1999 (heavy tails). Real et al.,
        Regularized Evolution for Image Classifier Architecture Search, AAAI, 2019 (aging).
    """

    population_size: int | None = static(default=None)
    parents: int | None = static(default=None)
    aging: bool = static(default=False)
    crossover_rate: Scalar = 1.0
    crossover_index: Scalar = 3.0
    mutation_scale: Scalar = 0.3

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
        size, tries, domain = self._size(state.domain), TRIES if len(state.visited) else 1, state.domain
        u = uniform(key, size * tries, domain)  # makes the first points or the children
        proposals = jnp.where(state.told < len(state.x), u, self._breed(key, u, state))
        if tries > 1:  # a last resort, when all that can be bred is known
            proposals = jnp.concatenate([proposals, uniform(jax.random.fold_in(key, 1), size * tries, domain)])
        proposals = proposals.reshape(-1, size, domain.size)
        return Candidates(first_new(state.visited, proposals, domain)[0]), state

    def _breed(self, key: Key, u: Array, state: GAState) -> Array:
        """Children `[C, D]` of the parents, made of draws `u` `[C, D]` in [0, 1)."""
        domain, count = state.domain, len(u)
        words = once(random.bits(key, (6, count), start=u.size))
        rivals = (words[:4] % len(state.x)).astype(jnp.int32).reshape(2, 2, count)  # parent, rival, child
        winners = jnp.where(state.loss[rivals[:, 0]] <= state.loss[rivals[:, 1]], rivals[:, 0], rivals[:, 1])
        winners = once(
            winners.at[1].set(jnp.where(random.unit(words[4]) < self.crossover_rate, winners[1], winners[0]))
        )
        chance = random.across(words[5], domain.size)
        return self._child(u, chance, state.x[winners[0]], state.x[winners[1]], domain).astype(state.x.dtype)

    def _child(self, u: Array, chance: Array, mother: Array, father: Array, domain: Domain) -> Array:
        """Of two parents, all `[C, D]`; `chance` `[C, D]` in [0, 1) says which genes mutate, `u` everything else."""
        index = self.crossover_index
        again, v = random.fraction(2 * u), random.fraction(4 * u)  # uniform, whatever was decided by u before
        inherited, mean, nearer = jnp.where(u < 0.5, mother, father), (mother + father) / 2, again < 0.5
        active = domain.active(inherited)
        rate = 1 / (jnp.sum(active, axis=-1, keepdims=True, dtype=u.dtype) if domain.conditional else domain.size)
        mutates = (chance < rate) & active
        over, under = (1 + index) * (1 - v), 1 + index * (1 - v)
        top = jnp.where(mutates, self.mutation_scale * v**8, jnp.where(nearer, over, under))
        bottom = jnp.where(mutates, 1 - v, jnp.where(nearer, under, over))
        direction = jnp.where(mutates, jnp.where(nearer, -1, 1), inherited - mean)
        child = reflect(jnp.where(mutates, inherited, mean) + top / bottom * direction)
        if domain.discrete.any():
            rounded = jnp.where(domain.categorical[None], inherited, domain.centre(domain.index(child), u.dtype))
            other = jnp.where(mutates, neighbour(again, inherited, domain), rounded)
            child = jnp.where(domain.discrete[None], other, child)
        return child

    def tell(self, state: GAState, candidates: Candidates, results: Results) -> GAState:
        results = checked(candidates, results)
        x = jnp.concatenate([candidates.x, state.x])
        loss = jnp.concatenate([results.loss.astype(state.loss.dtype), state.loss])
        parents, size = len(state.x), len(candidates.x)
        survivors = jnp.arange(parents) if self.aging else ranking.among_best(loss, parents)
        told = jnp.minimum(state.told + size, parents)
        visited = visit(state.visited, candidates.x, state.domain)
        return GAState(x[survivors], loss[survivors], told, visited, state.domain)
