"""A wrapper that gives a strategy the gradients that its evaluator does not."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.population import separate, zero_of
from jaxsearch.core.protocols import State, Strategy
from jaxsearch.core.pytree import is_number, pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar

# A test looks at a neighbour four steps away. A bend between these multiples of the rounding error is
# as it should be: Shi et al. give the bounds, and the step aims at the middle of them.
FAR, LEAST_BEND, WANTED_BEND, LARGEST_BEND = 4, 1.5, 3.0, 6.0
MOST_LONGER, MOST_SHORTER = 8.0, 1 / 16  # the change of a step by one test
FEWEST_BETWEEN, MOST_BETWEEN = 8, 64  # generations between two tests


@pytree
class Steps:
    """What is known of the steps of C continuous coordinates, for P candidates."""

    length: Array  # [C, P] in the unit cube
    x: Array  # [P, D] the candidates of the last generation
    run: Array  # [C, P] from there to their neighbours
    rise: Array  # [C, P] of the loss along it
    wait: Array  # [] int32, generations until a test; 0 in the generation that is one
    interval: Array  # [] int32, generations between two tests


@pytree
class FiniteDifferencesState:
    """What FiniteDifferences remembers between generations."""

    inner: State
    steps: Steps | None  # None where the step is given
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

    A step that is too short drowns the slope in the rounding error of the loss, one that is too long
    adds the curvature to it. Every coordinate of every candidate has a step of its own. One
    generation in 8 to 64 is a test of all of them, which the strategy does not see: the last
    candidates are evaluated again, with neighbours four steps away. The bend

        |loss(x + 4 h e_i) - 4 loss(x + h e_i) + 3 loss(x)|

    is then compared with what rounding could make of it, `8 epsilon |loss(x)|`. A step whose bend is
    below 1.5 times that becomes longer, one whose bend is above 6 times that shorter. Tests are rarer
    when most steps were right.

    strategy: one that needs gradients, e.g. `GradientSearch()`.
    step: in (0, 1/2], a length in the unit cube that is kept; None adapts the steps, from the root of
        the machine epsilon on, 3.5e-4 in float32. A loss with noise needs a larger one that is kept.
    Raises ValueError for a step outside of its range.
    References: Nocedal, Wright, Numerical Optimization, 2006, section 8.1. Shi, Xie, Xuan, Nocedal,
        Adaptive Finite-Difference Interval Estimation for Noisy Derivative-Free Optimization, SIAM
        Journal on Scientific Computing, 2022 (the bend and its bounds).
    """

    strategy: Strategy
    step: Scalar | None = None

    def __post_init__(self):
        if self.step is not None and is_number(self.step) and not 0 < self.step <= 0.5:
            raise ValueError(f"step must be in (0, 0.5]; got {self.step!r}. Leave it out for noiseless losses.")

    def init(self, key: Key, domain: Domain) -> FiniteDifferencesState:
        zero, along = zero_of(key), _continuous(domain)
        inner = self.strategy.init(key, domain)
        if self.step is not None or not len(along):
            return FiniteDifferencesState(inner, None, domain)
        shape = jax.eval_shape(self.strategy.ask, key, inner)[0].x.shape
        count = zero.astype(jnp.int32) + FEWEST_BETWEEN
        by_coordinate = jnp.zeros((len(along), shape[0]), zero.dtype) + zero
        steps = Steps(
            length=by_coordinate + jnp.finfo(zero.dtype).eps ** 0.5,
            x=jnp.zeros(shape, zero.dtype) + zero,
            run=by_coordinate,
            rise=by_coordinate,
            wait=count,
            interval=count,
        )
        return separate(FiniteDifferencesState(inner, steps, domain))

    def ask(self, key: Key, state: FiniteDifferencesState) -> tuple[Candidates, FiniteDifferencesState]:
        candidates, inner = self.strategy.ask(key, state.inner)
        x, along, steps = candidates.x, _continuous(state.domain), state.steps
        if steps is None:
            length = jnp.asarray(0.0 if self.step is None else self.step, x.dtype)
        else:
            testing = steps.wait == 0
            x, inner = _select(testing, (steps.x, state.inner), (x, inner))
            length = steps.length * jnp.where(testing, FAR, 1)
        slots = np.arange(len(along))
        neighbours = jnp.broadcast_to(x, (len(along), *x.shape))
        neighbours = neighbours.at[slots, :, along].add(jnp.where(x.T[along] > 0.5, -length, length))
        every = jax.tree.map(lambda leaf: jnp.concatenate([leaf] * (1 + len(along))), candidates)
        every = every._replace(x=jnp.concatenate([x, neighbours.reshape(-1, x.shape[1])]))
        return every, dataclasses.replace(state, inner=inner)

    def tell(self, state: FiniteDifferencesState, candidates: Candidates, results: Results) -> FiniteDifferencesState:
        results = checked(candidates, results)
        along = _continuous(state.domain)
        count = len(candidates.x) // (1 + len(along))
        own, measured = jax.tree.map(lambda leaf: leaf[:count], (candidates, results))
        blocks = candidates.x[count:].reshape(len(along), count, candidates.x.shape[1])
        run = blocks[np.arange(len(along)), :, along] - own.x.T[along]  # as rounded, not as wished for
        rise = results.loss[count:].reshape(len(along), count) - measured.loss[None]
        beside = jnp.sum(blocks != own.x[None], axis=-1) == 1  # but for one coordinate the same point
        beside &= (run != 0) & jnp.isfinite(rise)
        run, rise = jnp.where(beside, run, 1), jnp.where(beside, rise, 0).astype(own.x.dtype)
        gradient = jnp.zeros_like(own.x).at[:, along].set((rise / run).T)
        inner = self.strategy.tell(state.inner, own, measured._replace(grad=gradient))
        if state.steps is None:
            return FiniteDifferencesState(inner, None, state.domain)
        testing = state.steps.wait == 0
        tested = _tested(state.steps, own.x, measured.loss, run, rise, beside)
        waited = dataclasses.replace(
            state.steps,
            x=own.x,
            run=jnp.where(beside, run, 0),
            rise=rise,
            wait=state.steps.wait - 1,
        )
        inner, steps = _select(testing, (state.inner, tested), (inner, waited))
        return FiniteDifferencesState(inner, steps, state.domain)

    def ended(self, state: FiniteDifferencesState) -> Any:
        """What the strategy says; False, as of one that restarts itself, is no array."""
        ended = getattr(self.strategy, "ended", None)
        return jnp.zeros((), bool) if ended is None else ended(state.inner)


def _continuous(domain: Domain) -> np.ndarray:
    """`[C]` the coordinates that have a slope."""
    return np.flatnonzero(~domain.discrete)


def _select(condition: Array, yes: Any, no: Any) -> Any:
    return jax.tree.map(lambda one, other: jnp.where(condition, one, other), yes, no)


def _tested(steps: Steps, x: Array, loss: Array, run: Array, rise: Array, beside: Array) -> Steps:
    """The steps after a test.

    x, loss: `[P, D]` and `[P]`, the candidates. run, rise: `[C, P]`, to their far neighbours. beside: `[C, P]` bool,
    whether those are usable.
    """
    usable = beside & (steps.run != 0) & jnp.all(x == steps.x, axis=1)[None]
    near_run = jnp.where(usable, steps.run, 1)
    bend = jnp.abs(rise - steps.rise * (run / near_run))
    limits = jnp.finfo(x.dtype)
    size = jnp.maximum(jnp.abs(loss), limits.tiny)[None].astype(x.dtype)
    # The losses at the far neighbour, the near one and the candidate count 1, 4 and 3 times.
    ratio = bend / (8 * limits.eps * size)
    shorter = jnp.maximum(jnp.sqrt(WANTED_BEND / jnp.maximum(ratio, WANTED_BEND)), MOST_SHORTER)
    change = jnp.where(ratio < LEAST_BEND, MOST_LONGER, jnp.where(ratio > LARGEST_BEND, shorter, 1))
    # No part of the derivative: the losses that it measures may be 0, and it divides by them.
    change = jax.lax.stop_gradient(jnp.where(usable, change, 1))
    shortest, longest = 32 * limits.eps, limits.eps**0.25
    right = 2 * jnp.sum(change == 1) >= change.size
    interval = jnp.where(right, 2 * steps.interval, steps.interval // 2)
    interval = jnp.clip(interval, FEWEST_BETWEEN, MOST_BETWEEN)
    length = jnp.clip(steps.length * change.astype(x.dtype), shortest, longest)
    return dataclasses.replace(steps, length=length, wait=interval, interval=interval)
