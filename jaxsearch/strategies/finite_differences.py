"""A wrapper that gives a strategy the gradients that its evaluator does not."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.protocols import State, Strategy
from jaxsearch.core.pytree import is_number, pytree, static
from jaxsearch.core.types import Candidates, Domain, Key, Results, Scalar


@pytree
class FiniteDifferencesState:
    """What FiniteDifferences remembers between generations."""

    inner: State
    domain: Domain = static()


@pytree
class FiniteDifferences:
    """Estimates `Results.grad` from the losses of neighbours, for objectives that JAX cannot differentiate.

        gradient[i] = (loss(x + h e_i) - loss(x)) / h,  h = +step, or -step in the upper half of the cube

        >>> space = js.Float(-1, 1, shape=(2,))
        >>> bowl = js.Callback(lambda x: (x[0] - 0.3) ** 2 + x[1] ** 2)  # plain Python
        >>> strategy = js.FiniteDifferences(js.GradientSearch())
        >>> bool(js.minimize(bowl, space, strategy, key=jax.random.key(0), num_generations=20).loss < 1e-4)
        True

    A generation has the P candidates of the strategy and, for each of the C continuous coordinates, their P neighbours
    along it: P (1 + C) candidates. Discrete coordinates, neighbours that failed, and points that somebody evaluated in
    place of a neighbour have a slope of 0.

    strategy: one that needs gradients, e.g. `GradientSearch()`.
    step: in (0, 1/2], a length in the unit cube; None is the root of the machine epsilon, 3.5e-4 in float32. A loss
        with noise needs a larger one.
    Raises ValueError for a step outside of its range.
    References: Nocedal, Wright, Numerical Optimization, 2006, section 8.1.
    """

    strategy: Strategy
    step: Scalar | None = None

    def __post_init__(self):
        if self.step is not None and is_number(self.step) and not 0 < self.step <= 0.5:
            raise ValueError(f"step must be in (0, 0.5]; got {self.step!r}. Leave it out for noiseless losses.")

    def init(self, key: Key, domain: Domain) -> FiniteDifferencesState:
        return FiniteDifferencesState(self.strategy.init(key, domain), domain)

    def ask(self, key: Key, state: FiniteDifferencesState) -> tuple[Candidates, FiniteDifferencesState]:
        candidates, inner = self.strategy.ask(key, state.inner)
        x, along = candidates.x, np.flatnonzero(~state.domain.discrete)
        step = jnp.asarray(jnp.finfo(x.dtype).eps ** 0.5 if self.step is None else self.step, x.dtype)
        slots = np.arange(len(along))
        neighbours = jnp.broadcast_to(x, (len(along), *x.shape))
        neighbours = neighbours.at[slots, :, along].add(jnp.where(x.T[along] > 0.5, -step, step))
        every = jax.tree.map(lambda leaf: jnp.concatenate([leaf] * (1 + len(along))), candidates)
        every = every._replace(x=jnp.concatenate([x, neighbours.reshape(-1, x.shape[1])]))
        return every, FiniteDifferencesState(inner, state.domain)

    def tell(self, state: FiniteDifferencesState, candidates: Candidates, results: Results) -> FiniteDifferencesState:
        along = np.flatnonzero(~state.domain.discrete)
        count = len(candidates.x) // (1 + len(along))
        own, measured = jax.tree.map(lambda leaf: leaf[:count], (candidates, results))
        blocks = candidates.x[count:].reshape(len(along), count, candidates.x.shape[1])
        run = blocks[np.arange(len(along)), :, along] - own.x.T[along]  # as rounded, not as wished for
        rise = results.loss[count:].reshape(len(along), count) - measured.loss[None]
        beside = jnp.sum(blocks != own.x[None], axis=-1) == 1  # but for one coordinate the same point
        beside &= run != 0
        slope = jnp.where(jnp.isfinite(rise) & beside, rise / jnp.where(beside, run, 1), 0).astype(own.x.dtype)
        gradient = jnp.zeros_like(own.x).at[:, along].set(slope.T)
        inner = self.strategy.tell(state.inner, own, measured._replace(grad=gradient))
        return FiniteDifferencesState(inner, state.domain)
