"""A multilayer perceptron with depth, widths, activation and dropout as data."""

import dataclasses
import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Key, PyTree
from jaxsearch.models import activations, architecture, masking
from jaxsearch.spaces.dimensions import Choice, Float, Int


@pytree
class MLP:
    """Fully connected layers. All candidates have arrays of the largest size; masks and gates switch off the rest.

        h_l <- units_l * activation(h_{l-1} W_l + b_l)   for l < layers, else h_l <- h_{l-1}
        output = h W + b                                 x V + b without hidden layers: a linear model

    num_features: inputs F. num_outputs: outputs O (classes, or 1 for regression).
    max_layers, max_width: the largest architecture; min_width: the smallest width in `space()`.
    activations: the names that may be chosen, from relu, tanh, silu and gelu.
    depth: `[]` int, at least the `layers` of every candidate that runs; the layers beyond it are skipped. None for all.
    linear: `[]` int, how many candidates that run are linear models; without any, what only they need is skipped.

    Parameters, each with a default if a space leaves it out: `layers` int, 0 for a linear model, `width` `[max_layers]`
    or scalar int, `activation` index into `activations`, `dropout` in [0, 1). The last three do not matter to a linear
    model.
    """

    num_features: int = static()
    num_outputs: int = static()
    max_layers: int = static(default=3)
    max_width: int = static(default=128)
    min_width: int = static(default=8)
    activations: tuple[str, ...] = static(default=("relu", "tanh", "silu"))
    depth: Array | None = None
    linear: Array | None = None

    def __post_init__(self):
        architecture.check_sizes(self)
        architecture.check_least(self, "min_width", "max_width")
        architecture.check_options(self, activations=activations.VARIANCE)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a row of `x`."""
        return (self.num_features,)

    def space(self) -> dict[str, Any]:
        """A sensible space for the architecture together with learning rate and weight decay."""
        space: dict[str, Any] = {
            "learning_rate": Float(1e-3, 3e-2, log=True),
            "weight_decay": Float(1e-4, 1.0, log=True),
            "dropout": Float(0.0, 0.4),
        }
        space["layers"] = Int(0, self.max_layers)
        if self.max_width > self.min_width:
            space["width"] = Int(self.min_width, self.max_width, log=True)
        if len(self.activations) > 1:
            space["activation"] = Choice(*self.activations)
        return space

    def check_space(self, space: dict[str, Any], also: tuple[str, ...] = ()) -> None:
        """Raises ValueError for a name that neither this model nor `also` knows, and for values it cannot have."""
        sizes, options = {"layers": self.max_layers, "width": self.max_width}, {"activation": self.activations}
        arrays, least = {"width": (self.max_layers,)}, {"layers": 0}
        architecture.check_space(self, space, also, sizes, {"dropout": 1}, options, arrays, least)

    def complete(self, space: dict[str, Any], params: PyTree) -> dict[str, Array]:
        """The four parameters of the architecture, from those of a configuration and the defaults."""
        width = jnp.asarray(params.get("width", self.max_width))
        width = width[: self.max_layers] if width.ndim else jnp.broadcast_to(width, (self.max_layers,))
        return {
            "layers": jnp.asarray(params.get("layers", self.max_layers)),
            "width": width,
            "activation": architecture.index_of(space, params, "activation", self.activations),
            "dropout": jnp.asarray(params.get("dropout", 0.0), jnp.result_type(float)),
        }

    def smaller(self, num_sizes: int = 4) -> tuple["MLP", ...]:
        """Narrower versions, cheapest first, so many with this one; see `Training` and `plan`. None if it is narrow."""
        widths = [-(-part * self.max_width // num_sizes) for part in range(1, num_sizes)] if self.max_width > 32 else []
        return tuple(dataclasses.replace(self, max_width=w, min_width=min(self.min_width, w)) for w in widths)

    def fits(self, params: dict[str, Array]) -> Array:
        """Whether the architecture, completed by this or a wider version, fits into this one's arrays; bool."""
        return jnp.all(self._used(params) <= self.max_width)

    def bounded(self, params: dict[str, Array]) -> "MLP":
        """This network for candidates with the completed `params` `[C, ...]` only: what none of them has is skipped."""
        layers = params["layers"]
        return dataclasses.replace(self, depth=jnp.max(layers), linear=jnp.sum(layers == 0))

    def flops(self, params: dict[str, Array]) -> Array:
        """Floating-point operations of the matrix products for one row, forward; `[]`."""
        used, layers = self._used(params), params["layers"]
        fan_in = jnp.append(self.num_features, used[:-1])
        last = jnp.where(layers > 0, used[layers - 1], self.num_features)
        return 2.0 * (jnp.sum(fan_in * used) + last * self.num_outputs)

    def padded_flops(self) -> Array:
        """The same of the arrays up to `depth`, which run whatever the architecture; `[]`."""
        layers = jnp.asarray(self.max_layers if self.depth is None else self.depth)
        flops = self.flops({"layers": layers, "width": jnp.full(self.max_layers, self.max_width)})
        linear = True if self.linear is None else self.linear > 0
        return flops + jnp.where((layers > 0) & linear, 2.0 * self.num_features * self.num_outputs, 0)

    def num_parameters(self, params: dict[str, Array]) -> Array:
        """Weights and biases of the architecture, `[]`."""
        return self.flops(params) / 2 + jnp.sum(self._used(params)) + self.num_outputs

    def _used(self, params: dict[str, Array]) -> Array:
        """`[max_layers]`, the width of each layer, 0 for one that is off; floats, whose products do not overflow."""
        width = params["width"].astype(jnp.result_type(float))
        return jnp.where(jnp.arange(self.max_layers) < params["layers"], width, 0)

    def shapes(self) -> PyTree:
        """The weights' shapes and dtypes."""
        fan_in = [self.num_features, *[self.max_width] * (self.max_layers - 1)]
        hidden = [(rows, self.max_width) for rows in fan_in]
        linear = masking.structs((self.num_features, self.num_outputs))
        return architecture.shapes(hidden, (self.max_width, self.num_outputs)) | {"linear": linear}

    def draw(self, key: Key) -> PyTree:
        """Draws from U[-1, 1] for `init`, the same ones for the weights that networks of different sizes share."""
        return architecture.draw(key, self.shapes())

    def init(self, draws: PyTree, params: dict[str, Array]) -> PyTree:
        """Random weights, uniform with the variance for the activation and the active fan-in; biases 0.

        Those of a linear model are 0: its loss has one minimum, which needs no luck.

        draws: from `draw` of this network or a larger version of it.
        """
        gain, width = activations.variance(self.activations, params["activation"]), params["width"]
        variances = [gain / self.num_features, *(gain / width[layer] for layer in range(self.max_layers - 1))]
        shapes = self.shapes()
        layered = architecture.init(draws, shapes, variances, 1 / width[params["layers"] - 1])
        return layered | {"linear": jnp.zeros(shapes["linear"].shape, shapes["linear"].dtype)}

    def apply(self, word: Array | None, params: dict[str, Array], weights: PyTree, x: Array) -> Array:
        """The outputs `[B, O]` for the inputs `x` `[B, F]`; with a random uint32 word, units are dropped."""

        def dense(layer: int, h: Array) -> Array:
            h = h @ weights["hidden"][layer]["w"] + weights["hidden"][layer]["b"][None]
            h = activations.activate(self.activations, params["activation"], h)
            h = h * masking.units(params["width"][layer], self.max_width, h.dtype)[None]
            return h if word is None else masking.dropout(word, layer, params["dropout"], h)

        zeros = lambda size: lambda x: jnp.zeros((len(x), size), weights["linear"].dtype)  # noqa: E731
        h = masking.reached(self.depth, 0, lambda x: dense(0, x), zeros(self.max_width), x)
        for layer in range(1, self.max_layers):
            run = lambda h, layer=layer: jnp.where(layer < params["layers"], dense(layer, h), h)  # noqa: E731
            h = masking.reached(self.depth, layer, run, lambda h: h, h)
        linear = masking.reached(self.linear, 0, lambda x: x @ weights["linear"], zeros(self.num_outputs), x)
        layered = h @ weights["output"]["w"]
        return jnp.where(params["layers"] > 0, layered, linear) + weights["output"]["b"][None]

    def compact(self, params: dict[str, Array], weights: PyTree) -> tuple[dict[str, Any], list[tuple]]:
        """Host side: the facts for a `PortableModel` and the `(w, b)` of every active layer at its own size."""
        sizes = [self.num_features, *map(int, params["width"][: int(params["layers"])])]
        if len(sizes) == 1:
            weights = weights | {"output": {"w": weights["linear"], "b": weights["output"]["b"]}}
        layers = architecture.compact(weights, [*itertools.pairwise(sizes)], (sizes[-1], self.num_outputs))
        return {"activation": self.activations[int(params["activation"])]}, layers

    def summary(self, params: dict[str, Array]) -> str:
        """Host side: the architecture in words."""
        layers = int(params["layers"])
        if not layers:
            return "linear model, no hidden layer"
        widths = "-".join(str(int(width)) for width in np.asarray(params["width"])[:layers])
        name, dropout = self.activations[int(params["activation"])], float(params["dropout"])
        return f"{layers} hidden layer{'s' * (layers > 1)} of {widths} units, {name}, dropout {dropout:.2f}"
