"""Differential evolution."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import random, ranking
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_size, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar


@pytree
class DEState:
    """What DE remembers between generations."""

    x: Array  # [P, D] the members
    loss: Array  # [P]
    archive: Array  # [A, D] beaten members, a ring
    archived: Array  # [] int32, members ever archived, counted modulo A after the first A
    weight: Array  # [P] F, the differential weights of the last trials
    rate: Array  # [P] CR, their crossover rates
    weights: Array  # [H] memory of successful F
    rates: Array  # [H] memory of successful CR; -1: only 0 is drawn from now on
    cell: Array  # [] int32, the cell of the memory that is written next
    started: Array  # [] bool, whether the initial sample has been told
    domain: Domain = static()


@pytree
class DE:
    """Success-history adaptive differential evolution (SHADE): current-to-pbest/1/bin with an archive.

        v_i = x_i + F_i (x_pbest - x_i) + F_i (x_r1 - x_r2),  r2 also from the archive of beaten members
        u_i takes v_ij where a draw falls below CR_i, and for one j always; x_i <- u_i if not worse
        F_i ~ Cauchy(M_F, 0.1) in (0, 1],  CR_i ~ N(M_CR, 0.1) in [0, 1]

    A memory cell (M_F, M_CR) takes the Lehmer means of the F and CR that improved their members. They weigh
    equally, as in JADE, so that only the order of the losses matters. A v outside the cube goes half-way from
    x to the face. A categorical v_ij is, with probability F_i, the value of x_pbest, then, with probability F_i
    where x_r1 and x_r2 differ, that of x_r1; one in P is drawn anew, lest a value be lost for ever. A trial on a
    finite space that would repeat its member moves one coordinate to another value.

    population_size: P, at least 4; 20 + floor(3 sqrt(D)) if None.
    memory_size: H, at least 1.
    greediness: in (0, 1], the share of the best members among which pbest is drawn.
    archive_share: above 0, the size of the archive over P.
    initial_weight, initial_rate: in [0, 1], what the memory holds of F and CR at the start.
    References: Tanabe, Fukunaga, Success-History Based Parameter Adaptation for Differential Evolution, CEC,
        2013. Zhang, Sanderson, JADE, IEEE Trans. Evol. Comput., 2009.
    """

    population_size: int | None = static(default=None)
    memory_size: int = static(default=6)
    greediness: float = static(default=0.11)
    archive_share: float = static(default=1.4)
    initial_weight: Scalar = 0.5
    initial_rate: Scalar = 0.5

    def __post_init__(self):
        check_size(self.population_size, at_least=4)
        if self.memory_size < 1 or not 0 < self.greediness <= 1 or self.archive_share <= 0:
            raise ValueError(
                "DE needs memory_size >= 1, greediness in (0, 1] and archive_share > 0; got "
                f"{self.memory_size}, {self.greediness} and {self.archive_share}. The defaults are 6, 0.11 and 1.4."
            )

    def init(self, key: Key, domain: Domain) -> DEState:
        size = self.population_size or 20 + int(3 * np.sqrt(domain.size))
        x = uniform(key, size, domain)
        zero = jnp.zeros_like(x[:, 0])
        archive = jnp.resize(x, (max(1, int(self.archive_share * size)), domain.size))
        memory = jnp.zeros_like(zero, shape=self.memory_size) + zero[0]
        count = jnp.zeros_like(zero[0], dtype=jnp.int32)
        weights, rates = (memory + jnp.asarray(m, x.dtype) for m in (self.initial_weight, self.initial_rate))
        return DEState(x, zero + jnp.inf, archive, count, zero, zero, weights, rates, count, zero[0] > 0, domain)

    def ask(self, key: Key, state: DEState) -> tuple[Candidates, DEState]:
        key_rate, key_member, key_cross, key_moves, key_again = jax.random.split(key, 5)
        x, domain, (size, dimension) = state.x, state.domain, state.x.shape
        u = random.uniform(key_member, (6, size))  # memory cell, F, pbest, r1, r2, the coordinate always crossed
        cell = jnp.floor(u[0] * self.memory_size).astype(jnp.int32)
        weight = _cauchy(u[1], state.weights[cell])
        rate = state.rates[cell] + 0.1 * jax.random.normal(key_rate, (size,), x.dtype)
        rate = jnp.where(state.rates[cell] < 0, 0, jnp.clip(rate, 0, 1))
        top = ranking.best(state.loss, min(size, max(2, round(self.greediness * size))))
        pbest = x[top[jnp.floor(u[2] * len(top)).astype(jnp.int32)]]
        r1, r2 = _others(u[3], u[4], size, jnp.minimum(state.archived, len(state.archive)))
        one, two = x[r1], jnp.concatenate([x, state.archive])[r2]
        donor = x + weight[:, None] * (pbest - x + one - two)
        donor = jnp.where(donor < 0, x / 2, jnp.where(donor > 1, (1 + x) / 2, donor))
        draw = uniform(key_cross, size, domain)
        forced = jnp.floor(u[5] * dimension).astype(jnp.int32)[:, None] == np.arange(dimension)[None]
        if domain.discrete.any():
            v = random.uniform(key_moves, (4, size, dimension))
            label = jnp.where(v[0] < weight[:, None], pbest, x)
            differ = (domain.index(one) != domain.index(two)) & (v[1] < weight[:, None])
            label = jnp.where(differ, one, label)
            label = jnp.where(v[2] < 1 / size, neighbour(v[3], label, domain), label)
            donor = jnp.where(domain.categorical[None], label, donor)
        trial = jnp.where((draw < rate[:, None]) | forced, donor, x)
        if domain.discrete.all():
            repeated = jnp.all(domain.index(trial) == domain.index(x), axis=1, keepdims=True)
            trial = jnp.where(repeated & forced, neighbour(uniform(key_again, size, domain), x, domain), trial)
        trial = jnp.where(state.started, trial, x).astype(x.dtype)
        return Candidates(trial), dataclasses.replace(state, weight=weight, rate=rate)

    def tell(self, state: DEState, candidates: Candidates, results: Results) -> DEState:
        accepted = results.loss <= state.loss
        better = (results.loss < state.loss) & state.started
        weights, rates, learned = state.weights, state.rates, jnp.any(better)
        exhausted = (rates[state.cell] < 0) | (jnp.max(jnp.where(better, state.rate, 0)) == 0)
        mean_rate = jnp.where(exhausted, -1, _lehmer(state.rate, better))
        here = learned & (np.arange(self.memory_size) == state.cell)
        size = len(state.archive)
        slot = jnp.where(better, (state.archived + jnp.cumsum(better, dtype=jnp.int32) - 1) % size, size)
        archived = state.archived + jnp.sum(better, dtype=jnp.int32)
        return dataclasses.replace(
            state,
            x=jnp.where(accepted[:, None], candidates.x, state.x),
            loss=jnp.where(accepted, results.loss, state.loss),
            archive=state.archive.at[slot].set(state.x, mode="drop"),
            archived=jnp.where(archived < size, archived, size + archived % size),
            weights=jnp.where(here, _lehmer(state.weight, better), weights),
            rates=jnp.where(here, mean_rate, rates),
            cell=jnp.where(learned, (state.cell + 1) % self.memory_size, state.cell),
            started=jnp.ones_like(state.started),
        )


def _cauchy(u: Array, location: Array) -> Array:
    """Cauchy(location, 0.1) given that it is above 0, by its inverse, capped at 1; `u` in [0, 1)."""
    below = 0.5 - jnp.arctan(location / 0.1) / jnp.pi
    share = below + (1 - below) * (1 - u)
    return jnp.clip(location + 0.1 * jnp.tan(jnp.pi * (share - 0.5)), jnp.finfo(u.dtype).tiny, 1)


def _others(u1: Array, u2: Array, size: int, archived: Array) -> tuple[Array, Array]:
    """r1 != i among the members, and r2 != i, r1 among members and archive, uniform, without a permutation."""
    i = jnp.arange(size, dtype=jnp.int32)
    r1 = (i + 1 + jnp.floor(u1 * (size - 1)).astype(jnp.int32)) % size
    r2 = jnp.floor(u2 * (size - 2 + archived)).astype(jnp.int32)
    r2 = r2 + (r2 >= jnp.minimum(i, r1))
    return r1, r2 + (r2 >= jnp.maximum(i, r1))


def _lehmer(values: Array, chosen: Array) -> Array:
    """The Lehmer mean sum(v^2)/sum(v) of the chosen ones; 0 of none."""
    v = jnp.where(chosen, values, 0)
    return jnp.sum(v * v) / jnp.maximum(jnp.sum(v), jnp.finfo(v.dtype).tiny)
