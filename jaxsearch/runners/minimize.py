"""The whole search as one compiled program."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core.population import check_count, varying
from jaxsearch.core.protocols import Evaluator, Strategy
from jaxsearch.core.types import Key, PyTree, Scalar
from jaxsearch.evaluators.vectorized import as_evaluator
from jaxsearch.runners.automatic import resolved
from jaxsearch.runners.checks import check_hyperparameters, check_key, check_reals, check_target, check_traceable
from jaxsearch.runners.generation import Generation, Progress, advance, as_float, population_size, start, strong
from jaxsearch.runners.interruption import interrupted_at_once
from jaxsearch.runners.result import Result, result_of
from jaxsearch.runners.snapshot import snapshot, with_snapshot
from jaxsearch.spaces import codec


def best_loss(generation: Generation) -> PyTree:
    """The default record: the best loss so far."""
    return generation.best.loss


def minimize(
    objective: Callable | Evaluator,
    space: PyTree,
    strategy: Strategy | str,
    *,
    key: Key,
    num_generations: int,
    target: Scalar | None = None,
    record: Callable[[Generation], PyTree] = best_loss,
) -> Result:
    """Searches `space` for the configuration with the lowest loss, in one compiled program.

        >>> bowl = lambda key, x: jnp.sum((x - 0.3) ** 2)
        >>> space = js.Float(-1, 1, shape=(2,))
        >>> result = js.minimize(bowl, space, js.CMAES(), key=jax.random.key(0), num_generations=60, target=1e-6)
        >>> bool(result.loss <= 1e-6)
        True

    Works under `jit`, `vmap` (over keys, hyperparameters, bounds, data), `grad` through a strategy's
    hyperparameter (without target), inside `scan` and in `shard_map`. Compiles once per structure: other
    hyperparameters, bounds of a Float, targets, keys and data of the same shape run the same program.

    Args:
        objective: `objective(key, params) -> loss` for one configuration, or an evaluator. It is traced once and
            compiled. What a plain function refers to, globals, attributes and arrays of NumPy that it reads, may have
            changed by the next call, which then compiles again. Not followed are sets, arrays changed in place that
            belong to an object or to another function, and what lies in libraries or behind a `jax.jit` of yours: pass
            that as data, as in `jax.tree_util.Partial(loss, data)`, which never compiles again. Inside of a `jax.jit`
            of yours all is as it was when that was traced.
        space: a pytree of dimensions.
        strategy: e.g. `PSO()`, or its name in the registry. "auto" is the one that `choose` gives for this space, for
            generations of 4 + 3 ln D candidates, or of 64 that are trained; `Result.reason` says which, and why.
        key: a JAX random key; the only source of randomness.
        num_generations: generations to run, at least 1.
        target: stop after the generation whose best loss is at most this; inf is met by the first that did not fail.
        record: what to keep of every generation, a pure function of `Generation`; the best loss so far by default.

    Raises:
        ValueError: for a space, strategy, objective or number that cannot work, before anything runs.
    """
    num_generations = check_count("num_generations", num_generations, remedy="Try 100.")
    check_key(key)
    check_target(target)
    if not callable(record):
        raise ValueError(f"record must be a function of a Generation; got {record!r}. Leave it out for the best loss.")
    (evaluator, space, strategy), reason = checked(objective, space, strategy, num_generations)
    target = None if target is None else as_float(target)
    with interrupted_at_once():
        result = _minimize(evaluator, space, strategy, key, target, num_generations, snapshot(record))
    return result if reason is None else dataclasses.replace(result, reason=reason)


def checked(
    objective: Any, space: PyTree, strategy: Any, num_generations: int | None = None, max_evaluations: int | None = None
) -> tuple[tuple[Evaluator, PyTree, Strategy], str | None]:
    """The evaluator, space and strategy that run, and why this strategy if it was "auto".

    Raises ValueError for what cannot work; the numbers, which only "auto" asks for, have been checked before.
    """
    codec.check(space)
    check_reals("space", space)
    evaluator = as_evaluator(objective)
    check_traceable("evaluator", evaluator)
    strategy, reason = resolved(strategy, objective, space, num_generations, max_evaluations)
    check_strategy(strategy)
    check_space(objective, space)
    evaluator = with_snapshot(evaluator)
    return (strong(evaluator), jax.tree.map(as_float, space), strong(with_floats(strategy))), reason


def with_floats(strategy: Any) -> Any:
    """A strategy, and what it wraps, whose hyperparameters, declared as `Scalar`, have the default float dtype."""
    if not dataclasses.is_dataclass(strategy):
        return strategy
    scalars = [field.name for field in dataclasses.fields(strategy) if field.type in (Scalar, Scalar | None)]
    changes: dict[str, Any] = {name: as_float(getattr(strategy, name)) for name in scalars}
    if hasattr(strategy, "strategy"):
        changes["strategy"] = with_floats(getattr(strategy, "strategy"))  # noqa: B009  # no part of the contract
    return dataclasses.replace(strategy, **changes)  # type: ignore[type-var]


def check_strategy(strategy: Any) -> None:
    """Raises ValueError unless `strategy` is an instance with the three methods of the contract and real numbers."""
    if isinstance(strategy, type) or not isinstance(strategy, Strategy):
        raise ValueError(
            f"A strategy needs the methods init, ask and tell; got {strategy!r}. Pass an instance such as PSO()."
        )
    if hasattr(strategy, "strategy"):  # a wrapper
        check_strategy(getattr(strategy, "strategy"))  # noqa: B009  # no part of the contract
    check_hyperparameters(strategy)
    check_reals("strategy", strategy)


def check_space(evaluator: Any, space: PyTree) -> None:
    """Lets an evaluator, and what it wraps, refuse a space as long as the bounds of a Float are plain numbers."""
    while evaluator is not None:
        if callable(check := getattr(evaluator, "check_space", None)):
            check(space)
        evaluator = getattr(evaluator, "evaluator", None)


@functools.partial(jax.jit, static_argnames=("num_generations", "record"))
def _minimize(evaluator, space, strategy, key, target, num_generations, record) -> Result:
    progress = start(key, strategy, evaluator, space)
    count = population_size(strategy, progress.strategy, key)

    def step(progress: Progress) -> tuple[Progress, PyTree]:
        progress, generation = advance(progress, strategy, evaluator, space)
        return progress, record(generation)

    if target is None:
        progress, history = jax.lax.scan(lambda carry, _: step(carry), progress, None, length=num_generations)
    else:
        progress, history = _until(target, step, progress, num_generations)
    return result_of(progress, space, count, history)


def _until(target, step, progress: Progress, num_generations: int) -> tuple[Progress, PyTree]:
    """Steps until the best loss is at most `target`; the history's tail repeats its last entry."""

    def unfinished(carry):
        progress, _ = carry
        met = (progress.best.loss <= target) & jnp.isfinite(progress.best.loss)
        return (progress.generation < num_generations) & ~met

    def body(carry):
        progress, history = carry
        after, entry = step(progress)
        write = functools.partial(jax.lax.dynamic_update_index_in_dim, axis=0)
        return after, jax.tree.map(lambda rows, row: write(rows, row, progress.generation), history, entry)

    shapes = jax.eval_shape(step, progress)[1]
    empty = jax.tree.map(lambda entry: jnp.zeros((num_generations, *entry.shape), entry.dtype), shapes)
    progress, history = jax.lax.while_loop(unfinished, body, (progress, varying(empty, progress.best.loss)))
    last = jnp.minimum(jnp.arange(num_generations, dtype=jnp.int32), progress.generation - 1)
    return progress, jax.tree.map(lambda rows: rows[last], history)
