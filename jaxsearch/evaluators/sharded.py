"""A population that is spread over several devices."""

from collections.abc import Callable

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxsearch.core.protocols import Evaluator, State
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Key, PyTree, Results
from jaxsearch.evaluators.vectorized import as_evaluator


@pytree
class Sharded:
    """Runs another evaluator with the candidates spread over devices, each of which evaluates its share.

    XLA carries the sharding from the candidates on to the strategy: the arrays of its state that have a row per
    candidate, and the arithmetic on them, are spread too. An array whose rows the devices do not divide is whole on
    each of them, so a population should be a multiple of the number of devices; any other works as well.

    The random numbers do not depend on the devices, nor does anything that is computed for each candidate alone; sums
    over the population round differently, after which a long run of DE or CMAES takes another path, as good as any.

    evaluator: what runs on the devices; a plain objective is wrapped in `Vectorized`.
    mesh: the devices; all of them, also those of other processes, if None.
    axis: the axis of the mesh, or several, over which the population is spread.
    Raises ValueError if the mesh has no such axis.
    """

    evaluator: Evaluator | Callable
    mesh: Mesh | None = static(default=None)
    axis: str | tuple[str, ...] = static(default="population")

    def __post_init__(self):
        if callable(self.evaluator) or isinstance(self.evaluator, int | float | str | list | dict | tuple):
            object.__setattr__(self, "evaluator", as_evaluator(self.evaluator))
        axes = (self.axis,) if isinstance(self.axis, str) else self.axis
        names = ("population",) if self.mesh is None else self.mesh.axis_names
        if not set(axes) <= set(names):
            raise ValueError(f"axis must name axes of the mesh, {names}; got {self.axis!r}. Try axis={names[0]!r}.")

    def init(self, key: Key, space: PyTree, count: int) -> State:
        return as_evaluator(self.evaluator).init(key, space, count)

    def evaluate(self, key: Key, state: State, space: PyTree, candidates: Candidates) -> tuple[Results, State]:
        # Made here and not when the object is made, which shall start no devices. A new mesh, because the axes of the
        # user's may be of the explicit kind, while here it is XLA that propagates.
        mesh = Mesh(jax.devices(), "population") if self.mesh is None else Mesh(self.mesh.devices, self.mesh.axis_names)
        rows = NamedSharding(mesh, PartitionSpec(self.axis))

        def spread(leaf: Array) -> Array:
            return jax.lax.with_sharding_constraint(leaf, rows)

        results, state = as_evaluator(self.evaluator).evaluate(key, state, space, jax.tree.map(spread, candidates))
        return jax.tree.map(spread, results), state
