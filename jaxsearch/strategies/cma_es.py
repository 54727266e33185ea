"""Covariance matrix adaptation evolution strategy."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import margin, random
from jaxsearch.core.bounds import clip
from jaxsearch.core.covariance import Diagonal, Full
from jaxsearch.core.lengths import length
from jaxsearch.core.population import check_count, check_size, separate, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.recombination import constants, effective, rank_sum, share_ties
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar


@pytree
class CMAESState:
    """What CMAES remembers between generations; n numeric coordinates, c categorical ones."""

    mean: Array  # [n]
    step: Array  # [] sigma
    widening: Array  # [n] factors on the deviations of integers, which keep their margin
    covariance: Full | Diagonal
    step_path: Array  # [n]
    path: Array  # [n]
    odds: Array  # [c, K] probabilities of the values of categorical coordinates
    updates: Array  # [] int32, updates of the distribution so far
    batches: Array  # [] int32, populations that are collected for one update
    collected: Array  # [] int32
    drawn: Array  # [P, n] the last draws from N(0, C)
    sample: Array  # [P, n] the points they led to, before these were brought into the cube
    asked: Array  # [] bool, whether these two belong to the present distribution
    y: Array  # [R, n] collected steps (x - mean)/step, R = P * max_batches
    values: Array  # [R, c] int32, collected categories
    loss: Array  # [R]
    outside: Array  # [R] distances of the samples from the cube, summed over the real coordinates
    domain: Domain = static()


@pytree
class CMAES:
    """CMA-ES with active covariance update; margin for integers, learned odds for categories.

        x_k = mean + step * y_k,  y_k ~ N(0, C)
        mean <- mean + step * sum_i w_i y_i:lambda
        C    <- (1 - c1 - cmu sum w) C + c1 path path^T + cmu sum_i w_i y_i:lambda y_i:lambda^T
        step <- step * exp((cs / damping) * (|step_path| / E|N(0, I)| - 1))

    Samples outside the cube are evaluated at its nearest point; the update uses them as drawn, in the order of rank of
    loss plus half the rank of distance from the cube. Samples of equal rank share their weights, and the paths are
    normalized by the weights so shared. Losses that are all equal say nothing of C and of the odds of
    categories, which then stay as they are: a plateau does not turn the distribution, and the logarithm
    of the step has no drift. Only at the faces of the cube does it shrink, as samples beyond them count
    as worse.

    population_size: P, at least 2; 4 + floor(3 ln n) if None.
    initial_step: above 0, sigma at the start, as a share of the range; the mean starts uniformly in [0.1, 0.9]^n.
    batches: populations of P that make one sample of lambda = P * batches, at most max_batches (structure).
    References: Hansen, The CMA Evolution Strategy: A Tutorial, arXiv 1604.00772, 2016. Hamano et al., CMA-ES with
        Margin, GECCO, 2022. Hamano et al., CatCMA, GECCO, 2024. Sakamoto, Akimoto, Adaptive Ranking Based
        Constraint Handling, Evolutionary Computation 30, 2022 (its sum of ranks, here with a fixed weight).
    """

    population_size: int | None = static(default=None)
    max_batches: int = static(default=1)
    initial_step: Scalar = 0.2
    batches: Scalar = 1.0
    separable: ClassVar[bool] = False

    def __post_init__(self):
        check_size(self.population_size, at_least=2)
        check_count("max_batches", self.max_batches)

    def init(self, key: Key, domain: Domain) -> CMAESState:
        parts = margin.Parts(domain)
        n = parts.numeric.size
        size = self.population_size or 4 + int(3 * np.log(n))
        mean = 0.1 + 0.8 * uniform(key, 1, parts.numeric)[0]
        rows = jnp.zeros_like(mean[None], shape=(size * self.max_batches, n)) + mean[:1][None] * 0
        count = jnp.zeros_like(mean[0], dtype=jnp.int32)
        batches = jnp.clip(jnp.round(jnp.asarray(self.batches, mean.dtype)), 1, self.max_batches).astype(jnp.int32)
        state = CMAESState(
            mean=mean,
            step=mean[0] * 0 + self.initial_step,
            widening=jnp.ones_like(mean),
            covariance=(Diagonal if self.separable else Full).identity(mean),
            step_path=jnp.zeros_like(mean),
            path=jnp.zeros_like(mean),
            odds=margin.even_odds(parts.cells, mean[:1][None]),
            updates=count,
            batches=count + batches,
            collected=count,
            drawn=rows[:size],
            sample=rows[:size],
            asked=count > 0,
            y=rows,
            values=jnp.zeros_like(rows, jnp.int32, shape=(len(rows), len(parts.cells))) + count,
            loss=rows[:, 0] + jnp.inf,
            outside=rows[:, 0],
            domain=domain,
        )
        return separate(state)

    def ask(self, key: Key, state: CMAESState) -> tuple[Candidates, CMAESState]:
        parts, z = margin.Parts(state.domain), random.normal(key, state.sample.shape)
        drawn = state.covariance.sample(z)
        sample = state.mean[None] + state.step * state.widening[None] * drawn
        u = random.unit(random.bits(key, (len(sample), len(parts.cells)), start=z.size))
        values = margin.draw_values(u, state.odds, parts.cells)
        state = dataclasses.replace(state, drawn=drawn, sample=sample, asked=jnp.ones_like(state.asked))
        return Candidates(parts.join(sample, values)), state

    def tell(self, state: CMAESState, candidates: Candidates, results: Results) -> CMAESState:
        results = checked(candidates, results)
        parts, size = margin.Parts(state.domain), len(state.sample)
        x, values = parts.split(candidates.x)
        # Else the point was replaced. A compiler may round the same sum differently for `ask` and `tell`.
        unchanged = jnp.abs(x - clip(state.sample)) <= 4 * jnp.finfo(x.dtype).eps
        as_drawn = jnp.all(unchanged, axis=1, keepdims=True)
        as_drawn = (as_drawn & state.asked) | parts.dummy
        x = jnp.where(as_drawn, state.sample, x)
        # The draw itself where it is known: a point may be too close to the mean to tell it.
        y = jnp.where(as_drawn, state.drawn, (x - state.mean[None]) / (state.step * state.widening[None]))
        outside = jnp.sum(jnp.abs(x - clip(x)) * parts.bounded[None].astype(x.dtype), axis=1)

        def put(rows: Array, new: Array) -> Array:
            return jax.lax.dynamic_update_slice_in_dim(rows, new, state.collected * size, axis=0)

        state = dataclasses.replace(
            state,
            y=put(state.y, y),
            values=put(state.values, values),
            loss=put(state.loss, results.loss.astype(state.loss.dtype)),
            outside=put(state.outside, outside),
            collected=state.collected + 1,
        )
        if self.max_batches == 1:
            return self._update(state)
        return jax.lax.cond(state.collected >= state.batches, self._update, lambda state: state, state)

    def _update(self, state: CMAESState) -> CMAESState:
        parts, (rows, n), dtype = margin.Parts(state.domain), state.y.shape, state.mean.dtype
        samples = state.batches * len(state.sample)
        k = constants(samples.astype(dtype), rows, n, self.separable)
        used = jnp.arange(rows, dtype=jnp.int32) < samples
        ranks = rank_sum(state.loss, state.outside, used)
        order = jnp.argsort(ranks)
        ranks, y, values = ranks[order], state.y[order], state.values[order]
        both = jnp.stack([k.weights, jnp.maximum(k.weights, 0)])
        weights, positive = jnp.where(used[None], jax.vmap(share_ties, (0, None))(both, ranks), 0)
        mass, y_mean = effective(positive), positive @ y
        mean = state.mean + state.step * state.widening * y_mean
        step_path = (1 - k.cs) * state.step_path + jnp.sqrt(k.cs * (2 - k.cs) * mass) * state.covariance.whiten(y_mean)
        path_length, expected = length(step_path), np.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))
        step = state.step * jnp.exp(jnp.minimum(1, k.cs / k.damping * (path_length / expected - 1)))
        updates = state.updates + 1
        moving = path_length < (1.4 + 2 / (n + 1)) * expected * jnp.sqrt(1 - (1 - k.cs) ** (2 * updates.astype(dtype)))
        moving = moving.astype(dtype)
        path = (1 - k.cc) * state.path + moving * jnp.sqrt(k.cc * (2 - k.cc) * mass) * y_mean
        distance = jnp.maximum(state.covariance.distance(y), jnp.finfo(dtype).tiny)
        weights_c = jnp.where(weights >= 0, weights, weights * n / distance)
        decay = 1 + k.c1 * (1 - moving) * k.cc * (2 - k.cc) - k.c1 - k.cmu * jnp.sum(weights)
        due = updates % jnp.maximum(1, 1 / (10 * n * (k.c1 + k.cmu))).astype(jnp.int32) == 0
        # An update by chance alone keeps the mean of C, and so lowers the mean of its logarithm.
        lowest, highest = (jnp.where(used, state.loss, end) for end in (jnp.inf, -jnp.inf))
        plateau = jnp.min(lowest) == jnp.max(highest)
        decay = jnp.where(plateau, 1, decay)
        c1, cmu = (jnp.where(plateau, 0, rate) for rate in (k.c1, k.cmu))
        covariance = state.covariance.update(decay, c1, path, cmu * weights_c, y, due)
        least = jnp.finfo(dtype).eps ** 2  # a plateau must not let it grow or shrink for ever
        step = jnp.clip(step, least, jnp.maximum(1 / covariance.longest, least))
        deviations = step * covariance.deviations()
        odds_beyond = 1 / (len(state.sample) * n)
        mean, widened = margin.keep_margin(mean, deviations * state.widening, parts.numeric, odds_beyond)
        free = max(int(np.sum(parts.cells - 1)), 1)
        rate = jnp.where(plateau, 0, mass / (mass + free))
        return dataclasses.replace(
            state,
            mean=mean,
            step=step,
            widening=jnp.where(parts.numeric.discrete, jnp.maximum(widened / deviations, 1), 1).astype(dtype),
            covariance=covariance,
            step_path=step_path,
            path=path,
            odds=margin.learn_odds(state.odds, values, positive, rate, parts.cells),
            updates=updates,
            collected=jnp.zeros_like(state.collected),
            asked=jnp.zeros_like(state.asked),
        )

    def ended(self, state: CMAESState) -> Array:
        """Whether the condition number of the covariance has reached what the precision can bear."""
        return state.covariance.ill
