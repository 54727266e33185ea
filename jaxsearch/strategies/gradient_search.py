"""Gradient search with restarts."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsearch.core.bounds import clip
from jaxsearch.core.lengths import length
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_size, separate, uniform, varying
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, PyTree, Results, Scalar
from jaxsearch.strategies.quasi_newton import LineSearch, scale_by_bfgs

LARGEST_MATRIX = 1000  # coordinates up to which the D x D matrix of BFGS is kept; beyond, ten pairs of vectors
MOST_TRIALS = 10
HOPE = 1e6  # a run ends when even so many times the decrease that its model predicts would not make it the best


@pytree
class GradientSearchState:
    """What GradientSearch remembers between generations."""

    x: Array  # [P, D] the point from which each chain searches
    loss: Array  # [P]
    gradient: Array  # [P, D] 0 where it points out of the cube
    direction: Array  # [P, D]
    search: LineSearch
    optimizer: PyTree  # the optax state, with leading axis P
    steepest: Array  # [P] bool, whether the direction is that of steepest descent
    run_loss: Array  # [P] best loss since the restart
    stalled: Array  # [P] int32, generations since run_loss fell
    restart: Array  # [P] bool, whether the next ask starts afresh
    best_x: Array  # [P, D] best point of the chain, over all its restarts
    best_loss: Array  # [P]
    domain: Domain = static()


@pytree
class GradientSearch:
    """Multistart of projected BFGS with a line search, or of gradient descent through any optax transformation.

        x <- clip(x - t H grad J(x), 0, 1),  t by the weak Wolfe conditions, one trial per generation
        x <- clip(x + updates, 0, 1),        updates from optax, when an optimizer is given

    A coordinate on a face of the cube whose gradient points outwards stays there. A failed line search is tried
    once more along the gradient; then, or when the loss does not fall any more, or when BFGS nears a minimum above the
    best loss so far or meets a plateau, the chain restarts. Needs `Results.grad`, e.g. from
    `Vectorized(objective, gradients=True)`. Discrete coordinates have no gradient: they stay during a run, and every
    other restart is a neighbour of the chain's best point with discrete coordinates moved to another value, each with
    probability 1/(their number). All other restarts are uniform.

    population_size: the number of chains; 1 if None; more share the budget, but are evaluated side by side.
    optimizer: None is BFGS (L-BFGS beyond 1,000 coordinates); else any optax transformation that needs no more than
        gradient, parameters and value, e.g. `optax.adam(0.02)` (a share of the range), but no line search, which
        would evaluate on its own.
    first_step: above 0, the length of the first trial of a run of BFGS.
    patience: generations without improvement before a chain restarts.
    References: Nocedal, Wright, Numerical Optimization, 2006. Byrd, Lu, Nocedal, Zhu, A Limited Memory Algorithm
        for Bound Constrained Optimization, SIAM J. Sci. Comput., 1995.
    """

    population_size: int | None = static(default=None)
    optimizer: optax.GradientTransformation | None = static(default=None)
    first_step: Scalar = 0.1
    patience: Scalar = 30

    def __post_init__(self):
        check_size(self.population_size)
        if self.optimizer is not None and not isinstance(self.optimizer, optax.GradientTransformation):
            raise ValueError(f"optimizer must be one of optax; got {self.optimizer!r}. Leave it out for BFGS.")

    def _optimizer(self, domain: Domain) -> Any:
        small = domain.size <= LARGEST_MATRIX
        default = scale_by_bfgs() if small else optax.scale_by_lbfgs(memory_size=10)
        return optax.with_extra_args_support(self.optimizer or default)

    def init(self, key: Key, domain: Domain) -> GradientSearchState:
        x = uniform(key, self.population_size or 1, domain)
        zero = jnp.zeros_like(x[:, 0])
        state = GradientSearchState(
            x=x,
            loss=zero + jnp.inf,
            gradient=jnp.zeros_like(x),
            direction=jnp.zeros_like(x),
            search=LineSearch.start(zero),
            optimizer=varying(jax.vmap(self._optimizer(domain).init)(x), x),
            steepest=zero == 0,
            run_loss=zero + jnp.inf,
            stalled=jnp.zeros_like(zero, dtype=jnp.int32),
            restart=zero == 0,
            best_x=x,
            best_loss=zero + jnp.inf,
            domain=domain,
        )
        return separate(state)

    def ask(self, key: Key, state: GradientSearchState) -> tuple[Candidates, GradientSearchState]:
        key_fresh, key_coordinate, key_value, key_kind = jax.random.split(key, 4)
        size, domain = len(state.x), state.domain
        fresh = uniform(key_fresh, size, domain)
        if domain.discrete.any():
            changed = uniform(key_coordinate, size, domain) < 1 / domain.discrete.sum()
            moved = neighbour(uniform(key_value, size, domain), state.best_x, domain)
            near = jnp.where(changed, moved, state.best_x)
            again = jax.random.bernoulli(key_kind, 0.5, (size, 1)) & jnp.isfinite(state.best_loss)[:, None]
            fresh = jnp.where(again, near, fresh)
        ahead = clip(state.x + state.search.length[:, None] * state.direction)
        onward = jnp.where(domain.discrete[None], state.x, ahead)
        return Candidates(jnp.where(state.restart[:, None], fresh, onward)), state

    def tell(self, state: GradientSearchState, candidates: Candidates, results: Results) -> GradientSearchState:
        results = checked(candidates, results)
        if results.grad is None:
            raise ValueError(
                "GradientSearch needs results.grad; the evaluator gave none. "
                "Wrap the objective, Vectorized(objective, gradients=True), or this: FiniteDifferences(strategy)."
            )
        x, loss, first = candidates.x, results.loss, state.restart
        gradient = jnp.where(jnp.isfinite(results.grad) & ~state.domain.discrete[None], results.grad, 0)
        outward = ((x <= 0) & (gradient > 0)) | ((x >= 1) & (gradient < 0))
        gradient = jnp.where(outward, 0, gradient).astype(x.dtype)
        accepted, retry, done, search = self._judge(state, x, loss, gradient)
        fresh_optimizer = varying(jax.vmap(self._optimizer(state.domain).init)(x), x)
        base_x, base_gradient = _where(retry, (state.x, state.gradient), (x, gradient))
        optimizer = _where(first | retry, fresh_optimizer, state.optimizer)
        direction, optimizer, steepest = self._direct(state, base_x, loss, base_gradient, optimizer, first | retry)
        moving = accepted | retry
        improved, better = loss < state.run_loss, loss <= state.best_loss
        stalled = jnp.where(improved | first, 0, state.stalled + 1)
        lost = (first & ~jnp.isfinite(loss)) | (stalled.astype(x.dtype) >= self.patience)
        if self.optimizer is None:
            decrease = -jnp.sum(base_gradient * direction, axis=1) / 2
            hopeless = jnp.where(steepest, jnp.all(gradient == 0, axis=1), loss - HOPE * decrease > state.best_loss)
            lost |= accepted & hopeless
        return GradientSearchState(
            x=_where(accepted, x, state.x),
            loss=_where(accepted, loss, state.loss),
            gradient=_where(accepted, gradient, state.gradient),
            direction=_where(moving, direction, state.direction),
            search=_where(moving, LineSearch.start(loss), search),
            optimizer=_where(moving, optimizer, state.optimizer),
            steepest=_where(moving, steepest, state.steepest),
            run_loss=jnp.where(improved | first, loss, state.run_loss),
            stalled=stalled,
            restart=done | lost,
            best_x=_where(better, x, state.best_x),
            best_loss=jnp.where(better, loss, state.best_loss),
            domain=state.domain,
        )

    def _judge(
        self, state: GradientSearchState, x: Array, loss: Array, gradient: Array
    ) -> tuple[Array, Array, Array, LineSearch]:
        """`[P]` bools whether a chain moves to `x`, tries steepest descent, or is done; and its line search."""
        never = jnp.zeros_like(state.restart)
        if self.optimizer is not None:
            return ~never, never, ~jnp.isfinite(loss), state.search
        step = (x - state.x) / jnp.maximum(state.search.length, jnp.finfo(x.dtype).tiny)[:, None]
        slope, new_slope = jnp.sum(state.gradient * step, axis=1), jnp.sum(gradient * step, axis=1)
        passed, search = state.search.next(state.loss, loss, slope, new_slope)
        low_enough = search.lower == state.search.length
        # At a face a longer step is no other point, and late in a search any decrease will do.
        same = jnp.all(clip(state.x + search.length[:, None] * state.direction) == x, axis=1)
        accepted = state.restart | passed | (low_enough & (same | (search.trials > MOST_TRIALS - 2)))
        resolution = 10 * jnp.finfo(loss.dtype).eps * jnp.maximum(jnp.abs(loss), jnp.abs(state.loss))
        settled = accepted & ~state.restart & ~(state.loss - loss > resolution)
        failed = ~accepted & (search.trials > MOST_TRIALS)
        retry = failed & ~state.steepest
        return accepted, retry, settled | (failed & state.steepest), search

    def _direct(
        self, state: GradientSearchState, x: Array, loss: Array, gradient: Array, optimizer: PyTree, first: Array
    ) -> tuple[Array, PyTree, Array]:
        """The next direction of every chain, the optimizer's state, and where the direction is steepest descent."""

        def update(gradient: Array, optimizer: PyTree, x: Array, loss: Array) -> tuple[Array, PyTree]:
            return self._optimizer(state.domain).update(gradient, optimizer, x, value=loss, grad=gradient)

        direction, optimizer = jax.vmap(update)(gradient, optimizer, x, loss)
        if self.optimizer is not None:
            return direction, optimizer, first
        direction = jnp.where(gradient == 0, 0, -direction)
        steepest = first | ~(jnp.sum(direction * gradient, axis=1) < 0)
        direction = jnp.where(steepest[:, None], -gradient, direction)
        size, longest = length(direction, axis=1), jnp.where(steepest, self.first_step, 0.5).astype(x.dtype)
        too_long = size > longest
        share = jnp.where(too_long, longest / jnp.where(too_long, size, 1), 1)
        return direction * share[:, None], optimizer, steepest

    def ended(self, state: GradientSearchState) -> bool:
        """Never: the chains restart themselves."""
        return False


def _where(chosen: Array, new: Any, old: Any) -> Any:
    """Selects whole rows of pytrees with leading axis P."""

    def select(new: Array, old: Array) -> Array:
        return jnp.where(chosen.reshape((-1,) + (1,) * (old.ndim - 1)), new, old).astype(old.dtype)

    return jax.tree.map(select, new, old)
