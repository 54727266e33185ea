"""Convolution and pooling of many networks at once, as products of matrices.

`vmap` of `lax.conv` over networks with weights of their own is a grouped convolution, which XLA makes slow code of, on
a CPU above all. Here images are `[C, H, W, B]`, channels first and rows of data last, so that whatever runs over all
places reads long stretches of memory.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import Array
from jaxsearch.models import activations, masking

OPTIONS = {"poolings": ("max", "average"), "normalizations": ("none", "layer")}
ROWS = 256  # of data at a time: what is gathered for the products is many times the size of the images


def check_image(shape: tuple[int, ...], num_blocks: int) -> None:
    """Raises ValueError unless images `(H, W, C)` can be halved so many times."""
    if not isinstance(shape, tuple) or len(shape) != 3 or not all(type(size) is int and size > 0 for size in shape):
        raise ValueError(f"image_shape must be (height, width, channels); got {shape!r}. Use x.shape[1:].")
    most = min(shape[:2]).bit_length() - 1
    if num_blocks > most:
        raise ValueError(f"Every block halves an image, {shape[:2]} at most {most} times; got {num_blocks}. Use fewer.")


def halvings(shape: tuple[int, ...], num_blocks: int) -> np.ndarray:
    """`[num_blocks + 1, 2]`, height and width of an image before each block, and after the last."""
    return np.array(shape[:2])[None] >> np.arange(num_blocks + 1)[:, None]


def features(net: Any, params: dict[str, Array], layers: list[dict[str, Array]], x: Array) -> Array:
    """`[B, rows, columns, C]`, what the last block of a `ConvNet` makes of the images `x` `[B, H, W, C]`."""
    if len(x) > ROWS:
        num_parts = -(-len(x) // ROWS)
        size = -(-len(x) // num_parts)
        parts = jnp.resize(x, (num_parts, size, *x.shape[1:]))
        found = jax.lax.map(functools.partial(features, net, params, layers), parts)
        return found.reshape(-1, *found.shape[2:])[: len(x)]
    grid = net.grid

    def run(number: int, h: Array, found: Array) -> tuple[Array, Array]:
        h = block(net, params, layers[number], params["channels"][number], h)
        seen = shrink(h, grid)
        seen = jnp.zeros_like(found).at[:, : seen.shape[1], : seen.shape[2]].set(seen)
        return h, jnp.where(number == params["blocks"] - 1, seen, found)

    h = block(net, params, layers[0], params["channels"][0], jnp.transpose(x, (3, 1, 2, 0)))
    found = shrink(h, grid)
    for number in range(1, len(layers)):
        skip = lambda h, found: (h[:, 1::2, 1::2], found)  # noqa: E731  # of the shape that a block makes
        h, found = masking.reached(net.depth, number, functools.partial(run, number), skip, h, found)
    return found


def block(net: Any, params: dict[str, Array], layer: dict[str, Array], channels: Array, h: Array) -> Array:
    """Convolution, pooling, normalization and activation of `h` `[C, H, W, B]`, with the choices of a `ConvNet`.

    layer: the kernels, see `convolve`, and biases. channels: `[]`, how many are on.
    """
    units = masking.units(channels, net.max_channels, h.dtype)[:, None, None, None]
    window = masking.units(params["kernel"], net.max_kernel, h.dtype)
    h = convolve(h, layer["w"] * window[:, None, None, None] * window[None, :, None, None])
    h = pool(net.poolings, params["pooling"], h)
    h = normalize(net.normalizations, params["normalization"], h, units)
    h = (h + layer["b"][:, None, None, None]) * units  # what is 0 stays 0 in every activation
    return activations.activate(net.activations, params["activation"], h)


def offsets(size: int) -> list[int]:
    """Where the entries of a kernel's axis look, from the middle outward: 0, -1, 1, -2, 2, ..."""
    return [(-1) ** place * ((place + 1) // 2) for place in range(size)]


def in_order(w: np.ndarray) -> np.ndarray:
    """Kernels `[height, width, ...]` with rows from top to bottom and columns from left to right."""
    return w[np.argsort(offsets(w.shape[0]))][:, np.argsort(offsets(w.shape[1]))]


def convolve(h: Array, w: Array) -> Array:
    """`[O, H, W, B]`, the convolution of `h` `[C, H, W, B]`, zero outside, with `w` `[height, width, C, O]`.

    The entries of a kernel's axes are in the order of `offsets`. Columns are gathered before the product, rows are
    summed after it: a fifth of the memory that gathering all places takes for 5 x 5. With few channels that is less.
    """
    height, width, inputs, outputs = w.shape
    if height * inputs <= outputs:
        h = jnp.reshape(_gathered(h, 1, tuple(offsets(height))), (-1, *h.shape[1:]))
        w = jnp.swapaxes(w, 0, 1).reshape(1, width, -1, outputs)
    columns = _gathered(h, 2, tuple(offsets(width)))
    products = jnp.einsum("yxio,xihwb->yohwb", w, columns)
    return _summed(products, 1, tuple(offsets(len(w))))


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def _gathered(h: Array, axis: int, by: tuple[int, ...]) -> Array:
    """`[len(by), ...]`, the entries of `h` so far away along an axis, 0 for those outside.

    The derivatives are written out since XLA would sum a padded copy of all for each of the places.
    """
    return jnp.stack([_moved(h, axis, by, place) for place in range(len(by))])


@functools.partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def _summed(h: Array, axis: int, by: tuple[int, ...]) -> Array:
    """The sum over the first axis of `h` `[len(by), ...]`, of entries so far away along another one."""
    return functools.reduce(jnp.add, [_moved(part, axis, by, place) for place, part in enumerate(list(h))])


def _moved(h: Array, axis: int, by: tuple[int, ...], place: int) -> Array:
    reach = max(map(abs, by))
    wide = jnp.pad(h, [(reach, reach) if a == axis else (0, 0) for a in range(h.ndim)])
    begin = reach + by[place]
    return jax.lax.slice_in_dim(wide, begin, begin + h.shape[axis], axis=axis)


def _back(by: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(-place for place in by)


_gathered.defvjp(lambda h, *how: (_gathered(h, *how), None), lambda axis, by, _, g: (_summed(g, axis, _back(by)),))
_summed.defvjp(lambda h, *how: (_summed(h, *how), None), lambda axis, by, _, g: (_gathered(g, axis, _back(by)),))


def pool(names: tuple[str, ...], index: Array, h: Array) -> Array:
    """`[C, H // 2, W // 2, B]`, of squares of `h` `[C, H, W, B]` the maximum or the average, as `names[index]` says."""
    channels, height, width, batch = h.shape
    even = h[:, : height // 2 * 2, : width // 2 * 2]
    h = even.reshape(channels, height // 2, 2, width // 2, 2, batch)
    ways = {"max": lambda: jnp.max(h, (2, 4)), "average": lambda: jnp.mean(h, (2, 4))}
    found = [ways[name]() for name in names]
    return found[0] if len(found) == 1 else jax.lax.select_n(index, *found)


def normalize(names: tuple[str, ...], index: Array, h: Array, units: Array) -> Array:
    """`h` `[C, H, W, B]`, for "layer" with mean 0 and variance 1 in each row of data.

    units: `[C, 1, 1, 1]`, 1 for the channels that count and 0 for the others.
    """
    if "layer" not in names:
        return h
    count = jnp.sum(units) * (h.shape[1] * h.shape[2])
    centred = h - jnp.sum(h * units, (0, 1, 2), keepdims=True) / count
    variance = jnp.sum(centred**2 * units, (0, 1, 2), keepdims=True) / count
    normal = centred * jax.lax.rsqrt(variance + 1e-5)
    return normal if len(names) == 1 else jnp.where(index == names.index("layer"), normal, h)


def shrink(h: Array, grid: int) -> Array:
    """`[B, rows, columns, C]`, the averages of `h` `[C, H, W, B]` over at most `grid` rows and columns of cells."""
    rows, columns = (jnp.asarray(cells(size, grid), h.dtype) for size in h.shape[1:3])
    return jnp.einsum("rh,sw,chwb->brsc", rows, columns, h)


def cells(size: int, grid: int) -> np.ndarray:
    """`[min(size, grid), size]`, what each place of an axis counts in each cell of equal length; its sum is 1.

    A place on the border of two cells counts in both, by its share, so that all places count the same.
    """
    count = min(size, grid)
    return np.repeat(np.eye(size), count, axis=0).reshape(count, size, size).mean(1)
