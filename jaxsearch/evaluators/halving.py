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
    """Trains a generation in rungs: after each, the best share goes on, the others stop.

        rung 0: all P candidates, to 1 / factor^(R-1) of their full budget
        rung r: the best P / factor^r, from where they are, to 1 / factor^(R-1-r) of it

    so that every rung costs about the same, and all R of them about R / factor^(R-1) of full training. Those that go
    on keep their weights and the state of their optimizer: what one of them ends with is what full training alone
    gives. All rungs run the same compiled loop.

    Every candidate is measured at the end of each of its rungs. Its loss is one of these measurements: the one with
    the lowest adjusted loss, and the last of equal ones.

        adjusted loss = loss + (rungs that are left) * (standard error of the loss over the folds)

    Where training longer overfits, an early optimum wins if it is clear. The handicap makes up for luck, as many
    candidates are measured early and few late; benchmarks/halving_rules.py compares such rules by the errors on new
    rows. There is no handicap with a single fold, nor for evaluators that do not tell the `folds`. The best candidate
    is the one with the lowest adjusted loss. The runners tell the strategy the adjusted losses; do the same in a loop
    of your own: `results._replace(loss=results.compared)`. Which candidates go on is decided by the losses of the rung
    alone.

    evaluator: trains step by step, e.g. `Training`, or `Sharded(Training(...))` for many devices.
    factor: above 1; one in so many candidates goes on.
    num_rungs: R, the last of which trains in full; a rung trains at least one unit of the budget.
    brackets: 1 for successive halving; B divides the candidates into B brackets, of which the b-th skips the first b
        rungs and is the smaller for it, so that all cost about the same (Hyperband): for when early losses mislead.

    `Results.aux` is a dict with what the evaluator told when the loss was measured, and three more: `epochs` `[P]`,
    the budget at which it was measured, for `fit` and `retrain`; `curve` `[P, R]`, the losses at the ends of all rungs,
    NaN where a candidate was not trained or failed; and `curve_epochs` `[P, R]`, the budgets there, 0 where it was not
    trained.

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
        measured, budgets = self.measurements(state, space, candidates.x)
        return _best_of(measured, budgets), state

    def measurements(self, state: State, space: PyTree, x: Array) -> tuple[Results, Array]:
        """Trains the candidates `x` `[P, D]` and keeps what was measured after every rung.

        Returns:
            The results `[R, P, ...]` and the budgets `[R, P]` int32 at which they were measured; 0 in the rungs that a
            candidate was not trained in, where its results are those of the rung before.
        """
        count = len(x)
        order = self.evaluator.order(space, x)
        x, bracket = x[order], jnp.asarray(self._bracket_of(count))[order]
        horizon = self.evaluator.horizon(space, x)
        going_on = jnp.asarray(self._going_on(count))
        shares = jnp.asarray(self.factor ** np.arange(self.num_rungs)[::-1], jnp.int32)

        def rung(carry: tuple[PyTree, Array], inputs: tuple[Array, Array, Array]) -> tuple:
            members, level = carry
            number, counts, share = inputs
            loss = self.evaluator.results(state, members).loss
            rank = _rank_within(loss, level == number - 1, bracket)
            runs = jnp.where(number > bracket, rank < counts[bracket], number == bracket)
            budget = jnp.where(runs, -(-horizon // share), 0)
            members = self.evaluator.advance(state, space, x, members, budget)
            level = jnp.where(runs, number, level)
            return (members, level), (self.evaluator.results(state, members), budget)

        members = self.evaluator.begin(state, space, x)
        start = (members, jnp.full(count, -1, jnp.int32))
        rungs = (jnp.arange(self.num_rungs, dtype=jnp.int32), going_on, shares)
        _, measured = jax.lax.scan(rung, start, rungs)
        return jax.tree.map(lambda leaf: jnp.zeros_like(leaf).at[:, order].set(leaf), measured)

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
    order = jnp.lexsort((jnp.where(jnp.isfinite(loss), loss, jnp.inf), ~alive, bracket))
    index = jnp.arange(len(loss), dtype=jnp.int32)
    place = jnp.zeros_like(index).at[order].set(index)
    first = jnp.full_like(place, len(loss)).at[bracket].min(place)[bracket]
    return jnp.where(alive, place - first, len(loss))


def _best_of(measured: Results, budgets: Array) -> Results:
    """The best measurement of each candidate, of `[R, P, ...]`, with its learning curve."""
    curve = jnp.where(budgets > 0, measured.loss, jnp.nan)
    adjusted = curve + _handicap(measured)
    # One that failed in all rungs has the budget of the last of them that it was in.
    compared = jnp.where(jnp.isfinite(adjusted), adjusted, jnp.finfo(adjusted.dtype).max)
    compared = jnp.where(budgets > 0, compared, jnp.inf)
    # Of equal measurements the last: it is that of the longest training.
    chosen = len(compared) - 1 - jnp.argmin(compared[::-1], axis=0)
    members = jnp.arange(budgets.shape[1])
    best = jax.tree.map(lambda leaf: leaf[chosen, members], measured)
    aux = best.aux if isinstance(best.aux, dict) else {} if best.aux is None else {"aux": best.aux}
    aux |= {"epochs": budgets[chosen, members], "curve": curve.T, "curve_epochs": budgets.T}
    return best._replace(aux=aux, adjusted_loss=adjusted[chosen, members])


def _handicap(measured: Results) -> Array:
    """`[R, P]`, what is added to losses `[R, P]` to compare them: a standard error for each rung that is left.

    0 for an evaluator that does not tell the losses `[R, P, K]` in several folds.
    """
    folds = measured.aux.get("folds") if isinstance(measured.aux, dict) else None
    if folds is None or folds.shape[2] < 2:
        return jnp.zeros_like(measured.loss)
    error = jnp.std(folds, axis=2, ddof=1) / np.sqrt(folds.shape[2])
    left = jnp.arange(len(folds), dtype=error.dtype)[::-1]
    return error * left[:, None]
