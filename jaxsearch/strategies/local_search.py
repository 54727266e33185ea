"""Local search: start anywhere, propose a random neighbour, keep it if it is not worse, restart when stuck."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.bounds import reflect
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_size, uniform
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar


@pytree
class LocalSearchState:
    """What LocalSearch remembers between generations."""

    x: Array  # [P, D] where each chain stands
    loss: Array  # [P] its loss; +inf: start afresh at the next ask
    step: Array  # [P] standard deviation of the continuous move
    stalled: Array  # [P] int32, proposals since the last strict improvement
    domain: Domain = static()


@pytree
class LocalSearch:
    """Independent chains of random neighbours, each a (1+1)-ES with the one-fifth rule on continuous coordinates.

        x' = reflect(x + step * z),  z ~ N(0, I)           or one discrete coordinate moved to another value
        x <- x' if loss(x') <= loss(x)
        step <- step * exp(0.8 / d) on success, step * exp(-0.2 / d) on failure,  d = sqrt(continuous + 1)

    The coordinate drawn uniformly from those that matter decides which kind of move is made. Categorical
    coordinates go to any other value with equal probability, ordered ones by a step of harmonic length. A chain
    restarts when it has met its neighbourhood about three times without improvement, or its step has vanished.

    population_size: the number of chains; 4 if None.
    initial_step: in (0, 1], the standard deviation of the first moves, as a share of the range.
    References: Rechenberg, Evolutionsstrategie, 1973. Kern et al., Learning probability distributions in
        continuous evolutionary algorithms, Natural Computing, 2004 (the one-fifth rule in this form).
    """

    population_size: int | None = static(default=None)
    initial_step: Scalar = 0.2

    def __post_init__(self):
        check_size(self.population_size)

    def init(self, key: Key, domain: Domain) -> LocalSearchState:
        x = uniform(key, self.population_size or 4, domain)
        loss = jnp.full_like(x[:, 0], jnp.inf)
        step = jnp.full_like(loss, self.initial_step)
        return LocalSearchState(x, loss, step, jnp.zeros_like(loss, dtype=jnp.int32), domain)

    def ask(self, key: Key, state: LocalSearchState) -> tuple[Candidates, LocalSearchState]:
        key_fresh, key_normal, key_value, key_coordinate = jax.random.split(key, 4)
        x, domain, shape = state.x, state.domain, state.x.shape
        discrete = domain.discrete[None]
        fresh = uniform(key_fresh, len(x), domain)
        proposal = reflect(x + state.step[:, None] * jax.random.normal(key_normal, shape, x.dtype))
        if discrete.any():
            draw = jnp.where(domain.active(x), uniform(key_coordinate, len(x), domain), -1)
            coordinate = jnp.argmax(draw, axis=1)[:, None]
            other = neighbour(uniform(key_value, len(x), domain), x, domain)
            one_changed = jnp.where(np.arange(domain.size)[None] == coordinate, other, x)
            chosen = jnp.asarray(domain.discrete)[coordinate]
            proposal = jnp.where(chosen, one_changed, jnp.where(discrete, x, proposal))
        return Candidates(jnp.where(jnp.isinf(state.loss)[:, None], fresh, proposal)), state

    def tell(self, state: LocalSearchState, candidates: Candidates, results: Results) -> LocalSearchState:
        discrete = state.domain.discrete
        moved = jnp.any((candidates.x != state.x) & ~discrete[None], axis=1) & jnp.isfinite(state.loss)
        accepted, improved = results.loss <= state.loss, results.loss < state.loss
        damping = np.sqrt(np.sum(~discrete) + 1.0)
        change = jnp.where(moved, jnp.exp(jnp.where(accepted, 0.8, -0.2) / damping), 1).astype(state.step.dtype)
        vanished = 4 * jnp.finfo(state.step.dtype).eps
        step = jnp.clip(state.step * change, vanished / 2, 1)
        stalled = jnp.where(improved, 0, state.stalled + 1)
        stuck = stalled > _patience(state.domain)
        if not discrete.any():
            stuck |= step < vanished
        return LocalSearchState(
            x=jnp.where(accepted[:, None], candidates.x, state.x),
            loss=jnp.where(stuck, jnp.inf, jnp.where(accepted, results.loss, state.loss)),
            step=jnp.where(stuck, jnp.asarray(self.initial_step, step.dtype), step),
            stalled=jnp.where(stuck, 0, stalled),
            domain=state.domain,
        )


def _patience(domain: Domain) -> int:
    """Proposals without improvement after which a chain is stuck."""
    values = np.array(domain.cardinality)[domain.discrete]
    # A missed neighbour has probability e^-3; long ordered coordinates count as 8, their steps being harmonic.
    discrete = 3 * int(
        np.minimum(np.maximum(values - 1, 0), np.where(domain.categorical[domain.discrete], values, 8)).sum()
    )
    continuous = int(np.sum(~domain.discrete))
    return 20 + discrete + (80 + 50 * continuous if continuous else 0)
