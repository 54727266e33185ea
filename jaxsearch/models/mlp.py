"""A multilayer perceptron with depth, widths, activation and dropout as data."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Key, PyTree
from jaxsearch.models import activations, masking
from jaxsearch.spaces.dimensions import Choice, Float, Int


@pytree
class MLP:
    """Fully connected layers. All candidates have arrays of the largest size; masks and gates switch off the rest.

        h_l <- units_l * activation(h_{l-1} W_l + b_l)   for l < layers, else h_l <- h_{l-1}
        output = h W + b

    num_features: inputs F. num_outputs: outputs O (classes, or 1 for regression).
    max_layers, max_width: the largest architecture; min_width: the smallest width in `space()`.
    activations: the names that may be chosen, from relu, tanh, silu and gelu.
    depth: `[]` int, at least the `layers` of every candidate that runs; the layers beyond it are skipped. None for all.

    Parameters, each with a default if a space leaves it out: `layers` int, `width` `[max_layers]` or scalar int,
    `activation` index into `activations`, `dropout` in [0, 1).
    """

    num_features: int = static()
    num_outputs: int = static()
    max_layers: int = static(default=3)
    max_width: int = static(default=128)
    min_width: int = static(default=8)
    activations: tuple[str, ...] = static(default=("relu", "tanh", "silu"))
    depth: Array | None = None

    def __post_init__(self):
        for name in ("num_features", "num_outputs", "max_layers", "max_width", "min_width"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be an integer of at least 1; got {value!r}.")
        if self.min_width > self.max_width:
            raise ValueError(f"min_width must be at most max_width={self.max_width}; got {self.min_width}. Lower it.")
        activations.check(self.activations)

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
        if self.max_layers > 1:
            space["layers"] = Int(1, self.max_layers)
        if self.max_width > self.min_width:
            space["width"] = Int(self.min_width, self.max_width, log=True)
        if len(self.activations) > 1:
            space["activation"] = Choice(*self.activations)
        return space

    def check_space(self, space: dict[str, Any], also: tuple[str, ...] = ()) -> None:
        """Raises ValueError for a name that neither this model nor `also` knows, and for sizes beyond its arrays."""
        for name in space:
            check_name("parameter", name, ("layers", "width", "activation", "dropout", *also))
        for name, most in (("layers", self.max_layers), ("width", self.max_width)):
            dimension = space.get(name)
            high = dimension.high if isinstance(dimension, Int) else max(getattr(dimension, "options", (1,)))
            if high > most:
                raise ValueError(
                    f"{name} may be at most {most} in this MLP; the space goes to {high}. Make a larger MLP."
                )
        self.complete(space, {})

    def complete(self, space: dict[str, Any], params: PyTree) -> dict[str, Array]:
        """The four parameters of the architecture, from those of a configuration and the defaults."""
        activation = jnp.asarray(params.get("activation", 0), jnp.int32)
        if isinstance(choice := space.get("activation"), Choice):
            unknown = [name for name in choice.options if name not in self.activations]
            if unknown:
                raise ValueError(f"This MLP has the activations {self.activations}; the space names {unknown!r}.")
            activation = jnp.asarray([self.activations.index(name) for name in choice.options])[activation]
        width = jnp.asarray(params.get("width", self.max_width))
        width = width[: self.max_layers] if width.ndim else jnp.broadcast_to(width, (self.max_layers,))
        return {
            "layers": jnp.asarray(params.get("layers", self.max_layers)),
            "width": width,
            "activation": activation,
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
        return dataclasses.replace(self, depth=jnp.max(params["layers"]))

    def flops(self, params: dict[str, Array]) -> Array:
        """Floating-point operations of the matrix products for one row, forward; `[]`."""
        used = self._used(params)
        fan_in = jnp.append(self.num_features, used[:-1])
        return 2.0 * (jnp.sum(fan_in * used) + used[params["layers"] - 1] * self.num_outputs)

    def padded_flops(self) -> Array:
        """The same of the arrays up to `depth`, which run whatever the architecture; `[]`."""
        layers = self.max_layers if self.depth is None else self.depth
        return self.flops({"layers": layers, "width": jnp.full(self.max_layers, self.max_width)})

    def num_parameters(self, params: dict[str, Array]) -> Array:
        """Weights and biases of the architecture, `[]`."""
        return self.flops(params) / 2 + jnp.sum(self._used(params)) + self.num_outputs

    def _used(self, params: dict[str, Array]) -> Array:
        """`[max_layers]`, the width of each layer, 0 for one that is off."""
        return jnp.where(jnp.arange(self.max_layers) < params["layers"], params["width"], 0)

    def shapes(self) -> PyTree:
        """The weights' shapes and dtypes."""
        fan_in = [self.num_features, *[self.max_width] * (self.max_layers - 1)]
        hidden = [{"w": (rows, self.max_width), "b": (self.max_width,)} for rows in fan_in]
        output = {"w": (self.max_width, self.num_outputs), "b": (self.num_outputs,)}
        return masking.structs({"hidden": hidden, "output": output})

    def draw(self, key: Key) -> PyTree:
        """Draws from U[-1, 1] for `init`, the same ones for the weights that networks of different sizes share."""
        rows = [self.num_features, *[self.max_width] * (self.max_layers - 1)]
        tables = [masking.uniform_table(key, layer + 1, fan_in, self.max_width) for layer, fan_in in enumerate(rows)]
        output = masking.uniform_table(key, 0, self.max_width, self.num_outputs)
        return {"hidden": [{"w": table} for table in tables], "output": {"w": output}}

    def init(self, draws: PyTree, params: dict[str, Array]) -> PyTree:
        """Random weights, uniform with the variance for the activation and the active fan-in; biases 0.

        draws: from `draw` of this network or a larger version of it.
        """
        gain, width = activations.variance(self.activations, params["activation"]), params["width"]
        hidden = [_dense(draws["hidden"][0], self.num_features, self.max_width, gain / self.num_features)]
        hidden += [
            _dense(draws["hidden"][layer], self.max_width, self.max_width, gain / width[layer - 1])
            for layer in range(1, self.max_layers)
        ]
        last = _dense(draws["output"], self.max_width, self.num_outputs, 1 / width[params["layers"] - 1])
        return {"hidden": hidden, "output": last}

    def apply(self, word: Array | None, params: dict[str, Array], weights: PyTree, x: Array) -> Array:
        """The outputs `[B, O]` for the inputs `x` `[B, F]`; with a random uint32 word, units are dropped."""

        def dense(layer: int, h: Array) -> Array:
            h = h @ weights["hidden"][layer]["w"] + weights["hidden"][layer]["b"][None]
            h = activations.activate(self.activations, params["activation"], h)
            h = h * masking.units(params["width"][layer], self.max_width, h.dtype)[None]
            return h if word is None else masking.dropout(word, layer, params["dropout"], h)

        h = dense(0, x)
        for layer in range(1, self.max_layers):
            # A branch that no candidate takes is not run: `depth` is the same for all of them, `layers` is not.
            run = lambda h, layer=layer: jnp.where(layer < params["layers"], dense(layer, h), h)  # noqa: E731
            h = run(h) if self.depth is None else jax.lax.cond(layer < self.depth, run, lambda h: h, h)
        return h @ weights["output"]["w"] + weights["output"]["b"][None]

    def compact(self, params: dict[str, Array], weights: PyTree) -> tuple[str, list[tuple[np.ndarray, np.ndarray]]]:
        """Host side: the activation's name and the `(w, b)` of every active layer at its own size, output last."""
        rows, dense = self.num_features, []
        for layer in range(int(params["layers"])):
            width = int(params["width"][layer])
            dense.append(_part(weights["hidden"][layer], rows, width))
            rows = width
        return self.activations[int(params["activation"])], [*dense, _part(weights["output"], rows, self.num_outputs)]

    def summary(self, params: dict[str, Array]) -> str:
        """Host side: the architecture in words."""
        layers = int(params["layers"])
        widths = "-".join(str(int(width)) for width in np.asarray(params["width"])[:layers])
        name, dropout = self.activations[int(params["activation"])], float(params["dropout"])
        return f"{layers} hidden layer{'s' * (layers > 1)} of {widths} units, {name}, dropout {dropout:.2f}"


def _dense(draws: dict[str, Array], rows: int, columns: int, variance: Array) -> dict[str, Array]:
    w = draws["w"][:rows, :columns]
    return {"w": w * jnp.sqrt(3 * variance).astype(w.dtype), "b": jnp.zeros(columns, w.dtype)}


def _part(dense: dict[str, Array], rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(dense["w"])[:rows, :columns], np.asarray(dense["b"])[:columns]
