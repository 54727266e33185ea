"""Tree-structured Parzen estimator."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import parzen, random
from jaxsearch.core.population import check_count, check_size, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar
from jaxsearch.core.visited import first_new, flag, flags, visit

MOST_GOOD = 25


@pytree
class TPEState:
    """What TPE remembers between generations; M points, lowest loss first."""

    x: Array  # [M, D]
    loss: Array  # [M]
    number: Array  # [M] int32, when a point was told; -1 where there is none yet
    told: Array  # [] int32, points told so far
    visited: Array  # [F] bool, what has been evaluated of a finite space
    domain: Domain = static()


@pytree
class TPE:
    """Tree-structured Parzen estimator: samples where good points are dense and others are not.

        l(x) = density of the best ceil(good * n) of n points, at most 25;  g(x) = density of all others
        candidate = argmax of l(x)/g(x) over samples from l

    A density of m points is the mean of m joint kernels and of the uniform density. A kernel is a product of
    truncated normals and, for a categorical coordinate of K values, of (m + 2)/(m + 1 + K) at the point's value and
    1/(m + 1 + K) at each other. A normal is as wide as it is far to the farther one of the two neighbours along the
    coordinate; where some coordinates are discrete, all are width * m^(-1/(D + 4)) wide; at least 1/(2 + m) and 0.01.
    The first points are uniform. On a finite space a point that was evaluated before is passed over, as long as one of
    as many samples is new. Each candidate costs samples * memory * D kernels of one coordinate: for losses that are
    dear.

    population_size: points per generation, drawn independently of each other; 1 if None.
    memory: M, at least 50; beyond, the oldest but for the best 25 are forgotten.
    samples: at least 1, samples from l for every candidate.
    num_initial: at least 2, uniform points before the first density. good: in (0, 1).
    width: above 0, of kernels in spaces with discrete coordinates.
    References: Bergstra, Bardenet, Bengio, Kegl, Algorithms for Hyper-Parameter Optimization, NeurIPS, 2011.
        Falkner, Klein, Hutter, BOHB, ICML, 2018 (joint kernels). Watanabe, Tree-Structured Parzen Estimator, arXiv
        2304.11127, 2023 (both widths).
    """

    population_size: int | None = static(default=None)
    memory: int = static(default=200)
    samples: int = static(default=24)
    num_initial: Scalar = 10.0
    good: Scalar = 0.1
    width: Scalar = 0.2

    def __post_init__(self):
        check_size(self.population_size)
        check_count("memory", self.memory, at_least=2 * MOST_GOOD)
        check_count("samples", self.samples)

    def init(self, key: Key, domain: Domain) -> TPEState:
        x = uniform(key, self.memory, domain)
        loss = jnp.full_like(x[:, 0], jnp.inf)
        number = jnp.full_like(loss, -1, dtype=jnp.int32)
        visited = jnp.zeros_like(loss, dtype=bool, shape=flags(domain)) | (loss[0] < 0)
        return TPEState(x, loss, number, number[0] * 0, visited, domain)

    def ask(self, key: Key, state: TPEState) -> tuple[Candidates, TPEState]:
        key_fresh, key_kernel, key_place = jax.random.split(key, 3)
        domain, size = state.domain, self.population_size or 1
        known = state.number >= 0
        count = jnp.sum(known)
        num_good = jnp.clip(jnp.ceil(self.good * count.astype(state.x.dtype)), 1, MOST_GOOD).astype(jnp.int32)
        others = known & (np.arange(self.memory, dtype=np.int32) >= num_good)
        words = random.bits(key_kernel, (size * self.samples,))
        kernel = (words % (num_good + 1).astype(jnp.uint32)).astype(jnp.int32)  # the last one is uniform
        u = uniform(key_place, size * self.samples, domain)
        best_x, good = state.x[:MOST_GOOD], jnp.arange(MOST_GOOD, dtype=jnp.int32) < num_good
        width, same = self._shape(best_x, good, domain)
        place = jnp.minimum(kernel, MOST_GOOD - 1)
        x = parzen.sample(u, best_x[place], width[place], same, domain)
        x = jnp.where((kernel == num_good)[:, None], u, x)
        score = parzen.log_density(x, best_x, good, width, same, domain)
        score = score - parzen.log_density(x, state.x, others, *self._shape(state.x, others, domain), domain)
        if len(state.visited):
            score = jnp.where(state.visited[flag(x, domain)], -jnp.inf, score)
        score, x = score.reshape(size, self.samples, 1), x.reshape(size, self.samples, -1)
        best = jnp.take_along_axis(x, jnp.argmax(score, axis=1, keepdims=True), axis=1)[:, 0]
        tries = self.samples if len(state.visited) else 1
        fresh = first_new(state.visited, uniform(key_fresh, tries * size, domain).reshape(tries, size, -1), domain)[0]
        starting = (state.told.astype(x.dtype) < self.num_initial) | jnp.isneginf(jnp.max(score, axis=1))
        return Candidates(jnp.where(starting, fresh, best)), state

    def _shape(self, x: Array, used: Array, domain: Domain) -> tuple[Array, Array]:
        """The widths `[M, D]` of kernels at the points `x`, and the share of a category that is the point's alone."""
        m = jnp.sum(used).astype(x.dtype)
        least = jnp.maximum(1 / (2 + m), 0.01)
        if domain.discrete.any():  # else narrow kernels keep the discrete values of the first good points
            width = self.width * jnp.maximum(m, 1) ** (-1 / (domain.size + 4))
            width = jnp.broadcast_to(jnp.maximum(width, least), x.shape).astype(x.dtype)
        else:
            width = parzen.spacing(x, used, least)
        return width, (m + 1) / (m + 1 + np.array(domain.cardinality, m.dtype)[None])

    def tell(self, state: TPEState, candidates: Candidates, results: Results) -> TPEState:
        results = checked(candidates, results)
        size = len(candidates.x)
        x = jnp.concatenate([state.x, candidates.x])
        loss = jnp.concatenate([state.loss, results.loss.astype(state.loss.dtype)])
        number = jnp.concatenate([state.number, state.told + jnp.arange(size, dtype=jnp.int32)])
        order = jnp.lexsort((number < 0, loss))
        x, loss, number = x[order], loss[order], number[order]
        rank = jnp.where(np.arange(len(x)) < MOST_GOOD, jnp.iinfo(jnp.int32).max, number)
        kept = jnp.sort(jax.lax.top_k(rank, self.memory)[1])
        visited = visit(state.visited, candidates.x, state.domain)
        return TPEState(x[kept], loss[kept], number[kept], state.told + size, visited, state.domain)

    def ended(self, state: TPEState) -> bool:
        """Never: it keeps exploring."""
        return False
