"""One generation of a search, the part that `minimize` and `search` share."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core import ranking
from jaxsearch.core.population import separate, varying, zero_of
from jaxsearch.core.protocols import Evaluator, Strategy
from jaxsearch.core.pytree import is_number
from jaxsearch.core.results import checked
from jaxsearch.core.types import Array, Candidates, Key, PyTree, Results
from jaxsearch.core.visited import nothing, visit
from jaxsearch.spaces import codec


class Best(NamedTuple):
    """The best candidate so far: `x` `[D]`, its `loss` `[]` (+inf before the first success)."""

    x: Array
    loss: Array

    def update(self, candidates: Candidates, results: Results) -> "Best":
        # An index of shape [1], a gather: of points on many devices XLA moves the best, not all to each of them.
        index = ranking.lowest(results.loss)[None]
        x, loss = candidates.x[index][0], results.loss[index][0]
        better = loss < self.loss
        return Best(jnp.where(better, x, self.x), jnp.where(better, loss, self.loss))


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
    num_failed: Array  # [] int32
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
    best = Best(jnp.full(domain.size, 0.5, dtype), jnp.array(jnp.inf, dtype))
    progress = Progress(
        generation=jnp.array(0, jnp.int32),
        strategy=state,
        evaluator=None if evaluator is None else evaluator.init(key_evaluator, space, count),
        best=varying(best, anchor),
        num_failed=varying(jnp.array(0, jnp.int32), anchor),
        visited=varying(nothing(domain), anchor),
        key=key_generations,
    )
    return separate(progress)


def population_size(strategy: Strategy, state: PyTree, key: Key) -> int:
    """The number of candidates that every `ask` of the strategy returns."""
    return jax.eval_shape(strategy.ask, key, state)[0].x.shape[0]


def advance(progress: Progress, strategy: Strategy, evaluator: Evaluator, space: PyTree) -> tuple[Progress, Generation]:
    """Runs one generation."""
    candidates, key, progress = ask(progress, strategy)
    results, state = evaluator.evaluate(key, progress.evaluator, space, candidates)
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
    # Infeasible candidates must not win, but they did not fail.
    results = results._replace(loss=jnp.where(failed | ~feasible, jnp.inf, results.loss))
    state = strategy.tell(progress.strategy, candidates, results)
    progress = progress._replace(
        generation=progress.generation + 1,
        strategy=state,
        best=progress.best.update(candidates, results),
        num_failed=num_failed,
        visited=visit(progress.visited, candidates.x, codec.domain(space)),
    )
    return progress, Generation(candidates, results, progress.best, state, progress.generation)


def strong(tree: Any) -> Any:
    """Python numbers among the leaves become arrays of the default float dtype, so that 1, 0.5 and NumPy's numbers
    all meet the same compiled program. NumPy makes them, since JAX would compile a program for that."""

    def convert(leaf: Any) -> Any:
        return np.asarray(leaf, jnp.result_type(float)) if is_number(leaf) else leaf

    return jax.tree.map(convert, tree)
