"""The two contracts. Nobody inherits from them: an object with these methods is one."""

from typing import Any, Protocol, runtime_checkable

from jaxsearch.core.types import Candidates, Domain, Key, PyTree, Results

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


@runtime_checkable
class Evaluator(Protocol):
    """Scores a whole population; `count` is the population size P."""

    def init(self, key: Key, space: PyTree, count: int) -> State: ...

    def evaluate(self, key: Key, state: State, space: PyTree, candidates: Candidates) -> tuple[Results, State]: ...
