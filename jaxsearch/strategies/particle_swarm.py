"""Particle swarm optimization."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.bounds import clip
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_size, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar


@pytree
class PSOState:
    """What PSO remembers between generations."""

    x: Array  # [P, D] current positions
    velocity: Array  # [P, D] 0 on categorical coordinates
    best_x: Array  # [P, D] each particle's own best
    best_loss: Array  # [P]
    informants: Array  # [P, K] int32, whom each particle informs
    improved: Array  # [] bool, whether the last generation improved the swarm's best
    started: Array  # [] bool, whether the initial sample has been told
    domain: Domain = static()


@pytree
class PSO:
    """Standard particle swarm 2007: random informants, redrawn after every generation without improvement.

        velocity <- inertia * velocity + cognitive * r1 * (best_x - x) + social * r2 * (leader - x)
        x        <- clip(x + velocity, 0, 1), velocity 0 where clipped;  r1, r2 ~ U[0, 1] per coordinate

    Every particle tells K drawn ones of its best; the leader is the best of those a particle hears of and its
    own, and the social term is dropped for a particle that leads itself. A categorical coordinate keeps its
    value, takes the own best's or the leader's, with probabilities proportional to inertia, cognitive/2 and
    social/2, and goes to another value with probability 1/D.

    population_size: particles; 10 + floor(2 sqrt(D)) if None.
    num_informants: K, drawn with replacement.
    inertia: in [0, 1). cognitive, social: at least 0, usually below 2.
    References: Clerc, Standard Particle Swarm Optimisation, HAL hal-00764996, 2012 (SPSO 2007). Clerc, Kennedy,
        The Particle Swarm, IEEE Trans. Evol. Comput., 2002.
    """

    population_size: int | None = static(default=None)
    num_informants: int = static(default=3)
    inertia: Scalar = 0.7213
    cognitive: Scalar = 1.1931
    social: Scalar = 1.1931

    def __post_init__(self):
        check_size(self.population_size)
        if self.num_informants < 1:
            raise ValueError(f"num_informants must be at least 1; got {self.num_informants}. The default is 3.")

    def init(self, key: Key, domain: Domain) -> PSOState:
        key_x, key_velocity, key_informants = jax.random.split(key, 3)
        size = self.population_size or 10 + int(2 * np.sqrt(domain.size))
        x = uniform(key_x, size, domain)
        velocity = jnp.where(domain.categorical[None], 0, (uniform(key_velocity, size, domain) - x) / 2)
        informants = jax.random.randint(key_informants, (size, self.num_informants), 0, size)
        false = jnp.zeros_like(informants[0, 0], dtype=bool)
        return PSOState(x, velocity, x, jnp.full_like(x[:, 0], jnp.inf), informants, false, false, domain)

    def ask(self, key: Key, state: PSOState) -> tuple[Candidates, PSOState]:
        key_cognitive, key_social, key_informants = jax.random.split(key, 3)
        x, size, domain = state.x, len(state.x), state.domain
        drawn = jax.random.randint(key_informants, state.informants.shape, 0, size)
        informants = jnp.where(state.improved, state.informants, drawn)
        leader = _leaders(informants, state.best_loss)
        follows = (leader != np.arange(size)) & jnp.isfinite(state.best_loss[leader])
        leader_x = state.best_x[leader]
        r1, r2 = uniform(key_cognitive, size, domain), uniform(key_social, size, domain)
        pull = jnp.where(follows[:, None], self.social * r2 * (leader_x - x), 0)
        velocity = self.inertia * state.velocity + self.cognitive * r1 * (state.best_x - x) + pull
        moved = clip(x + velocity)
        velocity = jnp.where(moved == x + velocity, velocity, 0)
        if domain.categorical.any():
            social = jnp.where(follows, self.social, 0)[:, None] / 2
            point = r1 * (self.inertia + self.cognitive / 2 + social)
            copied = jnp.where(
                point < self.inertia, x, jnp.where(point < self.inertia + self.cognitive / 2, state.best_x, leader_x)
            )
            # Given that r2 < 1/D, r2 * D is uniform again.
            copied = jnp.where(r2 < 1 / domain.size, neighbour(r2 * domain.size % 1, copied, domain), copied)
            categorical = domain.categorical[None]
            moved, velocity = jnp.where(categorical, copied, moved), jnp.where(categorical, 0, velocity)
        x = jnp.where(state.started, moved, x).astype(x.dtype)
        velocity = jnp.where(state.started, velocity, state.velocity).astype(x.dtype)
        return Candidates(x), PSOState(
            x, velocity, state.best_x, state.best_loss, informants, state.improved, state.started, domain
        )

    def tell(self, state: PSOState, candidates: Candidates, results: Results) -> PSOState:
        better = results.loss <= state.best_loss  # equal ones too, so that the swarm drifts over plateaus
        return PSOState(
            x=candidates.x,
            velocity=state.velocity,
            best_x=jnp.where(better[:, None], candidates.x, state.best_x),
            best_loss=jnp.where(better, results.loss, state.best_loss),
            informants=state.informants,
            improved=jnp.min(results.loss) < jnp.min(state.best_loss),
            started=jnp.ones_like(state.started),
            domain=state.domain,
        )


def _leaders(informants: Array, loss: Array) -> Array:
    """`[P]` int32: whose best each particle follows, when particle i informs itself and `informants[i]`."""
    order = jnp.argsort(loss)
    rank = jnp.zeros_like(order).at[order].set(jnp.arange(len(loss), dtype=order.dtype))
    best = rank.at[informants].min(jnp.broadcast_to(rank[:, None], informants.shape))
    return order[best]
