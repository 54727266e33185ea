"""A convolutional network for images with blocks, channels, kernel, pooling and more as data."""

import dataclasses
import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Key, PyTree
from jaxsearch.models import activations, architecture, convolution, masking
from jaxsearch.spaces.dimensions import Choice, Float, Int


@pytree
class ConvNet:
    """Blocks of convolution and pooling, then a dense layer. All candidates have arrays of the largest size.

        h_l <- units_l * activation(normalize(pool(h_{l-1} * W_l)) + b_l)   for l < blocks
        output = flat(shrink(h_blocks)) W + b

    Each block pools squares of 2 x 2, before the activation, which is then a quarter of the work, and the same for
    maxima of an activation that increases. An odd last row or column is in no square and is left out, as Keras and
    PyTorch do by default. `shrink` averages over at most `grid` x `grid` cells of equal size.

    image_shape: (H, W, C), the shape of a row of `x`. num_outputs: O (classes, or 1 for regression).
    max_blocks, max_channels, max_kernel: the largest architecture; min_channels: the fewest in `space()`.
    grid: 1 for global average pooling, more to tell the dense layer where things are.
    activations: the names that may be chosen, from relu, tanh, silu and gelu. poolings: from max and average.
    normalizations: from none and layer, which is over all active channels and places of an image.
    depth: `[]` int, at least the `blocks` of every candidate that runs; those beyond are skipped. None for all.

    Parameters, each with a default if a space leaves it out: `blocks` int; `channels` int, of the first block, and
    `growth`, their factor from block to block up to `max_channels`; `kernel` int, its height and width; `activation`,
    `pooling` and `normalization`, indices into the names; `dropout` in [0, 1), of what the dense layer sees.

    References: LeCun et al., Gradient-Based Learning Applied to Document Recognition, Proc. IEEE, 1998. Ba, Kiros,
        Hinton, Layer Normalization, arXiv 1607.06450, 2016.
    """

    image_shape: tuple[int, int, int] = static()
    num_outputs: int = static()
    max_blocks: int = static(default=3)
    max_channels: int = static(default=32)
    min_channels: int = static(default=4)
    max_kernel: int = static(default=5)
    grid: int = static(default=4)
    activations: tuple[str, ...] = static(default=("relu", "tanh", "silu"))
    poolings: tuple[str, ...] = static(default=("max", "average"))
    normalizations: tuple[str, ...] = static(default=("none", "layer"))
    depth: Array | None = None

    def __post_init__(self):
        architecture.check_sizes(self)
        architecture.check_least(self, "min_channels", "max_channels")
        convolution.check_image(self.image_shape, self.max_blocks)
        architecture.check_options(self, activations=activations.VARIANCE, **convolution.OPTIONS)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of a row of `x`."""
        return self.image_shape

    @property
    def _choices(self) -> dict[str, tuple[str, ...]]:
        return {"pooling": self.poolings, "normalization": self.normalizations, "activation": self.activations}

    def _names(self, params: dict[str, Array]) -> dict[str, str]:
        return {name: options[int(params[name])] for name, options in self._choices.items()}

    @property
    def _cells(self) -> np.ndarray:
        """`[max_blocks, 2]`, the rows and columns of cells that the dense layer sees after each block."""
        return np.minimum(convolution.halvings(self.image_shape, self.max_blocks)[1:], self.grid)

    def space(self) -> dict[str, Any]:
        """A sensible space for the architecture together with learning rate and weight decay."""
        space: dict[str, Any] = {
            "learning_rate": Float(1e-3, 1e-2, log=True),
            "weight_decay": Float(1e-4, 1.0, log=True),
            "dropout": Float(0.0, 0.5),
        }
        if self.max_blocks > 1:
            space |= {"blocks": Int(1, self.max_blocks), "growth": Choice(1, 2)}
        if self.max_channels > self.min_channels:
            space["channels"] = Int(self.min_channels, self.max_channels, log=True)
        if self.max_kernel > 3:
            space["kernel"] = Choice(*range(3, self.max_kernel + 1, 2))
        return space | {name: Choice(*options) for name, options in self._choices.items() if len(options) > 1}

    def check_space(self, space: dict[str, Any], also: tuple[str, ...] = ()) -> None:
        """Raises ValueError for a name that neither this model nor `also` knows, and for values it cannot have."""
        sizes = {"blocks": self.max_blocks, "channels": self.max_channels, "kernel": self.max_kernel}
        architecture.check_space(self, space, also, sizes, {"growth": np.inf, "dropout": 1}, self._choices)

    def complete(self, space: dict[str, Any], params: PyTree) -> dict[str, Array]:
        """The parameters of the architecture, with the defaults; `channels` `[max_blocks]` are those of each block."""
        growth = jnp.full(self.max_blocks - 1, params.get("growth", 1), jnp.result_type(float))
        channels = jnp.cumprod(jnp.append(params.get("channels", self.max_channels), growth))
        return {
            "blocks": jnp.asarray(params.get("blocks", self.max_blocks)),
            "channels": jnp.clip(jnp.round(channels), 1, self.max_channels).astype(jnp.int32),
            "kernel": jnp.asarray(params.get("kernel", self.max_kernel)),
            "dropout": jnp.asarray(params.get("dropout", 0.0), jnp.result_type(float)),
            **{name: architecture.index_of(space, params, name, options) for name, options in self._choices.items()},
        }

    def smaller(self, num_sizes: int = 4) -> tuple["ConvNet", ...]:
        """At most so many versions, with this one, of fewer channels, smaller kernels or both, cheapest first."""
        few, kernel = -(-self.max_channels // 2), min(3, self.max_kernel)
        sizes = dict.fromkeys([(few, kernel), (few, self.max_kernel), (self.max_channels, kernel)])
        sizes.pop((self.max_channels, self.max_kernel), None)
        own = lambda c, k: {"max_channels": c, "min_channels": min(self.min_channels, c), "max_kernel": k}  # noqa: E731
        return tuple(dataclasses.replace(self, **own(*size)) for size in [*sizes][: num_sizes - 1])

    def fits(self, params: dict[str, Array]) -> Array:
        """Whether the architecture, completed by this or a larger version, fits into this one's arrays; bool."""
        return jnp.all(self._used(params) <= self.max_channels) & (params["kernel"] <= self.max_kernel)

    def bounded(self, params: dict[str, Array]) -> "ConvNet":
        """This network for candidates with the completed `params` `[C, ...]` only: what none of them has is skipped."""
        return dataclasses.replace(self, depth=jnp.max(params["blocks"]))

    def flops(self, params: dict[str, Array]) -> Array:
        """Floating-point operations of the convolutions and the dense layer for one row, forward; `[]`."""
        places = np.prod(convolution.halvings(self.image_shape, self.max_blocks)[:-1], axis=1)
        return 2.0 * (jnp.sum(places * self._connections(params)) + self._features(params) * self.num_outputs)

    def padded_flops(self) -> Array:
        """The same of the arrays up to `depth`, which run whatever the architecture; `[]`."""
        blocks = jnp.asarray(self.max_blocks if self.depth is None else self.depth)
        return self.flops(self.complete({}, {"blocks": blocks}))

    def num_parameters(self, params: dict[str, Array]) -> Array:
        """Weights and biases of the architecture, `[]`."""
        dense = (self._features(params) + 1.0) * self.num_outputs
        return jnp.sum(self._connections(params) + self._used(params)) + dense

    def _used(self, params: dict[str, Array]) -> Array:
        """`[max_blocks]`, the channels of each block, 0 for one that is off; floats, whose products do not overflow."""
        channels = params["channels"].astype(jnp.result_type(float))
        return jnp.where(jnp.arange(self.max_blocks) < params["blocks"], channels, 0)

    def _connections(self, params: dict[str, Array]) -> Array:
        """`[max_blocks]`, the weights of each block's kernels."""
        used = self._used(params)
        return params["kernel"] ** 2 * jnp.append(self.image_shape[2], used[:-1]) * used

    def _features(self, params: dict[str, Array]) -> Array:
        """`[]`, the inputs of the dense layer."""
        last = params["blocks"] - 1
        return jnp.asarray(np.prod(self._cells, axis=1), jnp.result_type(float))[last] * params["channels"][last]

    def shapes(self) -> PyTree:
        """The weights' shapes and dtypes; see `convolve` for the order within a kernel."""
        inputs = [self.image_shape[2], *[self.max_channels] * (self.max_blocks - 1)]
        kernels = [(self.max_kernel, self.max_kernel, rows, self.max_channels) for rows in inputs]
        return architecture.shapes(kernels, (*self._cells[0].tolist(), self.max_channels, self.num_outputs))

    def draw(self, key: Key) -> PyTree:
        """Draws from U[-1, 1] for `init`, the same ones for the weights that networks of different sizes share."""
        return architecture.draw(key, self.shapes())

    def init(self, draws: PyTree, params: dict[str, Array]) -> PyTree:
        """Random weights for the activation and the active fan-in, of the `draws` of this or a larger network."""
        gain = activations.variance(self.activations, params["activation"]) / params["kernel"] ** 2
        inputs = [self.image_shape[2], *(params["channels"][block] for block in range(self.max_blocks - 1))]
        return architecture.init(draws, self.shapes(), [gain / rows for rows in inputs], 1 / self._features(params))

    def apply(self, word: Array | None, params: dict[str, Array], weights: PyTree, x: Array) -> Array:
        """The outputs `[B, O]` for the images `x` `[B, H, W, C]`; with a random uint32 word, features are dropped."""
        features = convolution.features(self, params, weights["hidden"], x)
        if word is not None:
            features = masking.dropout(word, 0, params["dropout"], features)
        w, b = weights["output"]["w"].reshape(-1, self.num_outputs), weights["output"]["b"]
        return features.reshape(-1, len(w)) @ w + b[None]

    def compact(self, params: dict[str, Array], weights: PyTree) -> tuple[dict[str, Any], list[tuple]]:
        """Host side: the facts for a `PortableModel` and the `(w, b)` of every active layer at its own size.

        Kernels `[height, width, in, out]` have their rows and columns from top to bottom and from left to right.
        """
        blocks, size = int(params["blocks"]), int(params["kernel"])
        counts = [self.image_shape[2], *map(int, params["channels"][:blocks])]
        shapes = [(size, size, *ends) for ends in itertools.pairwise(counts)]
        cells = self._cells[blocks - 1].tolist()
        *kernels, dense = architecture.compact(weights, shapes, (*cells, counts[-1], self.num_outputs))
        kernels = [(convolution.in_order(w), b) for w, b in kernels]
        return {"image_shape": self.image_shape, **self._names(params)}, [*kernels, dense]

    def summary(self, params: dict[str, Array]) -> str:
        """Host side: the architecture in words."""
        blocks, size, names = int(params["blocks"]), int(params["kernel"]), self._names(params)
        counts = "-".join(str(int(count)) for count in params["channels"][:blocks])
        return (
            f"{blocks} block{'s' * (blocks > 1)} of {counts} channels, {size} x {size}, {names['pooling']} pooling, "
            f"{names['normalization'].replace('none', 'no')} normalization, {names['activation']}, "
            f"dropout {float(params['dropout']):.2f}"
        )
