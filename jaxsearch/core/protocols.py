"""The two contracts. Nobody inherits from them: an object with these methods is one."""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array, Candidates, Domain, Key, PyTree, Results

State = Any


@runtime_checkable
class Strategy(Protocol):
    """Proposes points of the unit cube and learns from their losses; pure functions over a pytree state.

    The first `ask` returns the initial sample. `tell` takes no key, so that a log of candidates and results
    rebuilds the state; it reads the points from `candidates`, never from memory. The shapes and dtypes of
    the state are a fixed point of `tell` after `ask`.
    """

    def init(self, key: Key, domain: Domain) -> State: ...

    def ask(self, key: Key, state: State) -> tuple[Candidates, State]: ...

    def tell(self, state: State, candidates: Candidates, results: Results) -> State: ...


@jax.jit  # remembers how it was traced
def _without_gradients(key: Key, strategy: Strategy, domain: Domain) -> State:
    key_init, key_ask = jax.random.split(key)
    candidates, state = strategy.ask(key_ask, strategy.init(key_init, domain))
    return strategy.tell(state, candidates, Results(jnp.zeros_like(candidates.x[:, 0])))


def needs_gradients(strategy: Strategy, domain: Domain) -> bool:
    """Whether the strategy refuses results without `grad`, as it does by a ValueError that names it."""
    try:
        _without_gradients.eval_shape(jax.eval_shape(jax.random.key, 0), strategy, domain)
    except ValueError as error:
        if "grad" in str(error):
            return True
        raise
    return False


@runtime_checkable
class Evaluator(Protocol):
    """Scores a whole population; `count` is the population size P."""

    def init(self, key: Key, space: PyTree, count: int) -> State: ...

    def evaluate(self, key: Key, state: State, space: PyTree, candidates: Candidates) -> tuple[Results, State]: ...


@runtime_checkable
class Trainable(Evaluator, Protocol):
    """An evaluator that trains candidates step by step, so that others may decide who goes on.

    The resource is counted in whole units, e.g. epochs. Members are a pytree with leading axis P.
    """

    def horizon(self, space: PyTree, x: Array) -> Array:
        """`[P]` int32, the budget that each of the candidates `x` `[P, D]` has in full."""
        ...

    def order(self, space: PyTree, x: Array) -> Array:
        """`[P]` int32, the order in which the evaluator likes to have the candidates `x` `[P, D]`."""
        ...

    def begin(self, state: State, space: PyTree, x: Array) -> PyTree:
        """Members `[P, ...]` for the candidates `x` `[P, D]`, on which nothing has been spent."""
        ...

    def advance(self, state: State, space: PyTree, x: Array, members: PyTree, budget: Array) -> PyTree:
        """Trains the members on which less than `budget` `[P]` has been spent, up to it; others stay as they are."""
        ...

    def results(self, state: State, members: PyTree) -> Results:
        """What members reached when they were last trained; NaN before that."""
        ...
