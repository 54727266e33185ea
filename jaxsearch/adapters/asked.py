"""One strategy, asked for one point at a time, by callers who may answer late or never."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.adapters.distributions import Coordinate, Distributions, domain
from jaxsearch.core.protocols import State, Strategy, needs_gradients
from jaxsearch.core.shift import Shift, split, told
from jaxsearch.core.types import Array, Candidates, Domain, HostArray, Key, Results
from jaxsearch.strategies.finite_differences import FiniteDifferences


@jax.jit
def _init(key: Key, strategy: Strategy, domain: Domain) -> State:
    return strategy.init(key, domain)


@jax.jit
def _ask(key: Key, number: HostArray, strategy: Strategy, state: State) -> tuple[Candidates, State, Array]:
    """Candidates, the state after them, and as many points at random."""
    key_ask, key_uniform = jax.random.split(jax.random.fold_in(jax.random.fold_in(key, number[0]), number[1]))
    candidates, state = strategy.ask(key_ask, state)
    return candidates, state, jax.random.uniform(key_uniform, candidates.x.shape, candidates.x.dtype)


@jax.jit
def _tell(
    strategy: Strategy, state: State, candidates: Candidates, x: HostArray, results: Results, shift: Shift
) -> tuple[State, Shift]:
    candidates = candidates._replace(x=jnp.asarray(x, candidates.x.dtype))
    results, shift = told(results, shift)
    return strategy.tell(state, candidates, results), shift


class Proposal(NamedTuple):
    """What was handed out: the row of which generation, its point `[D]` and its parameters."""

    generation: int
    row: int
    x: np.ndarray
    params: dict[str, Any]


class Asked:
    """A strategy at work on a group of parameters that always occur together.

    A generation ends when each of its rows has a loss. Where rows are still being evaluated, others of the same rows
    are proposed, so that nobody waits, and who never answers is replaced; the first answer counts. Trials that were
    not proposed here take rows that nobody has yet: a log of trials is learned from as if it were the strategy's own.
    Of finite differences the rows hang together, so that the same points are proposed again, and no others taken.
    """

    def __init__(self, strategy: Strategy, distributions: Distributions, key: Key):
        self.coordinates = {name: Coordinate(distribution) for name, distribution in distributions.items()}
        self.key = key
        cube = domain(list(self.coordinates.values()))
        self.strategy = FiniteDifferences(strategy) if needs_gradients(strategy, cube) else strategy
        self.fixed = isinstance(self.strategy, FiniteDifferences)  # its neighbours mean nothing at any other point
        self.state = _init(key, self.strategy, cube)
        self.shift = jax.tree.map(np.asarray, Shift.undecided())
        self.generation = 0
        self.proposals: dict[int, Proposal] = {}  # handed out, by the trial's number
        self.foreign: deque[tuple[dict[str, Any], float]] = deque()  # nobody's rows yet
        self._begin()

    def propose(self, number: int) -> dict[str, Any]:
        """The parameters that the trial with this number shall try."""
        self._advance()
        row = self._open(self.rows.popleft)
        if row is None:
            self._again()
            row = self.rows.popleft()
        x = self._row(row)
        self.proposals[number] = Proposal(self.generation, row, x, self._params(x))
        return self.proposals[number].params

    def learn(self, number: int, params: Mapping[str, Any], loss: float) -> None:
        """What came of the trial with this number; of one that failed early, `params` may lack some."""
        proposal = self.proposals.pop(number, None)
        tried = {name: params[name] for name in self.coordinates if name in params}
        if proposal and len(tried) < len(self.coordinates):
            tried = proposal.params
        if proposal and proposal.generation == self.generation and np.isnan(self.loss[proposal.row]):
            x = proposal.x if self._same(tried, proposal.params) else self._point(tried)
            self._fill(proposal.row, x, loss)
        else:
            self.foreign.append((tried, loss))
        if not self.missing:
            self._advance()

    def give_back(self, number: int) -> None:
        """The trial with this number had no use for these parameters; the next one may try them."""
        proposal = self.proposals.pop(number, None)
        if proposal and proposal.generation == self.generation and np.isnan(self.loss[proposal.row]):
            self.rows.appendleft(proposal.row)

    def _begin(self) -> None:
        """Asks for a generation; it is computed while the caller does something else, until its points are read."""
        self.attempt = 0
        candidates, state, _ = self._ask()
        self.asked, self.fresh = (candidates, state), None
        count, _ = candidates.x.shape
        self.x, self.loss = np.zeros(candidates.x.shape, candidates.x.dtype), np.full(count, np.nan)
        self.rows, self.missing = deque(range(count)), count

    def _again(self) -> None:
        """Other points for the rows without a loss."""
        self.rows = deque(np.flatnonzero(np.isnan(self.loss)).tolist())
        if not self.fixed:
            candidates, _, anywhere = self._ask()
            same = np.all(candidates.x == self.asked[0].x, axis=1, keepdims=True)  # of strategies that draw nothing
            self.fresh = np.where(same, anywhere, candidates.x)

    def _ask(self) -> tuple[Candidates, State, Array]:
        number = np.array([self.generation, self.attempt])
        self.attempt += 1
        return _ask(self.key, number, self.strategy, self.state)

    def _advance(self) -> None:
        """As many generations as what has been learned is enough for."""
        while True:
            while self.foreign and (row := self._open(self.rows.popleft)) is not None:
                params, loss = self.foreign.popleft()
                x = self._row(row)
                if self._same(params, self._params(x)):  # an earlier session proposed it
                    self._fill(row, x, loss)
                    continue
                self.rows.appendleft(row)
                if len(params) == len(self.coordinates) and not self.fixed:
                    last = self._open(self.rows.pop)
                    self._fill(row if last is None else last, self._point(params), loss)
            if self.missing:
                return
            candidates, state = self.asked
            loss, remainder = split(self.loss, candidates.x.dtype)
            results = Results(loss, remainder=remainder)  # type: ignore[arg-type]
            self.state, self.shift = _tell(self.strategy, state, candidates, self.x, results, self.shift)
            self.generation += 1
            self._begin()

    def _open(self, pop: Callable[[], int]) -> int | None:
        """The next row that has no loss yet; None if nobody waits for one."""
        while self.rows:
            if np.isnan(self.loss[row := pop()]):
                return row
        return None

    def _fill(self, row: int, x: np.ndarray, loss: float) -> None:
        self.x[row] = x
        self.missing -= 1
        self.loss[row] = loss if np.isfinite(loss) else np.inf

    def _row(self, row: int) -> np.ndarray:
        """The point `[D]` that is proposed for a row."""
        if self.fresh is None:
            self.fresh = np.asarray(self.asked[0].x)
        return self.fresh[row]

    def _same(self, tried: dict[str, Any], own: dict[str, Any]) -> bool:
        """Whether these, as far as they go, are those that were proposed; NaN is NaN, and a storage keeps doubles."""
        places = self.coordinates.items()
        return tried == own or all(one.x(tried[name]) == one.x(own[name]) for name, one in places if name in tried)

    def _params(self, x: np.ndarray) -> dict[str, Any]:
        """The plain Python values at a point `[D]`."""
        return {name: one.value(place) for (name, one), place in zip(self.coordinates.items(), x.tolist(), strict=True)}

    def _point(self, params: Mapping[str, Any]) -> np.ndarray:
        """The point `[D]` at which parameters lie."""
        return np.array([one.x(params[name]) for name, one in self.coordinates.items()])
