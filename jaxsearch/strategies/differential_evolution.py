"""Differential evolution."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from jaxsearch.core import cauchy, random, ranking
from jaxsearch.core.fusion import once
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_count, check_size, separate, uniform
from jaxsearch.core.pytree import is_number, pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar


@pytree
class DEState:
    """What DE remembers between generations."""

    x: Array  # [M, D] the members; sorted by loss where the population shrinks
    loss: Array  # [M]
    archive: Array  # [A, D] beaten members, a ring
    archived: Array  # [] int32, members ever archived, counted modulo A after the first A
    member: Array  # [P] int32, whose trials the last candidates are
    weight: Array  # [P] F, the differential weights of the last trials
    rate: Array  # [P] CR, their crossover rates
    weights: Array  # [H] memory of successful F
    below: Array  # [H] how much of Cauchy(M_F, 0.1) is below 0; else it would be computed again for every trial
    rates: Array  # [H] memory of successful CR; -1: only 0 is drawn from now on
    cell: Array  # [] int32, the cell of the memory that is written next
    generation: Array  # [] int32, generations told
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
    finite space that would repeat its member moves one coordinate to another value. On continuous coordinates a
    population that has become one point, like its archive, stays there for ever, since all differences
    are 0; `Restart` begins another run then.

    Told the number of generations, the population shrinks (L-SHADE): of M members, 4 D rounded up to a multiple of P,
    the best N = round(M + (4 - M) generation / num_generations) stay. A generation is still P trials, shared out
    evenly among the N; of several trials of one member the best replaces it. (4 D did better on bbob than 6 or 9 D.)

    population_size: P, at least 4; 20 + floor(3 sqrt(D)) if None.
    memory_size: H, at least 1. archive_share: in (0, 100], the size of the archive over that of the population.
    greediness: in (0, 1], the share of the best members among which pbest is drawn.
    initial_weight, initial_rate: in [0, 1], what the memory holds of F and CR at the start.
    num_generations: above 0, of the search, without `Restart`, which would begin anew; None: the population stays at P.
    References: Tanabe, Fukunaga, Success-History Based Parameter Adaptation for Differential Evolution, CEC,
        2013. Tanabe, Fukunaga, Improving the Search Performance of SHADE Using Linear Population Size Reduction, CEC,
        2014. Zhang, Sanderson, JADE, IEEE Trans. Evol. Comput., 2009.
    """

    population_size: int | None = static(default=None)
    memory_size: int = static(default=6)
    greediness: float = static(default=0.11)
    archive_share: float = static(default=1.4)
    initial_weight: Scalar = 0.5
    initial_rate: Scalar = 0.5
    num_generations: Scalar | None = None

    def __post_init__(self):
        check_size(self.population_size, at_least=4)
        check_count("memory_size", self.memory_size)
        for name, most in (("greediness", 1), ("archive_share", 100)):
            share = getattr(self, name)
            if not (is_number(share) and 0 < share <= most):
                raise ValueError(f"{name} must be in (0, {most}]; got {share!r}. Leave it out for the default.")
        most = self.num_generations
        if most is not None and is_number(most) and not most > 0:
            raise ValueError(f"num_generations must be above 0; got {most}. Leave it out if it is not known.")

    def init(self, key: Key, domain: Domain) -> DEState:
        size = self.population_size or 20 + int(3 * np.sqrt(domain.size))
        x = uniform(key, size if self.num_generations is None else -(-4 * domain.size // size) * size, domain)
        zero, trials = jnp.zeros_like(x[:, 0]), jnp.zeros_like(x[:size, 0])
        archive = jnp.resize(x, (max(1, int(self.archive_share * len(x))), domain.size))
        count, memory = zero[0].astype(jnp.int32), jnp.zeros_like(zero, shape=self.memory_size) + zero[0]
        weights, rates = (memory + jnp.asarray(m, x.dtype) for m in (self.initial_weight, self.initial_rate))
        member = trials.astype(jnp.int32) + np.arange(size, dtype=np.int32)
        below = cauchy.below_zero(weights)
        parts = (x, zero + jnp.inf, archive, count, member, trials, trials, weights, below, rates, count, count)
        return separate(DEState(*parts, started=zero[0] > 0, domain=domain))

    def ask(self, key: Key, state: DEState) -> tuple[Candidates, DEState]:
        domain, size, dimension = state.domain, len(state.weight), state.x.shape[1]
        words = once(random.bits(key, (8, size)))
        u = random.unit(words)  # memory cell, F, CR, pbest, r1, r2, the member
        cell = jnp.floor(u[0] * self.memory_size).astype(jnp.int32)
        weight, rate = once(cauchy.above_zero(u[1], state.weights[cell], state.below[cell])), state.rates[cell]
        rate = once(jnp.where(rate < 0, 0, jnp.clip(rate + 0.1 * random.gaussian(u[2]), 0, 1)))
        member, x, pbest, one, two = self._parents(u[3:], state)
        donor = x + weight[:, None] * (pbest - x + one - two)
        donor = jnp.where(donor < 0, x / 2, jnp.where(donor > 1, (1 + x) / 2, donor))
        forced = (words[7] % dimension).astype(jnp.int32)[:, None] == np.arange(dimension, dtype=np.int32)[None]
        crossed = (random.across(words[7], dimension) < rate[:, None]) | forced
        trial = jnp.where(crossed, donor, x)
        if domain.discrete.any():
            v = random.unit(random.bits(key, (5, size, dimension), start=words.size))
            label = jnp.where(v[0] < weight[:, None], pbest, x)
            differ = (domain.index(one) != domain.index(two)) & (v[1] < weight[:, None])
            label = jnp.where(differ, one, label)
            label = jnp.where(v[2] < 1 / size, neighbour(v[3], label, domain), label)
            trial = jnp.where(domain.categorical[None] & crossed, label, trial)
            if domain.discrete.all():
                repeated = jnp.all(domain.index(trial) == domain.index(x), axis=1, keepdims=True)
                trial = jnp.where(repeated & forced, neighbour(v[4], x, domain), trial)
        trial = jnp.where(state.started, trial, x).astype(x.dtype)
        return Candidates(trial), dataclasses.replace(state, member=member, weight=weight, rate=rate)

    def tell(self, state: DEState, candidates: Candidates, results: Results) -> DEState:
        results = checked(candidates, results)
        x, loss, tried, shrinks = candidates.x, results.loss, True, self.num_generations is not None
        better = (loss < (state.loss[state.member] if shrinks else state.loss)) & state.started
        rates, learned = state.rates, jnp.any(better)
        exhausted = (rates[state.cell] < 0) | (jnp.max(jnp.where(better, state.rate, 0)) == 0)
        mean_rate = jnp.where(exhausted, -1, _lehmer(state.rate, better))
        here = learned & (np.arange(self.memory_size, dtype=np.int32) == state.cell)
        weights = jnp.where(here, _lehmer(state.weight, better), state.weights)
        if shrinks:
            row = _best_trials(state.member, loss, len(state.x))
            x, loss, tried = x[row], loss[row], row >= 0
        accepted, beaten = tried & (loss <= state.loss), tried & (loss < state.loss) & state.started
        x, loss = jnp.where(accepted[:, None], x, state.x), jnp.where(accepted, loss, state.loss)
        order = jnp.argsort(loss) if shrinks else slice(None)  # the best N are the first N
        room, generation = self._sizes(state)[1], state.generation + 1
        slot = jnp.where(beaten, (state.archived + jnp.cumsum(beaten, dtype=jnp.int32) - 1) % room, len(state.archive))
        archived = state.archived + jnp.sum(beaten, dtype=jnp.int32)
        return dataclasses.replace(
            state,
            x=x[order],
            loss=loss[order],
            archive=state.archive.at[slot].set(state.x, mode="drop"),
            archived=jnp.where(archived < room, archived, room + archived % room),
            weights=weights,
            below=cauchy.below_zero(weights),
            rates=jnp.where(here, mean_rate, rates),
            cell=jnp.where(learned, (state.cell + 1) % self.memory_size, state.cell),
            generation=generation,
            started=state.started | (generation >= len(state.x) // len(candidates.x)),
        )

    def _sizes(self, state: DEState) -> tuple[Array | int, Array | int]:
        """N, the number of members that have not been dropped, and the room for archived ones beside them."""
        most, room = len(state.x), len(state.archive)
        if self.num_generations is None:
            return most, room
        dtype = state.x.dtype
        progress = state.generation.astype(dtype) / self.num_generations
        alive = jnp.round(most + (4 - most) * progress).astype(jnp.int32)
        alive = jnp.clip(alive, 4, most)
        archived = (self.archive_share * alive.astype(dtype)).astype(jnp.int32)
        return alive, jnp.clip(archived, 1, room)

    def _parents(self, u: Array, state: DEState) -> tuple[Array, Array, Array, Array, Array]:
        """Whose trials are made, `[P]`, and the points `[P, D]` of these members, pbest, r1 and r2."""
        (size,), most, (alive, room) = state.weight.shape, len(state.x), self._sizes(state)
        x, member = state.x, state.member
        if self.num_generations is None:
            top = ranking.among_best(state.loss, min(size, max(2, round(self.greediness * size))))
            pbest = top[jnp.floor(u[0] * len(top)).astype(jnp.int32)]
        else:
            row = np.arange(size, dtype=np.int32)
            untold = jnp.minimum(state.generation * size + row, most - 1)
            place = row.astype(u.dtype) + u[3]
            # One in each P-th of the members.
            drawn = jnp.floor(place * (jnp.asarray(alive, u.dtype) / size)).astype(jnp.int32)
            member = jnp.where(state.started, jnp.minimum(drawn, alive - 1), untold)
            x, top = state.x[member], jnp.maximum(2, jnp.round(self.greediness * jnp.asarray(alive, u.dtype)))
            pbest = jnp.floor(u[0] * top).astype(jnp.int32)
        r1, r2 = _others(u[1], u[2], alive, jnp.minimum(state.archived, room), member)
        r2 = jnp.where(r2 < alive, r2, r2 - alive + most)
        pbest, r1, r2 = once(pbest), once(r1), once(r2)
        return member, x, state.x[pbest], state.x[r1], jnp.concatenate([state.x, state.archive])[r2]


def _others(u1: Array, u2: Array, size: Array | int, archived: Array, i: Array) -> tuple[Array, Array]:
    """r1 != i among the members, and r2 != i, r1 among members and archive, uniform, without a permutation."""
    others, both = (jnp.asarray(count, u1.dtype) for count in (size - 1, size - 2 + archived))
    r1 = (i + 1 + jnp.floor(u1 * others).astype(jnp.int32)) % size
    r2 = jnp.floor(u2 * both).astype(jnp.int32)
    r2 = r2 + (r2 >= jnp.minimum(i, r1)).astype(jnp.int32)
    return r1, r2 + (r2 >= jnp.maximum(i, r1)).astype(jnp.int32)


def _lehmer(values: Array, chosen: Array) -> Array:
    """The Lehmer mean sum(v^2)/sum(v) of the chosen ones; 0 of none."""
    v = jnp.where(chosen, values, 0)
    total = jnp.sum(v)
    some = total > 0
    return jnp.where(some, jnp.sum(v * v) / jnp.where(some, total, 1), 0)


def _best_trials(member: Array, loss: Array, most: int) -> Array:
    """`[most]` int32: the row of the best trial of each member; -1 without a trial."""
    lowest = jnp.full_like(loss, jnp.inf, shape=most).at[member].min(loss)
    row = jnp.where(loss == lowest[member], jnp.arange(len(loss), dtype=jnp.int32), -1)
    return jnp.full_like(row, -1, shape=most).at[member].max(row)
