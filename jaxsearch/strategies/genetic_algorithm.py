"""Genetic algorithm."""

import jax
import jax.numpy as jnp

from jaxsearch.core import ranking
from jaxsearch.core.bounds import reflect
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_size, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar


@pytree
class GAState:
    """What GA remembers between generations."""

    x: Array  # [P, D] the parents
    loss: Array  # [P]
    started: Array  # [] bool, whether the initial sample has been told
    domain: Domain = static()


@pytree
class GA:
    """Elitist (mu + lambda) genetic algorithm with binary tournaments, blend crossover and polynomial mutation.

        child_j ~ U[low_j - blend * d_j, high_j + blend * d_j],  low, high the parents' genes, d = high - low
        categorical genes come from either parent with probability 1/2
        every gene that matters mutates with probability 1/(their number): continuous ones by a polynomial
        step, discrete ones to another value

    The best P of parents and children survive, children first among equals.

    population_size: P, both parents and children per generation; 40 if None.
    blend: at least 0; the overshoot of BLX-alpha; 0.5 keeps the variance of a uniform population.
    crossover_rate: in [0, 1], the share of children with two parents.
    mutation_exponent: at least 0; larger is more local.
    References: Eshelman, Schaffer, Real-coded genetic algorithms and interval-schemata, FOGA, 1993. Deb,
        Agrawal, A Niched-Penalty Approach for Constraint Handling in Genetic Algorithms, ICANNGA, 1999.
    """

    population_size: int | None = static(default=None)
    blend: Scalar = 0.5
    crossover_rate: Scalar = 0.9
    mutation_exponent: Scalar = 20.0

    def __post_init__(self):
        check_size(self.population_size)

    def init(self, key: Key, domain: Domain) -> GAState:
        x = uniform(key, self.population_size or 40, domain)
        loss = jnp.full_like(x[:, 0], jnp.inf)
        return GAState(x, loss, jnp.zeros_like(loss[0], dtype=bool), domain)

    def ask(self, key: Key, state: GAState) -> tuple[Candidates, GAState]:
        key_parents, key_rate, key_cross, key_mutate = jax.random.split(key, 4)
        size, domain = len(state.x), state.domain
        rivals = jax.random.randint(key_parents, (2, 2, size), 0, size)  # parent, rival, child
        first_wins = state.loss[rivals[:, 0]] <= state.loss[rivals[:, 1]]
        mother, father = state.x[jnp.where(first_wins, rivals[:, 0], rivals[:, 1])]
        crossed = self._cross(uniform(key_cross, size, domain), mother, father, domain)
        pair = jax.random.uniform(key_rate, (size, 1), mother.dtype) < self.crossover_rate
        child = self._mutate(uniform(key_mutate, size, domain), jnp.where(pair, crossed, mother), domain)
        return Candidates(jnp.where(state.started, child, state.x).astype(state.x.dtype)), state

    def _cross(self, u: Array, mother: Array, father: Array, domain: Domain) -> Array:
        low, distance = jnp.minimum(mother, father), jnp.abs(mother - father)
        blended = reflect(low + distance * (u * (1 + 2 * self.blend) - self.blend))
        return jnp.where(domain.categorical[None], jnp.where(u < 0.5, mother, father), blended)

    def _mutate(self, u: Array, x: Array, domain: Domain) -> Array:
        rate = 1 / jnp.sum(domain.active(x), axis=-1, keepdims=True, dtype=x.dtype)
        again = jnp.clip(u / rate, 0, 1 - jnp.finfo(x.dtype).eps)  # given that u < rate, uniform again
        power = self.mutation_exponent + 1
        down = (2 * again + (1 - 2 * again) * (1 - x) ** power) ** (1 / power) - 1
        up = 1 - (2 * (1 - again) + (2 * again - 1) * x**power) ** (1 / power)
        polynomial = jnp.clip(x + jnp.where(again < 0.5, down, up), 0, 1)
        mutated = jnp.where(domain.discrete[None], neighbour(again, x, domain), polynomial)
        return jnp.where((u < rate) & domain.active(x), mutated, x)

    def tell(self, state: GAState, candidates: Candidates, results: Results) -> GAState:
        x = jnp.concatenate([candidates.x, state.x])
        loss = jnp.concatenate([results.loss, state.loss])
        survivors = ranking.best(loss, len(state.x))
        return GAState(x[survivors], loss[survivors], jnp.ones_like(state.started), state.domain)
