"""Several strategies on one problem, over many seeds."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jaxsearch.core.population import check_count
from jaxsearch.core.protocols import Evaluator, Strategy
from jaxsearch.core.types import Array, Key, PyTree, Scalar
from jaxsearch.runners.comparison import Comparison
from jaxsearch.runners.generation import Generation, population_size, start
from jaxsearch.runners.minimize import _minimize, checked


def compare(
    objective: Callable | Evaluator,
    space: PyTree,
    strategies: Mapping[str, Strategy | str] | Sequence[Strategy | str],
    *,
    key: Key,
    num_seeds: int = 32,
    max_evaluations: int,
    target: Scalar | None = None,
) -> Comparison:
    """Races strategies at equal numbers of evaluations, and says which are distinguishable from the best.

        >>> bowl, space = lambda key, x: jnp.sum(x**2), js.Float(-1, 2, shape=(3,))
        >>> found = js.compare(bowl, space, [js.CMAES(), js.RandomSearch()], key=jax.random.key(0), max_evaluations=200)
        >>> found.best
        'CMAES'

    All seeds of a strategy run at once, in one compiled program. Every strategy gets the same keys, so that the runs of
    two strategies with one seed are a pair, e.g. with the same folds of the data. Each runs for as many whole
    generations as `max_evaluations` allow; they are compared after the number of evaluations that all of them made.
    The losses are those that the strategies were told, so noise favours whoever asks for a good point again.

    Fewer than 6 seeds cannot distinguish anything, 8 can distinguish 4 strategies. The losses take
    4 * num_seeds * max_evaluations bytes per strategy.

    Args:
        objective, space: as in `minimize`.
        strategies: at least two, by name; of a sequence, the names are those of the classes. Each an instance or its
            name in the registry, or "auto", as in `search` with `max_evaluations`.
        key: a JAX random key; run i of every strategy gets `jax.random.split(key, num_seeds)[i]`.
        num_seeds: runs of each strategy, at least 2.
        max_evaluations: candidates that each run may evaluate; at least one generation of every strategy.
        target: a loss; the comparison then also says how many evaluations it took. No run stops there.

    Raises:
        ValueError: for arguments that cannot work, before anything runs.
    """
    named = _by_name(strategies)
    num_seeds = check_count("num_seeds", num_seeds, 2, "Try 64.")
    max_evaluations = check_count("max_evaluations", max_evaluations, remedy="Try 32.")
    entrants = {}
    for name, strategy in named.items():
        parts, _ = checked(objective, space, strategy, max_evaluations=max_evaluations)
        size = _size(key, *parts)
        if size > max_evaluations:
            raise ValueError(
                f"max_evaluations must allow one generation of every strategy, {size} candidates of {name}; got "
                f"{max_evaluations}. Raise it or give {name} a smaller population_size."
            )
        entrants[name] = (*parts, max_evaluations // size, size)
    keys = jax.random.split(key, num_seeds)
    spent = np.array([num_generations * size for *_, num_generations, size in entrants.values()])
    curves = [
        np.minimum.accumulate(np.asarray(_losses(*parts, keys, num_generations))[:, : spent.min()], axis=1)
        for *parts, num_generations, _ in entrants.values()
    ]
    return Comparison(tuple(entrants), np.stack(curves), spent, None if target is None else float(target))


def _by_name(strategies: Any) -> dict[str, Any]:
    """The strategies by name; raises ValueError unless there are two or more, of different names."""
    if isinstance(strategies, Mapping):
        named = {str(name): strategy for name, strategy in strategies.items()}
    elif isinstance(strategies, list | tuple):
        names = [_name(strategy) for strategy in strategies]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(
                f"Every strategy needs a name of its own; {twice[0]} comes {len(twice)} times. "
                "Give a dict, e.g. {'small': PSO(population_size=8), ...}."
            )
        named = dict(zip(names, strategies, strict=True))
    else:
        raise ValueError(f"strategies must be a dict or a list; got {strategies!r}. Try [PSO(), RandomSearch()].")
    if len(named) < 2:
        raise ValueError(f"A comparison needs at least two strategies; got {len(named)}. Add e.g. RandomSearch().")
    return named


def _name(strategy: Any) -> str:
    if isinstance(strategy, str):
        return strategy
    inner = getattr(strategy, "strategy", None)
    name = (strategy if isinstance(strategy, type) else type(strategy)).__name__
    return name if inner is None else f"{name}({_name(inner)})"


def _size(key: Key, evaluator: Evaluator, space: PyTree, strategy: Strategy) -> int:
    """The population of a strategy on a space."""
    state = jax.eval_shape(start, key, strategy, evaluator, space).strategy
    return population_size(strategy, state, key)


def _every_loss(generation: Generation) -> Array:
    return generation.results.loss


@functools.partial(jax.jit, static_argnames="num_generations")
def _losses(evaluator: Evaluator, space: PyTree, strategy: Strategy, keys: Key, num_generations: int) -> Array:
    """`[N, E]` the losses of all evaluations of a run with each key, in their order."""

    def run(key: Key) -> Array:
        return _minimize(evaluator, space, strategy, key, None, num_generations, _every_loss).history.reshape(-1)

    # Every strategy gets the same keys, on purpose: JAX's check of reused keys is told so by `clone`.
    return jax.vmap(run)(jax.random.clone(keys))
