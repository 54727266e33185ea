"""A population that is spread over several devices."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxsearch.core.protocols import Evaluator, State, Trainable
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

    On a CPU, XLA ends the process when a device has waited for the others for 40 seconds, as it may where candidates
    differ in work. Before JAX starts, set XLA_FLAGS=--xla_cpu_collective_call_terminate_timeout_seconds=86400.

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
        if self.mesh is not None and not isinstance(self.mesh, Mesh):
            raise ValueError(f"mesh must be a jax.sharding.Mesh; got {self.mesh!r}. Leave it out for all devices.")
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        names = ("population",) if self.mesh is None else self.mesh.axis_names
        if not axes or not all(axis in names for axis in axes):
            raise ValueError(f"axis must name axes of the mesh, {names}; got {self.axis!r}. Try axis={names[0]!r}.")

    def init(self, key: Key, space: PyTree, count: int) -> State:
        evaluator = as_evaluator(self.evaluator)
        state = evaluator.init(key, space, count)
        return self.everywhere(state) if isinstance(evaluator, Trainable) else state

    def evaluate(self, key: Key, state: State, space: PyTree, candidates: Candidates) -> tuple[Results, State]:
        evaluator = as_evaluator(self.evaluator)
        if isinstance(evaluator, Trainable):  # its chunks differ in work, so that every device has its own loop
            order = self.order(space, candidates.x)
            results = self._apart(
                lambda x, key, state, space: evaluator.evaluate(key, state, space, Candidates(x))[0],
                candidates.x[order], key, state, space,
            )  # fmt: skip
            results = jax.tree.map(lambda leaf: jnp.zeros_like(leaf).at[order].set(leaf), results)
            return self.everywhere(results), self.everywhere(state)
        rows = NamedSharding(self._mesh(), PartitionSpec(self.axis))

        def spread(leaf: Array) -> Array:
            return jax.lax.with_sharding_constraint(leaf, rows)

        results, state = evaluator.evaluate(key, state, space, jax.tree.map(spread, candidates))
        return jax.tree.map(spread, results), state

    def horizon(self, space: PyTree, x: Array) -> Array:
        return self._trainable.horizon(space, x)

    def order(self, space: PyTree, x: Array) -> Array:
        """`[P]` int32, the candidates dealt to the devices, so that each gets about the same work."""
        order, devices = self._trainable.order(space, x), self.num_devices
        whole = len(x) // devices * devices
        return jnp.concatenate([order[:whole].reshape(-1, devices).T.reshape(-1), order[whole:]])

    def begin(self, state: State, space: PyTree, x: Array) -> PyTree:
        return self._apart(lambda x, state, space: self._trainable.begin(state, space, x), x, state, space)

    def advance(self, state: State, space: PyTree, x: Array, members: PyTree, budget: Array) -> PyTree:
        def advance(rows: tuple, state: State, space: PyTree) -> PyTree:
            x, members, budget = rows
            return self._trainable.advance(state, space, x, members, budget)

        return self._apart(advance, (x, members, budget), state, space)

    def results(self, state: State, members: PyTree) -> Results:
        return self.everywhere(self._trainable.results(state, members))

    @property
    def _trainable(self) -> Trainable:
        evaluator = as_evaluator(self.evaluator)
        if not isinstance(evaluator, Trainable):
            raise ValueError(f"Only a training can be halved or continued; got {evaluator!r}. Use e.g. Training.")
        return evaluator

    def _apart(self, function: Callable, rows: PyTree, *shared: PyTree) -> PyTree:
        """`function(rows, *shared)` with the rows `[P, ...]` split over the devices, each running its own program."""
        count, devices = len(jax.tree.leaves(rows)[0]), self.num_devices
        filled = jnp.minimum(jnp.arange(-(-count // devices) * devices), count - 1)
        spec = PartitionSpec(self.axis)
        apart = jax.shard_map(
            function,
            mesh=self._mesh(),
            in_specs=(spec, *(PartitionSpec() for _ in shared)),
            out_specs=spec,
            check_vma=False,
        )
        if len(filled) == count:
            return apart(rows, *shared)
        results = apart(jax.tree.map(lambda leaf: leaf[filled], rows), *shared)
        return jax.tree.map(lambda leaf: leaf[:count], results)

    def everywhere(self, tree: PyTree) -> PyTree:
        """The same on every device, so that a search meets the placement it started with, and compiles once."""
        whole = NamedSharding(self._mesh(), PartitionSpec())
        return jax.tree.map(lambda leaf: jax.lax.with_sharding_constraint(leaf, whole), tree)

    def _mesh(self) -> Mesh:
        # Made here and not when the object is made, which shall start no devices. A new mesh, because the axes of the
        # user's may be of the explicit kind, while here it is XLA that propagates.
        return Mesh(jax.devices(), "population") if self.mesh is None else Mesh(self.mesh.devices, self.mesh.axis_names)

    @property
    def num_devices(self) -> int:
        """Those that the population is spread over."""
        axes = (self.axis,) if isinstance(self.axis, str) else self.axis
        return math.prod(self._mesh().shape[axis] for axis in axes)
