"""Local search: start anywhere, propose a random neighbour, keep it if it is not worse, restart when stuck."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import random
from jaxsearch.core.bounds import reflect
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_size, uniform, varying
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar
from jaxsearch.core.visited import first_new, flags, visit

TARGET, THRESHOLD = 2 / 11, 0.44  # success rates: the one to keep, and the one above which the path stalls
TRIES = 64  # neighbours that are drawn on a finite space to find one that is new


@pytree
class LocalSearchState:
    """What LocalSearch remembers between generations; n continuous coordinates."""

    x: Array  # [P, D] where each chain stands
    loss: Array  # [P] its loss; +inf: start afresh at the next ask
    step: Array  # [P] sigma of the continuous move
    factor: Array  # [P, n, n] A with A A^T = C, the covariance of the continuous move
    path: Array  # [P, n]
    success: Array  # [P] smoothed success rate
    stalled: Array  # [P] int32, proposals since the last strict improvement
    visited: Array  # [F] bool, what has been evaluated of a finite space
    domain: Domain = static()


@pytree
class LocalSearch:
    """Independent chains of random neighbours, each a (1+1)-CMA-ES on continuous coordinates.

        x' = reflect(x + step * A z),  z ~ N(0, I)         or one discrete coordinate moved to another value
        x <- x' if loss(x') <= loss(x)
        success <- (11 success + [accepted]) / 12,  step <- step * exp((success - 2/11) / ((1 - 2/11)(1 + n/2)))
        on success  path <- (1 - cc) path + sqrt(cc (2 - cc)) A z,  A A^T <- (1 - ccov) A A^T + ccov path path^T

    The coordinate drawn uniformly from those that matter decides which kind of move is made. Categorical
    coordinates go to any other value with equal probability, ordered ones by a step of harmonic length. A chain
    restarts when it has met its neighbourhood about three times without improvement, or its step has vanished. On a
    finite space it evaluates no neighbour twice, and restarts as soon as it finds none that is new.

    population_size: the number of chains; 1 if None; more share the budget, but are evaluated side by side.
    initial_step: in (0, 1], the expected length of the first continuous moves in the unit cube, whatever its
        dimension.
    References: Igel, Suttorp, Hansen, A Computational Efficient Covariance Matrix Update and a (1+1)-CMA for
        Evolution Strategies, GECCO, 2006.
    """

    population_size: int | None = static(default=None)
    initial_step: Scalar = 0.5

    def __post_init__(self):
        check_size(self.population_size)

    def init(self, key: Key, domain: Domain) -> LocalSearchState:
        x = uniform(key, self.population_size or 1, domain)
        zero = jnp.zeros_like(x[:, 0])
        path = jnp.zeros_like(x[:, ~domain.discrete])
        factor = jnp.eye(path.shape[1], dtype=x.dtype)[None] + path[:, None]
        step, success = zero + self._first_step(path.shape[1]), zero + TARGET
        stalled = jnp.zeros_like(zero, dtype=jnp.int32)
        visited = jnp.zeros_like(stalled, dtype=bool, shape=flags(domain)) | (stalled[0] < 0)
        return LocalSearchState(x, zero + jnp.inf, step, factor, path, success, stalled, visited, domain)

    def ask(self, key: Key, state: LocalSearchState) -> tuple[Candidates, LocalSearchState]:
        key_fresh, key_normal, key_value, key_coordinate = jax.random.split(key, 4)
        x, domain, continuous = state.x, state.domain, np.flatnonzero(~state.domain.discrete)
        z = random.normal(key_normal, state.path.shape)
        move = state.step[:, None] * jnp.einsum("pij,pj->pi", state.factor, z, precision="highest")
        proposal = x.at[:, continuous].set(reflect(x[:, continuous] + move))
        tries = TRIES if len(state.visited) else 1
        again = (tries, *x.shape)
        if domain.discrete.any():
            here = jnp.tile(x, (tries, 1))
            draw = jnp.where(domain.active(here), uniform(key_coordinate, len(here), domain), -1)
            coordinate = jnp.argmax(draw, axis=1).astype(jnp.int32)[:, None]
            other = neighbour(uniform(key_value, len(here), domain), here, domain)
            one_changed = jnp.where(np.arange(domain.size, dtype=np.int32)[None] == coordinate, other, here)
            moved = jnp.tile(proposal, (tries, 1))
            proposal = jnp.where(jnp.asarray(domain.discrete)[coordinate], one_changed, moved)
        proposal, new = first_new(state.visited, proposal.reshape(again), domain)
        fresh, _ = first_new(state.visited, uniform(key_fresh, tries * len(x), domain).reshape(again), domain)
        loss = jnp.where(new, state.loss, jnp.inf)  # a chain whose neighbours are all known restarts at once
        state = dataclasses.replace(state, loss=loss)
        return Candidates(jnp.where(jnp.isinf(loss)[:, None], fresh, proposal)), state

    def tell(self, state: LocalSearchState, candidates: Candidates, results: Results) -> LocalSearchState:
        results = checked(candidates, results)
        continuous = np.flatnonzero(~state.domain.discrete)
        n = len(continuous)
        change = (candidates.x - state.x)[:, continuous]
        changed = jnp.any(change != 0, axis=1)
        # Where nothing moved, the step may be too short for its square, the divisor of the gradient.
        y = change / jnp.where(changed, state.step, 1)[:, None]
        moved = changed & jnp.isfinite(state.loss)
        accepted, improved = results.loss <= state.loss, results.loss < state.loss
        rate = accepted.astype(state.success.dtype)
        success = jnp.where(moved, state.success + (rate - state.success) / 12, state.success)
        step = jnp.where(moved, state.step * jnp.exp((success - TARGET) / ((1 - TARGET) * (1 + n / 2))), state.step)
        learned = (moved & accepted)[:, None]
        path, factor = _learn(state.path, state.factor, y, success < THRESHOLD)
        path = jnp.where(learned, path, state.path)
        factor = jnp.where(learned[..., None], factor, state.factor)
        longest = jnp.sqrt(jnp.max(jnp.sum(factor**2, axis=2), axis=1, initial=0))
        too_long = step * longest > 1
        step = jnp.where(too_long, step / jnp.where(too_long, longest, 1), step)
        stalled = jnp.where(improved, 0, state.stalled + 1)
        stuck = stalled > _patience(state.domain)
        if n == state.domain.size:
            stuck |= step * longest < 1e-10 if step.dtype == jnp.float64 else step * longest < 4e-7

        def keep(new: Array, initial: Scalar | Array) -> Array:
            kept = jnp.where(stuck.reshape((-1,) + (1,) * (new.ndim - 1)), initial, new).astype(new.dtype)
            return varying(kept, state.loss)  # where nothing is continuous, `where` makes a constant of the empty array

        return LocalSearchState(
            x=jnp.where(accepted[:, None], candidates.x, state.x),
            loss=keep(jnp.where(accepted, results.loss, state.loss), jnp.inf),
            step=keep(step, self._first_step(n)),
            factor=keep(factor, jnp.eye(n, dtype=factor.dtype)[None]),
            path=keep(path, 0),
            success=keep(success, TARGET),
            stalled=keep(stalled, 0),
            visited=visit(state.visited, candidates.x, state.domain),
            domain=state.domain,
        )

    def _first_step(self, n: int) -> Scalar:
        return self.initial_step / float(max(n, 1)) ** 0.5

    def ended(self, state: LocalSearchState) -> bool:
        """Never: the chains restart themselves."""
        return False


def _learn(path: Array, factor: Array, y: Array, moving: Array) -> tuple[Array, Array]:
    """The path and the factor of every chain after the success of its step `y`; the covariance rests while not
    `moving`, since successes this frequent say that the step is too short."""
    n = y.shape[1]
    cc, ccov = 2 / (n + 2), 2 / (n * n + 6)
    path = (1 - cc) * path + jnp.where(moving[:, None], np.sqrt(cc * (2 - cc)), 0) * y
    decay = jnp.where(moving, 1 - ccov, 1 - ccov + ccov * cc * (2 - cc))
    if not n:
        return path, factor
    w = jnp.linalg.solve(factor, path[..., None])[..., 0]
    square = jnp.sum(w * w, axis=1)
    short = square < jnp.finfo(w.dtype).eps ** 2
    square = jnp.where(short, 1, square)
    # A' = sqrt(decay) A + gain path w^T,  w = A^-1 path, has A' A'^T = decay A A^T + ccov path path^T.
    gain = jnp.sqrt(decay) * jnp.expm1(jnp.log1p(ccov / decay * square) / 2) / square
    # The limit, where the quotient would divide by 0.
    gain = jnp.where(short, ccov / (2 * jnp.sqrt(decay)), gain)
    root = jnp.sqrt(decay)[:, None, None]
    return path, root * factor + gain[:, None, None] * path[:, :, None] * w[:, None, :]


def _patience(domain: Domain) -> int:
    """Proposals without improvement after which a chain is stuck."""
    values = np.array(domain.cardinality)[domain.discrete]
    # A missed neighbour has probability e^-3; long ordered coordinates count as 8, their steps being harmonic.
    discrete = 3 * int(
        np.minimum(np.maximum(values - 1, 0), np.where(domain.categorical[domain.discrete], values, 8)).sum()
    )
    continuous = int(np.sum(~domain.discrete))
    return 20 + discrete + (180 + 20 * continuous if continuous else 0)
