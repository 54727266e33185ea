"""A network of cells, small graphs whose edges choose their operations; the choice is data, and may be a mixture."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Key, PyTree
from jaxsearch.models import architecture, operations
from jaxsearch.spaces.dimensions import Choice, Float


@pytree
class CellNet:
    """A dense layer, equal cells one after the other, and a dense layer. In a cell of N nodes every node hands on.

        h_j = sum over i < j, operations o of mixture[i -> j, o] * o(h_i, h_i W_ij + b_ij),  h_0 the input, h_{N-1} out
        o(h, z) = activation(z), or h sigmoid(z) (gated), or h (skip), or 0 (zero)

    One operation of each edge has the weight 1 and all others 0, unless the operations are searched by gradient, see
    `relax`. All operations of an edge share its one matrix, so that a mixture costs no more products than a network.

    num_features: inputs F. num_outputs: outputs O (classes, or 1 for regression).
    num_nodes: N at least 2. num_cells: cells with weights of their own and the same operations. width: units of a node.
    operations: the K names that may be chosen, from relu, tanh, silu, gelu, gated, skip and zero.

    Parameters: `operations`, a list of indices into `operations`, one for each of the E = N (N - 1) / 2 edges in the
    order 0 -> 1, 0 -> 2, ..., 1 -> 2, ..., by default 0; or an array `[E, K]`, the weights of a mixture.

    References: Dong, Yang, NAS-Bench-201, ICLR, 2020 (the graph). Stamoulis et al., Single-Path NAS, ECML PKDD, 2019
        (operations that share their weights).
    """

    num_features: int = static()
    num_outputs: int = static()
    num_nodes: int = static(default=4)
    num_cells: int = static(default=1)
    width: int = static(default=32)
    operations: tuple[str, ...] = static(default=("relu", "tanh", "gated", "skip", "zero"))

    def __post_init__(self):
        architecture.check_sizes(self)
        architecture.check_options(self, operations=operations.OPERATIONS)
        if self.num_nodes < 2:
            raise ValueError(f"num_nodes must be at least 2; got {self.num_nodes}. Try 4.")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a row of `x`."""
        return (self.num_features,)

    @property
    def edges(self) -> list[tuple[int, int]]:
        """The nodes that each edge joins."""
        return [(i, j) for i in range(self.num_nodes) for j in range(i + 1, self.num_nodes)]

    def space(self) -> dict[str, Any]:
        """A sensible space for the operations together with learning rate and weight decay."""
        return {
            "learning_rate": Float(1e-3, 3e-2, log=True),
            "weight_decay": Float(1e-4, 1.0, log=True),
            "operations": [Choice(*self.operations) for _ in self.edges],
        }

    def check_space(self, space: dict[str, Any], also: tuple[str, ...] = ()) -> None:
        """Raises ValueError for a name that neither this model nor `also` knows, and for operations it has not."""
        for name in space:
            check_name("parameter", name, ("operations", *also))
        choices, count = space.get("operations", self.space()["operations"]), len(self.edges)
        if not isinstance(choices, list) or len(choices) != count or not all(isinstance(c, Choice) for c in choices):
            raise ValueError(f"operations must be a list of {count} Choices; got {choices!r}. See space().")
        for choice in choices:
            for option in choice.options:
                check_name("operation", option, self.operations)

    def complete(self, space: dict[str, Any], params: PyTree) -> dict[str, Array]:
        """`mixture` `[E, K]`, the weights of the operations of each edge, 1 for the one that it has."""
        given = params.get("operations", [0] * len(self.edges))
        if not isinstance(given, list):
            return {"mixture": jnp.asarray(given)}
        if "operations" in space:
            tables = [[self.operations.index(o) for o in choice.options] for choice in space["operations"]]
            given = [jnp.asarray(table)[index] for table, index in zip(tables, given, strict=True)]
        index = jnp.stack([jnp.asarray(edge, jnp.int32) for edge in given])
        return {"mixture": jax.nn.one_hot(index, len(self.operations), dtype=jnp.result_type(float))}

    def strongest(self, params: dict[str, Array]) -> Array:
        """`[E]` int32, the operation of each edge with the largest weight in the completed parameters."""
        return jnp.argmax(params["mixture"], axis=1).astype(jnp.int32)

    def skip_share(self, params: dict[str, Array]) -> Array:
        """The share of skips among the edges that are not zero, `[]`; 0 if there is none."""
        names = np.array(self.operations)
        strongest = self.strongest(params)
        used = jnp.sum(jnp.asarray(names != "zero")[strongest])
        return jnp.sum(jnp.asarray(names == "skip")[strongest]) / jnp.maximum(used, 1)

    def smaller(self, num_sizes: int = 1) -> tuple["CellNet", ...]:
        """None: all candidates have arrays of one size."""
        return ()

    def fits(self, params: dict[str, Array]) -> Array:
        """Whether the architecture fits into the arrays of this one; always."""
        return jnp.array(True)

    def bounded(self, params: dict[str, Array]) -> "CellNet":
        """This network, which has nothing that no candidate has."""
        return self

    def flops(self, params: dict[str, Array]) -> Array:
        """Floating-point operations of the matrix products for one row, forward; `[]`."""
        return self._flops(self._dense(params))

    def padded_flops(self) -> Array:
        """The same with a product on every edge, as they run whatever the architecture; `[]`."""
        return self._flops(jnp.array(self.num_cells * len(self.edges)))

    def num_parameters(self, params: dict[str, Array]) -> Array:
        """Weights and biases of the architecture, `[]`."""
        return self.flops(params) / 2 + (1 + self._dense(params)) * self.width + self.num_outputs

    def _flops(self, dense: Array) -> Array:
        return 2.0 * self.width * (self.num_features + dense * self.width + self.num_outputs)

    def _dense(self, params: dict[str, Array]) -> Array:
        """How many edges of all cells have weights."""
        weighted = jnp.asarray([name not in operations.WITHOUT_WEIGHTS for name in self.operations])
        return self.num_cells * jnp.sum(jnp.any((params["mixture"] != 0) & weighted[None], axis=1))

    def shapes(self) -> PyTree:
        """The weights' shapes and dtypes: hidden layers are the input's and those of the edges, cell after cell."""
        edges = [(self.width, self.width)] * (self.num_cells * len(self.edges))
        return architecture.shapes([(self.num_features, self.width), *edges], (self.width, self.num_outputs))

    def draw(self, key: Key) -> PyTree:
        """Draws from U[-1, 1] for `init`."""
        return architecture.draw(key, self.shapes())

    def init(self, draws: PyTree, params: dict[str, Array]) -> PyTree:
        """Random weights, uniform with the variance for the operations and the fan-in; biases 0."""
        edges = [*operations.variance(self.operations, params["mixture"]) / self.width] * self.num_cells
        variances = [jnp.array(1 / self.num_features), *edges]
        return architecture.init(draws, self.shapes(), variances, jnp.array(1 / self.width))

    def apply(self, word: Array | None, params: dict[str, Array], weights: PyTree, x: Array) -> Array:
        """The outputs `[B, O]` for the inputs `x` `[B, F]`."""
        first, *layers = weights["hidden"]
        h, count = x @ first["w"] + first["b"][None], len(self.edges)
        for cell in range(self.num_cells):
            h = self._cell(params["mixture"], layers[cell * count : (cell + 1) * count], h)
        return h @ weights["output"]["w"] + weights["output"]["b"][None]

    def _cell(self, mixture: Array, layers: list[PyTree], h: Array) -> Array:
        nodes = [h] + [jnp.zeros_like(h)] * (self.num_nodes - 1)
        # One product at a time: XLA runs the batched one of several edges seven times slower on a CPU.
        for (i, j), weights, layer in zip(self.edges, mixture, layers, strict=True):
            z = nodes[i] @ layer["w"] + layer["b"][None]
            nodes[j] += operations.mixed(self.operations, weights, nodes[i], z)
        return nodes[-1]

    def compact(self, params: dict[str, Array], weights: PyTree) -> tuple[dict[str, Any], list[tuple]]:
        """Host side: what `portable` has to know, and the `(w, b)` of input, edges with weights and output."""
        names = [self.operations[int(index)] for index in np.asarray(self.strongest(params))] * self.num_cells
        weighted = [name not in operations.WITHOUT_WEIGHTS for name in names]
        hidden = [layer for layer, kept in zip(weights["hidden"], [True, *weighted], strict=True) if kept]
        shapes = [layer["w"].shape for layer in hidden]
        layers = architecture.compact({**weights, "hidden": hidden}, shapes, (self.width, self.num_outputs))
        edges = [[*edge, name] for edge, name in zip(self.edges, names, strict=False) if name != "zero"]
        return {"num_nodes": self.num_nodes, "num_cells": self.num_cells, "edges": edges}, layers

    def summary(self, params: dict[str, Array]) -> str:
        """Host side: the architecture in words."""
        names = [self.operations[int(index)] for index in np.asarray(self.strongest(params))]
        edges = ", ".join(f"{i}-{j} {name}" for (i, j), name in zip(self.edges, names, strict=True) if name != "zero")
        cells = f"{self.num_cells} cell{'s' * (self.num_cells > 1)}"
        return f"{cells} of {self.num_nodes} nodes and {self.width} units: {edges or 'no edges'}"
