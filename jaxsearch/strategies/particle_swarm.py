"""Particle swarm optimization."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import random, ranking
from jaxsearch.core.bounds import clip
from jaxsearch.core.fusion import once
from jaxsearch.core.lengths import length
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_count, check_size, separate, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar

TOPOLOGIES, UPDATES = ("random", "ring", "global"), ("coordinate", "sphere")


@pytree
class PSOState:
    """What PSO remembers between generations."""

    x: Array  # [P, D] current positions
    velocity: Array  # [P, D] 0 on categorical coordinates
    best_x: Array  # [P, D] each particle's own best
    best_loss: Array  # [P]
    informants: Array  # [P, K] int32, whom each particle informs; [P, 0] where the topology is fixed
    rate: Array  # [P] the share of its coordinates that a particle moves; -1: drawn anew
    improved: Array  # [] bool, whether the last generation improved the swarm's best
    started: Array  # [] bool, whether the initial sample has been told
    domain: Domain = static()


@pytree
class PSO:
    """Standard particle swarm 2007 with crossover: random informants, redrawn when a generation brings no improvement.

        velocity <- inertia * velocity + cognitive * r1 * (best_x - x) + social * r2 * (leader - x)
        x        <- clip(x + velocity, 0, 1);  r1, r2 ~ U[0, 1] per coordinate

    A velocity that points out of the cube where its particle is at a face first turns: velocity <- -velocity/2.
    Every particle tells K drawn ones of its best; the leader is the best of those a particle hears of and its own,
    and the social term is dropped for a particle that leads itself. A coordinate moves with the particle's rate, one
    always, and else is the own best's, while its velocity goes on; the rate is 1 or, with probability `crossover`,
    uniform in [0, 1], and drawn anew unless the particle improved its best. A categorical coordinate that moves keeps
    its value, takes the own best's or the leader's, with probabilities proportional to inertia, cognitive/2 and
    social/2, and goes to another value with probability 1/D.

    The sphere update (SPSO 2011) does not depend on the coordinate system, so it has no crossover:

        velocity <- inertia * velocity + pull + r * |pull| * u,  r ~ U[0, 1] per particle, u uniform on the sphere
        pull      = (cognitive * (best_x - x) + social * (leader - x)) / 3;  cognitive * (best_x - x) / 2 if it leads

    population_size: particles; 10 + floor(2 sqrt(D)) if None.
    topology: "random"; "ring", where a particle hears of its two neighbours; or "global", where all hear of all.
    update: "coordinate" or "sphere".
    num_informants: K, drawn with replacement; only of the random topology.
    inertia: in [0, 1). cognitive, social: at least 0, usually below 2. crossover: in [0, 1].
    References: Clerc, Standard Particle Swarm Optimisation, HAL hal-00764996, 2012 (SPSO 2007, and
        the rebound and the sphere of SPSO 2011). Clerc, Kennedy, The Particle Swarm, IEEE Trans. Evol. Comput., 2002.
        Engelbrecht, Particle Swarm Optimization with Crossover, Artificial Intelligence Review, 2016. Brest et al.,
        Self-Adapting Control Parameters in Differential Evolution, IEEE Trans. Evol. Comput., 2006 (rates that stay).
    """

    population_size: int | None = static(default=None)
    topology: str = static(default="random")
    update: str = static(default="coordinate")
    num_informants: int = static(default=3)
    inertia: Scalar = 0.7213
    cognitive: Scalar = 1.1931
    social: Scalar = 1.1931
    crossover: Scalar = 0.5

    def __post_init__(self):
        check_size(self.population_size)
        check_count("num_informants", self.num_informants)
        if self.topology not in TOPOLOGIES or self.update not in UPDATES:
            raise ValueError(
                f"topology must be one of {TOPOLOGIES} and update one of {UPDATES}; got {self.topology!r} and "
                f"{self.update!r}. Leave them out for the first."
            )

    def init(self, key: Key, domain: Domain) -> PSOState:
        key_x, key_velocity, key_informants = jax.random.split(key, 3)
        size = self.population_size or 10 + int(2 * np.sqrt(domain.size))
        x = uniform(key_x, size, domain)
        velocity = jnp.where(domain.categorical[None], 0, (uniform(key_velocity, size, domain) - x) / 2)
        loss, false = jnp.full_like(x[:, 0], jnp.inf), jnp.zeros_like(x[0, 0], dtype=bool)
        informants = self._informants(key_informants, size)
        return separate(PSOState(x, velocity, x, loss, informants, -jnp.ones_like(loss), false, false, domain))

    def ask(self, key: Key, state: PSOState) -> tuple[Candidates, PSOState]:
        x, size, domain = state.x, len(state.x), state.domain
        informants = jnp.where(state.improved, state.informants, self._informants(key, size, x.size))
        leader = self._leaders(informants, state.best_loss)
        follows = ((leader != np.arange(size, dtype=np.int32)) & jnp.isfinite(state.best_loss[leader]))[:, None]
        leader_x = state.best_x[leader]
        r1, r2 = random.uniforms(key, x.shape)
        own, others = self.cognitive * (state.best_x - x), jnp.where(follows, self.social * (leader_x - x), 0)
        if self.update == "coordinate":
            step = r1 * own + r2 * others
        else:
            pull = jnp.where(domain.categorical[None], 0, (own + others) / jnp.where(follows, 3, 2))
            step = pull + _in_ball(jax.random.fold_in(key, 1), pull, domain)
        outward = ((x <= 0) & (state.velocity < 0)) | ((x >= 1) & (state.velocity > 0))
        velocity = self.inertia * jnp.where(outward, -state.velocity / 2, state.velocity) + step
        velocity = jnp.where(state.started, velocity, state.velocity).astype(x.dtype)
        moved = clip(x + velocity)
        if domain.categorical.any():
            social = jnp.where(follows, self.social, 0) / 2
            point = r1 * (self.inertia + self.cognitive / 2 + social)
            copied = jnp.where(
                point < self.inertia, x, jnp.where(point < self.inertia + self.cognitive / 2, state.best_x, leader_x)
            )
            # Given that r2 < 1/D, r2 * D is uniform again.
            copied = jnp.where(
                r2 < 1 / domain.size, neighbour(random.fraction(r2 * domain.size), copied, domain), copied
            )
            categorical = domain.categorical[None]
            moved, velocity = jnp.where(categorical, copied, moved), jnp.where(categorical, 0, velocity)
        rate = state.rate
        if self.update == "coordinate":
            rate, moves = self._crossover(key, rate, x)
            moved = jnp.where(moves, moved, state.best_x)
        x = jnp.where(state.started, moved, x).astype(x.dtype)
        return Candidates(x), dataclasses.replace(state, x=x, velocity=velocity, informants=informants, rate=rate)

    def tell(self, state: PSOState, candidates: Candidates, results: Results) -> PSOState:
        results = checked(candidates, results)
        better = results.loss <= state.best_loss  # equal ones too, so that the swarm drifts over plateaus
        return dataclasses.replace(
            state,
            x=candidates.x,
            best_x=jnp.where(better[:, None], candidates.x, state.best_x),
            best_loss=jnp.where(better, results.loss, state.best_loss),
            rate=jnp.where(results.loss < state.best_loss, state.rate, -1),
            improved=jnp.min(results.loss) < jnp.min(state.best_loss),
            started=jnp.ones_like(state.started),
        )

    def _informants(self, key: Key, size: int, start: int = 0) -> Array:
        count = self.num_informants if self.topology == "random" else 0
        return (random.bits(key, (size, count), start) % size).astype(jnp.int32)

    def _crossover(self, key: Key, rate: Array, x: Array) -> tuple[Array, Array]:
        """The particles' rates `[P]`, and which coordinates move, `[P, D]` bool."""
        size, dimension = x.shape
        words = once(random.bits(key, (4, size), x.size + size * self.num_informants))
        share, drawn = random.unit(words[0]), random.unit(words[1])
        rate = jnp.where(rate < 0, jnp.where(share < self.crossover, drawn, 1), rate).astype(rate.dtype)
        always = (words[2] % dimension).astype(jnp.int32)[:, None] == np.arange(dimension, dtype=np.int32)[None]
        return rate, (random.across(words[3], dimension) < rate[:, None]) | always

    def _leaders(self, informants: Array, loss: Array) -> Array:
        """Int32: whose best each particle follows, `[P]`, or `[1]` where all follow the same."""
        own = jnp.arange(len(loss), dtype=jnp.int32)
        if self.topology == "global":
            return ranking.lowest(loss)[None]
        if self.topology == "ring":
            heard = (own[:, None] + np.arange(-1, 2, dtype=np.int32)[None]) % len(loss)
            return jnp.take_along_axis(heard, jnp.argmin(loss[heard], axis=1)[:, None], axis=1)[:, 0]
        # Two scatters of minima, first of losses and then of those that have them, are far cheaper than a sort.
        lowest = loss.at[informants].min(jnp.broadcast_to(loss[:, None], informants.shape))
        nobody = len(loss)
        leader = jnp.where(loss == lowest, own, nobody)
        return leader.at[informants].min(jnp.where(loss[:, None] == lowest[informants], own[:, None], nobody))


def _in_ball(key: Key, pull: Array, domain: Domain) -> Array:
    """`[P, D]`: in a uniform direction, as long as a uniform share of the pull; 0 on categorical coordinates."""
    key_direction, key_share = jax.random.split(key)
    direction = jnp.where(domain.categorical[None], 0, random.normal(key_direction, pull.shape))
    tiny = jnp.finfo(pull.dtype).tiny
    unit = direction / jnp.maximum(length(direction, axis=1, keepdims=True), tiny)
    share = random.uniform(key_share, (len(pull), 1))
    return share * length(pull, axis=1, keepdims=True) * unit
