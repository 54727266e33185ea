"""Successive halving and Hyperband: many candidates start, few go on."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.population import check_count
from jaxsearch.core.protocols import State, Trainable
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Key, PyTree, Results


@pytree
class Halving:
    """Trains a generation in rungs: after each, the best share goes on, the others are scored as they are.

        rung 0: all P candidates, to 1 / factor^(R-1) of their full budget
        rung r: the best P / factor^r, from where they are, to 1 / factor^(R-1-r) of it

    so that every rung costs about the same, and all R of them about R / factor^(R-1) of full training. Those that go
    on keep their weights and the state of their optimizer: what one of them ends with is what full training alone
    gives. A candidate that was stopped always gets a higher loss than those of its bracket that went on. All rungs run
    the same compiled loop.

    evaluator: trains step by step, e.g. `Training`, or `Sharded(Training(...))` for many devices.
    factor: above 1; one in so many candidates goes on.
    num_rungs: R, the last of which trains in full; a rung trains at least one unit of the budget.
    brackets: 1 for successive halving; B divides the candidates into B brackets, of which the b-th skips the first b
        rungs and is the smaller for it, so that all cost about the same (Hyperband): for when early losses mislead.

    `Results.aux` is that of the evaluator; with `Training`, `epochs` `[P]` tells what each candidate was given.

    References: Jamieson, Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization, AISTATS,
        2016. Li et al., Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization, JMLR, 2018.
    """

    evaluator: Trainable
    factor: int = static(default=4)
    num_rungs: int = static(default=3)
    brackets: int = static(default=1)

    def __post_init__(self):
        check_count("factor", self.factor, at_least=2)
        check_count("num_rungs", self.num_rungs)
        if self.num_rungs > 31 or self.factor ** (self.num_rungs - 1) >= 2**31:
            got = f"factor={self.factor} and num_rungs={self.num_rungs}"
            raise ValueError(f"factor ** (num_rungs - 1) must be below 2**31; got {got}. Try 4 and 3.")
        if type(self.brackets) is not int or not 1 <= self.brackets <= self.num_rungs:
            raise ValueError(
                f"brackets must be between 1 and num_rungs={self.num_rungs}; got {self.brackets!r}. Try 1."
            )
        trainable(self.evaluator, known=False)

    def init(self, key: Key, space: PyTree, count: int) -> State:
        return trainable(self.evaluator).init(key, space, count)

    def evaluate(self, key: Key, state: State, space: PyTree, candidates: Candidates) -> tuple[Results, State]:
        count = len(candidates.x)
        order = self.evaluator.order(space, candidates.x)
        x, bracket = candidates.x[order], jnp.asarray(self._bracket_of(count))[order]
        horizon = self.evaluator.horizon(space, x)
        going_on, shares = jnp.asarray(self._going_on(count)), self.factor ** np.arange(self.num_rungs)[::-1]

        def rung(carry: tuple[PyTree, Array], inputs: tuple[Array, Array, Array]) -> tuple[tuple[PyTree, Array], None]:
            (members, level), (number, counts, share) = carry, inputs
            rank = _rank_within(self.evaluator.results(state, members).loss, level == number - 1, bracket)
            runs = jnp.where(number > bracket, rank < counts[bracket], number == bracket)
            budget = jnp.where(runs, (horizon + share - 1) // share, 0)
            members = self.evaluator.advance(state, space, x, members, budget)
            return (members, jnp.where(runs, number, level)), None

        start = (self.evaluator.begin(state, space, x), jnp.full(count, -1, jnp.int32))
        rungs = (jnp.arange(self.num_rungs, dtype=jnp.int32), going_on, jnp.asarray(shares, jnp.int32))
        (members, level), _ = jax.lax.scan(rung, start, rungs)
        results = self.evaluator.results(state, members)
        results = results._replace(loss=self._behind(results.loss, level, bracket))
        return jax.tree.map(lambda leaf: jnp.zeros_like(leaf).at[order].set(leaf), results), state

    def _sizes(self, count: int) -> np.ndarray:
        """`[B]`, the candidates that each bracket starts with: at equal cost, and at least one."""
        if count < self.brackets:
            raise ValueError(
                f"{self.brackets} brackets: Halving needs a population of at least as many; got {count}. Use fewer."
            )
        rungs = self.num_rungs - np.arange(self.brackets)
        share = self.factor ** (rungs - 1.0) / rungs
        ends = np.round(np.cumsum(share) / np.sum(share) * (count - self.brackets)) + np.arange(1, self.brackets + 1)
        return np.diff(ends.astype(np.int32), prepend=0)

    def _bracket_of(self, count: int) -> np.ndarray:
        """`[P]` int32, the bracket of each slot; those of a bracket are spread over the population."""
        sizes = self._sizes(count)
        place = np.concatenate([(np.arange(size) + 0.5) / size for size in sizes])
        return np.repeat(np.arange(self.brackets, dtype=np.int32), sizes)[np.argsort(place, kind="stable")]

    def _going_on(self, count: int) -> np.ndarray:
        """`[R, B]` int32, the candidates of each bracket that run in each rung."""
        sizes, rungs = self._sizes(count), np.arange(self.num_rungs)[:, None] - np.arange(self.brackets)
        return np.maximum(sizes // self.factor ** np.maximum(rungs, 0), 1).astype(np.int32)

    def _behind(self, loss: Array, level: Array, bracket: Array) -> Array:
        """The losses `[P]`, raised where a candidate that was stopped would be ahead of one that went on."""
        mine = bracket[:, None] == jnp.arange(self.brackets)[None]
        for rung in reversed(range(self.num_rungs - 1)):
            went_on = (level > rung) & jnp.isfinite(loss)
            worst = jnp.max(jnp.where(mine & went_on[:, None], loss[:, None], -jnp.inf), axis=0)
            behind = jnp.nextafter(worst, jnp.inf)[bracket]  # not equal, lest the first of equals be one that stopped
            loss = jnp.where(level == rung, jnp.maximum(loss, behind), loss)
        return loss


def trainable(evaluator: Any, *, known: bool = True) -> Trainable:
    """The evaluator; raises ValueError unless it trains step by step.

    known: False where JAX may hold its place with something else, which passes.
    """
    given: object = evaluator
    known |= callable(given) or hasattr(given, "evaluate") or isinstance(given, int | float | str | list | dict | tuple)
    if known and not issubclass(type(evaluator), Trainable):
        name = getattr(evaluator, "__name__", type(evaluator).__name__)
        raise ValueError(
            f"Only an evaluator that trains step by step can be halved or continued; got {name}. "
            "Use Training(...) or Sharded(Training(...))."
        )
    return evaluator


def _rank_within(loss: Array, alive: Array, bracket: Array) -> Array:
    """`[P]` int32, the place of each candidate by loss among those alive of its bracket; beyond them for the others."""
    order = jnp.lexsort((jnp.where(jnp.isnan(loss), jnp.inf, loss), ~alive, bracket))
    index = jnp.arange(len(loss), dtype=jnp.int32)
    place = jnp.zeros_like(index).at[order].set(index)
    first = jnp.full_like(place, len(loss)).at[bracket].min(place)[bracket]
    return jnp.where(alive, place - first, len(loss))
