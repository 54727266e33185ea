"""One generation of a search, the part that `minimize` and `search` share."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.population import separate, varying, zero_of
from jaxsearch.core.protocols import Evaluator, Strategy
from jaxsearch.core.pytree import is_concrete, is_number
from jaxsearch.core.results import checked
from jaxsearch.core.shift import Shift, told
from jaxsearch.core.types import Array, Candidates, Key, PyTree, Results
from jaxsearch.core.visited import nothing, visit
from jaxsearch.runners.best import Best, unknown
from jaxsearch.spaces import codec

MOST_COUNTED = np.iinfo(np.int32).max


class Generation(NamedTuple):
    """What `record` and `callback` get to see of a generation."""

    candidates: Candidates
    results: Results
    best: Best
    state: PyTree  # the strategy's
    number: Array  # [] int32, from 1


class Progress(NamedTuple):
    """Everything that one generation hands to the next."""

    generation: Array  # [] int32, generations that ran
    strategy: PyTree
    evaluator: PyTree
    best: Best
    num_failed: Array  # [] int32, at most 2**31 - 1
    shift: Shift
    visited: Array  # [F] bool, the configurations of a finite space that have been evaluated
    key: Key

    @property
    def exhausted(self) -> Array:
        """`[]` bool, whether every configuration of a finite space has been evaluated."""
        return jnp.all(self.visited) & (len(self.visited) > 0)


def start(key: Key, strategy: Strategy, evaluator: Evaluator | None, space: PyTree) -> Progress:
    """The state before the first generation; without an evaluator for `ask` and `tell`."""
    domain = codec.domain(space)
    if not domain.size:
        raise ValueError(f"A search needs a space with at least one dimension; got {space!r}. Add e.g. Float(0, 1).")
    key_strategy, key_evaluator, key_generations = jax.random.split(key, 3)
    state = strategy.init(key_strategy, domain)
    count = population_size(strategy, state, key)
    # A key-derived zero types the constants as varying where the key does, see core.population.varying.
    anchor = zero_of(key)
    dtype = jnp.result_type(float)
    best = Best(jnp.full(domain.size, 0.5, dtype), jnp.array(jnp.inf, dtype), jnp.zeros((), dtype))
    evaluator_state = None
    if evaluator is not None:
        evaluator_state = evaluator.init(key_evaluator, space, count)
        shapes = _shapes_of_results(key, (strategy, state), (evaluator, evaluator_state), space)
        adjusted = None if shapes.adjusted_loss is None else best.loss
        best = best._replace(aux=unknown(shapes.aux, count), adjusted_loss=adjusted)
    progress = Progress(
        generation=jnp.array(0, jnp.int32),
        strategy=state,
        evaluator=evaluator_state,
        best=varying(best, anchor),
        num_failed=varying(jnp.array(0, jnp.int32), anchor),
        shift=_varying_shift(anchor),
        visited=varying(nothing(domain), anchor),
        key=key_generations,
    )
    return separate(progress)


def _varying_shift(anchor: Array) -> Shift:
    shift = Shift.undecided()
    lowest, remainder = varying((shift.lowest, shift.remainder), anchor)
    return Shift(lowest, remainder, jnp.zeros_like(anchor, dtype=bool))


def population_size(strategy: Strategy, state: PyTree, key: Key) -> int:
    """The number of candidates that every `ask` of the strategy returns."""
    return jax.eval_shape(strategy.ask, key, state)[0].x.shape[0]


def _shapes_of_results(
    key: Key, strategy: tuple[Strategy, PyTree], evaluator: tuple[Evaluator, PyTree], space: PyTree
) -> Results:
    """What the evaluator will give, as shapes; the strategy and the evaluator each come with their state."""

    def results(key: Key, strategy: tuple[Strategy, PyTree], evaluator: tuple[Evaluator, PyTree]) -> Results:
        key_ask, key_evaluate = jax.random.split(key)
        candidates, _ = strategy[0].ask(key_ask, strategy[1])
        return _evaluate(evaluator[0], key_evaluate, evaluator[1], space, candidates, strategy[0])[0]

    return jax.eval_shape(results, key, strategy, evaluator)


@functools.partial(jax.jit, inline=True)
def _evaluate(
    evaluator: Evaluator, key: Key, state: PyTree, space: PyTree, candidates: Candidates, strategy: Strategy
) -> tuple[Results, PyTree]:
    """What the evaluator does, traced once although it is asked for its shapes first and then for its numbers.

    strategy: not used, but what JAX remembers is told apart by it: another search traces the objective again.
    """
    return evaluator.evaluate(key, state, space, candidates)


def advance(progress: Progress, strategy: Strategy, evaluator: Evaluator, space: PyTree) -> tuple[Progress, Generation]:
    """Runs one generation."""
    candidates, key, progress = ask(progress, strategy)
    results, state = _evaluate(evaluator, key, progress.evaluator, space, candidates, strategy)
    return tell(progress._replace(evaluator=state), strategy, space, candidates, results)


def ask(progress: Progress, strategy: Strategy) -> tuple[Candidates, Key, Progress]:
    """The candidates of the next generation, a key for their evaluation, and what `tell` goes on with."""
    key, key_ask, key_evaluate = jax.random.split(progress.key, 3)
    candidates, state = strategy.ask(key_ask, progress.strategy)
    return candidates, key_evaluate, progress._replace(strategy=state, key=key)


def tell(
    progress: Progress, strategy: Strategy, space: PyTree, candidates: Candidates, results: Results
) -> tuple[Progress, Generation]:
    """The end of the generation that `ask` began."""
    results = checked(candidates, results)
    failed = ~jnp.isfinite(results.loss)  # -inf, too: it is what log(0) gives, and would win
    feasible = jnp.full_like(failed, True) if results.violation is None else results.violation <= 0
    num_failed = progress.num_failed + jnp.sum(failed & feasible, dtype=jnp.int32)
    num_failed = jnp.where(num_failed < progress.num_failed, MOST_COUNTED, num_failed)  # it has wrapped around
    # Infeasible candidates must not win, but they did not fail.
    lost = failed | ~feasible
    results = results._replace(loss=jnp.where(lost, jnp.inf, results.loss))
    compared = results
    if results.adjusted_loss is not None:
        lost |= ~jnp.isfinite(results.adjusted_loss)
        results = results._replace(adjusted_loss=jnp.where(lost, jnp.inf, results.adjusted_loss))
        compared = results._replace(loss=results.adjusted_loss, adjusted_loss=None)
    told_results, shift = told(compared, progress.shift)
    state = strategy.tell(progress.strategy, candidates, told_results)
    progress = progress._replace(
        generation=progress.generation + 1,
        strategy=state,
        best=progress.best.update(candidates, results),
        num_failed=num_failed,
        shift=shift,
        visited=visit(progress.visited, candidates.x, codec.domain(space)),
    )
    return progress, Generation(candidates, results, progress.best, state, progress.generation)


def strong(tree: Any) -> Any:
    """Python numbers among the leaves become arrays of the default float dtype, and weakly typed arrays others, so that
    1, 0.5 and the numbers of NumPy and JAX all meet the same compiled program."""

    def convert(leaf: Any) -> Any:
        if is_number(leaf):
            return as_float(leaf)
        return _with_dtype(leaf, leaf.dtype) if getattr(leaf, "weak_type", False) else leaf

    return jax.tree.map(convert, tree)


def as_float(leaf: Any) -> Any:
    """A number, or an array, in the default float dtype, not weakly typed; anything else as it is."""
    dtype = jnp.result_type(float)
    if is_number(leaf):
        return np.asarray(leaf, dtype)
    return _with_dtype(leaf, dtype) if hasattr(leaf, "dtype") else leaf


def _with_dtype(array: Any, dtype: Any) -> Any:
    if isinstance(array, np.ndarray) or (isinstance(array, jax.Array) and is_concrete(array)):
        if array.dtype == dtype and not getattr(array, "weak_type", False):
            return array
        return np.asarray(array).astype(dtype)  # by NumPy, since JAX would compile a program for that
    return jax.lax.convert_element_type(array, dtype)
