"""A multilayer perceptron with depth, widths, activation and dropout as data."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Key, PyTree
from jaxsearch.models import masking
from jaxsearch.spaces.dimensions import Choice, Float, Int

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "silu": jax.nn.silu, "gelu": jax.nn.gelu}
VARIANCE = {"relu": 2.0, "tanh": 1.0, "silu": 2.0, "gelu": 2.0}  # times 1/fan-in; He et al., 2015, Glorot, Bengio, 2010


@pytree
class MLP:
    """Fully connected layers. All candidates have arrays of the largest size; masks and gates switch off the rest.

        h_l <- units_l * activation(h_{l-1} W_l + b_l)   for l < layers, else h_l <- h_{l-1}
        output = h W + b

    num_features: inputs F. num_outputs: outputs O (classes, or 1 for regression).
    max_layers, max_width: the largest architecture; min_width: the smallest width in `space()`.
    activations: the names that may be chosen, from relu, tanh, silu and gelu.

    Parameters, each with a default if a space leaves it out: `layers` int, `width` `[max_layers]` or scalar int,
    `activation` index into `activations`, `dropout` in [0, 1).
    """

    num_features: int = static()
    num_outputs: int = static()
    max_layers: int = static(default=3)
    max_width: int = static(default=128)
    min_width: int = static(default=8)
    activations: tuple[str, ...] = static(default=("relu", "tanh", "silu"))

    def __post_init__(self):
        for name in ("num_features", "num_outputs", "max_layers", "max_width", "min_width"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be an integer of at least 1; got {value!r}.")
        if self.min_width > self.max_width:
            raise ValueError(f"min_width must be at most max_width={self.max_width}; got {self.min_width}. Lower it.")
        unknown = [name for name in self.activations if name not in ACTIVATIONS]
        if unknown or not self.activations:
            raise ValueError(f"activations must be among {', '.join(ACTIVATIONS)}; got {self.activations!r}.")

    def space(self, batch_size: int = 64) -> dict[str, Any]:
        """A sensible space for the architecture together with learning rate, weight decay and batch size.

        batch_size: the smallest one; twice and four times as much are the others.
        """
        space: dict[str, Any] = {
            "learning_rate": Float(1e-3, 3e-2, log=True),
            "weight_decay": Float(1e-4, 1.0, log=True),
            "batch_size": Choice(batch_size, 2 * batch_size, 4 * batch_size),
            "dropout": Float(0.0, 0.4),
        }
        if self.max_layers > 1:
            space["layers"] = Int(1, self.max_layers)
        if self.max_width > self.min_width:
            space["width"] = Int(self.min_width, self.max_width, log=True, shape=(self.max_layers,))
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

    def smaller(self) -> tuple["MLP", ...]:
        """Versions with smaller arrays, cheapest first, for most architectures of `space()`."""
        half = dataclasses.replace(self, max_width=-(-self.max_width // 2), min_width=1)
        shallow = dataclasses.replace(self, max_layers=1)
        return tuple(model for model in (half, shallow) if model != self) if self.max_width > 32 else ()

    def fits(self, params: dict[str, Array]) -> Array:
        """Whether the architecture, completed by this or a larger version, fits into this one's arrays; bool."""
        width = params["width"]
        used = jnp.where(jnp.arange(width.shape[0]) < params["layers"], width, 0)
        return (params["layers"] <= self.max_layers) & jnp.all(used <= self.max_width)

    def init(self, key: Key, params: dict[str, Array]) -> PyTree:
        """Random weights, uniform with the variance for the activation and the active fan-in; biases 0."""
        key_hidden, key_output = jax.random.split(key)
        width, size = params["width"], self.max_width
        variance = jnp.asarray([VARIANCE[name] for name in self.activations])[params["activation"]]
        hidden = []
        for layer in range(self.max_layers):
            rows, fan_in = (self.num_features, self.num_features) if layer == 0 else (size, width[layer - 1])
            hidden.append(_dense(jax.random.fold_in(key_hidden, layer), rows, size, variance / fan_in))
        return {"hidden": hidden, "output": _dense(key_output, size, self.num_outputs, 1 / width[params["layers"] - 1])}

    def apply(self, key: Key | None, params: dict[str, Array], weights: PyTree, x: Array) -> Array:
        """The outputs `[B, O]` for the inputs `x` `[B, F]`; with a key, units are dropped as in training."""
        functions = [ACTIVATIONS[name] for name in self.activations]
        for layer, dense in enumerate(weights["hidden"]):
            before = x @ dense["w"] + dense["b"][None]
            h = (
                jax.lax.select_n(params["activation"], *(f(before) for f in functions))
                if functions[1:]
                else functions[0](before)
            )
            h = h * masking.units(params["width"][layer], self.max_width, h.dtype)[None]
            if key is not None:
                h = masking.dropout(jax.random.fold_in(key, layer), params["dropout"], h)
            x = h if layer == 0 else jnp.where(layer < params["layers"], h, x)
        return x @ weights["output"]["w"] + weights["output"]["b"][None]

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


def _dense(key: Key, rows: int, columns: int, variance: Array) -> dict[str, Array]:
    w = masking.uniform_table(key, rows, columns)
    return {"w": w * jnp.sqrt(3 * variance).astype(w.dtype), "b": jnp.zeros(columns, w.dtype)}


def _part(dense: dict[str, Array], rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(dense["w"])[:rows, :columns], np.asarray(dense["b"])[:columns]
