"""A wrapper that starts a strategy afresh when it has ended."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.population import check_count, separate, zero_of
from jaxsearch.core.protocols import State, Strategy
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Domain, Key, Results, Scalar


@pytree
class RestartState:
    """What Restart remembers between generations."""

    inner: State
    best: Array  # [] of the current run
    record: Array  # [] the best loss of all runs before
    stalled: Array  # [] int32, generations since it fell
    ended: Array  # [] bool, whether the next ask starts afresh
    spent: Array  # [] candidates of the current run
    budgets: Array  # [2] candidates of all finished large runs and of all small ones
    large: Array  # [] bool, the kind of the current run
    doublings: Array  # [] of the population of large runs
    domain: Domain = static()


@pytree
class Restart:
    """Starts any strategy afresh, inside the compiled program, when its run has ended.

    A run has ended when its best loss has not fallen for `patience * (1 + D^1.5 / P) * sqrt(batches)` generations, or
    for 10 * batches and all losses of a generation are equal or its candidates lie within `tolerance` of the first on
    every continuous coordinate and agree with it on every discrete one, or when the strategy's own `ended(state)` is
    true. A run without hope ends, too: one whose best would stay above that of an earlier run even if it fell by `hope`
    times the spread of the losses of a generation. A strategy whose `ended` returns a plain False restarts itself and
    is left alone.

    A strategy with `batches` (CMAES, SepCMAES) grows: "bipop" alternates, by what each kind has spent, between runs
    whose population doubles and short runs with smaller populations and steps (the first run counts as one of them);
    "ipop" only doubles.

    patience: at least 0. tolerance: at least 0, a length in the unit cube; None is 1e-12, in float32 1e-6.
    hope: above 0; infinite for runs that depend on the order of the losses alone.
    growth: "bipop", "ipop" or "none". max_batches: the largest growth of the population.
    References: Auger, Hansen, A Restart CMA Evolution Strategy With Increasing Population Size, CEC, 2005. Hansen,
        Benchmarking a BI-population CMA-ES on the BBOB-2009 Function Testbed, GECCO, 2009.
    """

    strategy: Any
    growth: str = static(default="bipop")
    max_batches: int = static(default=32)
    patience: Scalar = 100.0
    tolerance: Scalar | None = None
    hope: Scalar = 1e3

    def __post_init__(self):
        if self.growth not in ("bipop", "ipop", "none"):
            raise ValueError(
                f'growth must be "bipop", "ipop" or "none"; got {self.growth!r}. Leave it out for "bipop".'
            )
        check_count("max_batches", self.max_batches)

    @property
    def _grows(self) -> bool:
        return self.growth != "none" and hasattr(self.strategy, "batches")

    def _variant(self, batches: Scalar = 1.0, shrink: Scalar = 1.0) -> Strategy:
        """The strategy with another population and first step: other leaves, the same program."""
        if not self._grows:
            return self.strategy
        step = self.strategy.initial_step * shrink
        return dataclasses.replace(self.strategy, max_batches=self.max_batches, batches=batches, initial_step=step)

    def init(self, key: Key, domain: Domain) -> RestartState:
        return self._begin(key, domain, self._variant())

    def _begin(self, key: Key, domain: Domain, strategy: Strategy) -> RestartState:
        """The state at the start of the first run, which is one of `strategy`."""
        zero = zero_of(key)
        state = RestartState(
            inner=strategy.init(key, domain),
            best=zero + jnp.inf,
            record=zero + jnp.inf,
            stalled=zero.astype(jnp.int32),
            ended=zero > 0,
            spent=zero,
            budgets=jnp.zeros_like(zero, shape=2) + zero,
            large=zero > 0,
            doublings=zero,
            domain=domain,
        )
        return separate(state)

    def ask(self, key: Key, state: RestartState) -> tuple[Candidates, RestartState]:
        key_fresh, key_size, key_ask = jax.random.split(key, 3)
        # As plain words: under `vmap`, `cond` would select keys, and JAX's check takes that for a second use of them.
        words_fresh, words_size = jax.random.key_data(key_fresh), jax.random.key_data(key_size)
        kind = jax.random.key_impl(key)

        def afresh(state: RestartState) -> RestartState:
            key_fresh = jax.random.wrap_key_data(words_fresh, impl=kind)
            key_size = jax.random.wrap_key_data(words_size, impl=kind)
            budgets = state.budgets + jnp.where(jnp.stack([state.large, ~state.large]), state.spent, 0)
            large = (budgets[0] <= budgets[1]) | (self.growth == "ipop")
            doublings = jnp.where(
                large, jnp.minimum(state.doublings + 1, int(np.log2(self.max_batches))), state.doublings
            )
            u = jax.random.uniform(key_size, (2,), state.spent.dtype)
            most = 2**doublings
            small = jnp.maximum(jnp.floor((most / 2) ** (u[0] ** 2)), 1)
            variant = self._variant(jnp.where(large, most, small), jnp.where(large, 1, 10 ** (-2 * u[1])))
            return dataclasses.replace(
                self._begin(key_fresh, state.domain, variant),
                record=jnp.minimum(state.record, state.best),
                budgets=budgets,
                large=large,
                doublings=doublings,
            )

        state = jax.lax.cond(state.ended, afresh, lambda state: state, state)
        candidates, inner = self._variant().ask(key_ask, state.inner)
        return candidates, dataclasses.replace(state, inner=inner)

    def tell(self, state: RestartState, candidates: Candidates, results: Results) -> RestartState:
        results = checked(candidates, results)
        inner = self._variant().tell(state.inner, candidates, results)
        lowest = jnp.min(results.loss)
        stalled = jnp.where(lowest < state.best, 0, state.stalled + 1)
        size, dimension = candidates.x.shape
        batches = getattr(inner, "batches", jnp.ones_like(stalled))
        patience = self.patience * (1 + dimension**1.5 / size) * jnp.sqrt(batches.astype(lowest.dtype))
        spread = jnp.max(jnp.where(jnp.isfinite(results.loss), results.loss, lowest)) - lowest
        flat = (jnp.max(results.loss) == lowest) & jnp.isfinite(lowest)
        best = jnp.minimum(lowest, state.best).astype(state.best.dtype)
        tolerance = self.tolerance
        if tolerance is None:
            tolerance = 1e-12 if best.dtype == jnp.float64 else 1e-6
        hopeless = (spread > 0) & (best - self.hope * spread > state.record)
        narrow = _within(tolerance, candidates.x, state.domain)
        waited = stalled.astype(lowest.dtype)
        still = stalled > 10 * batches  # a sample whose points all lie beyond one corner may come back
        ended = (waited > patience) | (((flat | narrow) & still | hopeless) & (size > 1))
        if hasattr(self.strategy, "ended"):
            own = self.strategy.ended(inner)
            ended = own if own is False else ended | own
        return dataclasses.replace(
            state,
            inner=inner,
            best=best,
            stalled=stalled,
            ended=ended,
            spent=state.spent + size,
        )


def _within(reach: Scalar, x: Array, domain: Domain) -> Array:
    """Whether the points `[P, D]` lie within `reach` of the first, and agree with it on discrete coordinates."""
    distance = jnp.abs(x - x[:1])
    return jnp.all(jnp.where(domain.discrete[None], domain.index(x) == domain.index(x[:1]), distance <= reach))
