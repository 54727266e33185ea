"""How much memory a search needs, said before it runs."""

from collections.abc import Callable
from typing import NamedTuple

import jax

from jaxsearch.core.population import check_count
from jaxsearch.core.protocols import Evaluator, Strategy
from jaxsearch.core.types import PyTree
from jaxsearch.runners.generation import start
from jaxsearch.runners.minimize import _minimize, best_loss, checked


class Memory(NamedTuple):
    """Bytes that a search needs; `print` it.

    state: the strategy's state, on all devices together.
    candidates: the points of one generation, on all devices together.
    peak: what XLA sets aside on each device while the compiled search runs: inputs, results, and room for all between;
        None where it does not say.
    """

    state: int
    candidates: int
    peak: int | None

    def __str__(self) -> str:
        return ", ".join(f"{name} {_readable(count)}" for name, count in self._asdict().items())


def memory(
    objective: Callable | Evaluator, space: PyTree, strategy: Strategy | str, *, num_generations: int = 2
) -> Memory:
    """Says how many bytes `minimize` with the same arguments needs, without target and with the default record.

    It compiles the search and does not run it.

    Two generations need as much as two hundred, but for the history. One alone would need less: it has no loop, which
    keeps a state while it makes the next. "auto" may be another strategy for another number of them.

    Raises:
        ValueError: for what `minimize` would not run either.
    """
    num_generations = check_count("num_generations", num_generations, remedy="Try 100.")
    (evaluator, space, strategy), _ = checked(objective, space, strategy, num_generations)
    key = jax.random.key(0)  # any of the default kind; programs do not depend on it
    state = jax.eval_shape(start, key, strategy, evaluator, space).strategy
    candidates, _ = jax.eval_shape(strategy.ask, key, state)
    compiled = _minimize.lower(evaluator, space, strategy, key, None, num_generations, best_loss).compile()
    room = compiled.memory_analysis()
    if room is None:
        return Memory(_bytes(state), _bytes(candidates), None)
    # Not room.peak_memory_in_bytes, which leaves out temporaries on a CPU.
    peak = room.argument_size_in_bytes + room.output_size_in_bytes + room.temp_size_in_bytes
    return Memory(_bytes(state), _bytes(candidates), peak - room.alias_size_in_bytes)


def _bytes(shapes: PyTree) -> int:
    """The size of all arrays of a tree of `jax.ShapeDtypeStruct`."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(shapes))


def _readable(count: int | None) -> str:
    if count is None:
        return "unknown"
    size, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.3g} {units[0]}"
