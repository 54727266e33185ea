"""Gradient search with restarts."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxsearch.core.bounds import clip
from jaxsearch.core.neighbours import neighbour
from jaxsearch.core.population import check_size, uniform, varying
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Domain, Key, PyTree, Results, Scalar


@pytree
class GradientSearchState:
    """What GradientSearch remembers between generations."""

    x: Array  # [P, D] the next point of each chain
    optimizer: PyTree  # the optax state, with leading axis P
    run_loss: Array  # [P] best loss since the restart
    best_x: Array  # [P, D] best point of the chain, over all its restarts
    best_loss: Array  # [P]
    stalled: Array  # [P] int32, generations since run_loss fell
    restart: Array  # [P] bool, whether the next ask starts afresh
    domain: Domain = static()


@pytree
class GradientSearch:
    """Independent chains of gradient descent through any optax transformation, restarted when they stall.

        x <- clip(x + updates, 0, 1),  updates from optax on d loss / d x

    Needs `Results.grad`, e.g. from `Vectorized(objective, gradients=True)`. Discrete coordinates have no
    gradient: they stay during a run, and every other restart is a neighbour of the chain's best point with
    discrete coordinates moved to another value, each with probability 1/(their number). All other restarts are
    uniform.

    population_size: the number of chains; 8 if None.
    optimizer: any optax transformation that needs no more than gradient, parameters and value, e.g.
        `optax.lbfgs(linesearch=None)`, but no line search, which would evaluate on its own;
        None is Adam with `learning_rate`, which then stays a leaf.
    learning_rate: of that Adam, as a share of the range; unused with another optimizer.
    patience: generations without improvement before a chain restarts.
    References: Kingma, Ba, Adam: A Method for Stochastic Optimization, ICLR, 2015.
    """

    population_size: int | None = static(default=None)
    optimizer: optax.GradientTransformation | None = static(default=None)
    learning_rate: Scalar = 0.02
    patience: Scalar = 30

    def __post_init__(self):
        check_size(self.population_size)

    def _optimizer(self) -> Any:
        return optax.with_extra_args_support(self.optimizer or optax.adam(self.learning_rate))

    def init(self, key: Key, domain: Domain) -> GradientSearchState:
        x = uniform(key, self.population_size or 8, domain)
        loss = jnp.full_like(x[:, 0], jnp.inf)
        optimizer = varying(jax.vmap(self._optimizer().init)(x), x)
        stalled = jnp.zeros_like(loss, dtype=jnp.int32)
        return GradientSearchState(x, optimizer, loss, x, loss, stalled, jnp.isnan(loss), domain)

    def ask(self, key: Key, state: GradientSearchState) -> tuple[Candidates, GradientSearchState]:
        key_fresh, key_coordinate, key_value, key_kind = jax.random.split(key, 4)
        size, domain = len(state.x), state.domain
        fresh = uniform(key_fresh, size, domain)
        if domain.discrete.any():
            changed = uniform(key_coordinate, size, domain) < 1 / domain.discrete.sum()
            moved = neighbour(uniform(key_value, size, domain), state.best_x, domain)
            near = jnp.where(changed, moved, state.best_x)
            fresh = jnp.where(jax.random.bernoulli(key_kind, 0.5, (size, 1)), near, fresh)
        x = jnp.where(state.restart[:, None], fresh, state.x)

        def reset(new: Any, old: Array) -> Array:
            new = jnp.asarray(new, None if hasattr(new, "dtype") else old.dtype)
            return jnp.where(state.restart.reshape((-1,) + (1,) * (old.ndim - 1)), new, old)

        return Candidates(x), GradientSearchState(
            x=x,
            optimizer=jax.tree.map(reset, jax.vmap(self._optimizer().init)(x), state.optimizer),
            run_loss=reset(jnp.inf, state.run_loss),
            best_x=state.best_x,
            best_loss=state.best_loss,
            stalled=reset(0, state.stalled),
            restart=jnp.zeros_like(state.restart),
            domain=domain,
        )

    def tell(self, state: GradientSearchState, candidates: Candidates, results: Results) -> GradientSearchState:
        if results.grad is None:
            raise ValueError(
                "GradientSearch needs results.grad; the evaluator gave none. "
                "Wrap the objective: Vectorized(objective, gradients=True)."
            )
        x, loss = candidates.x, results.loss
        free = jnp.isfinite(results.grad) & ~state.domain.discrete[None]
        gradient = jnp.where(free, results.grad, 0).astype(x.dtype)

        def update(gradient: Array, optimizer: PyTree, x: Array, loss: Array) -> tuple[Array, PyTree]:
            return self._optimizer().update(gradient, optimizer, x, value=loss, grad=gradient)

        updates, optimizer = jax.vmap(update)(gradient, state.optimizer, x, loss)
        improved, better = loss < state.run_loss, loss <= state.best_loss
        stalled = jnp.where(improved, 0, state.stalled + 1)
        return GradientSearchState(
            x=jnp.where(state.domain.discrete[None], x, clip(x + updates)).astype(x.dtype),
            optimizer=optimizer,
            run_loss=jnp.where(improved, loss, state.run_loss),
            best_x=jnp.where(better[:, None], x, state.best_x),
            best_loss=jnp.where(better, loss, state.best_loss),
            stalled=stalled,
            restart=(stalled >= self.patience) | ~jnp.isfinite(loss),
            domain=state.domain,
        )
