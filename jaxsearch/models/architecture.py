"""What the families of networks have in common: layers, `hidden` ones and an `output`, whose sizes are data.

A layer has weights `w`, whose last axis are its outputs, and biases `b`. What is smaller than an array lies in its
upper left part.
"""

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.core.population import check_count
from jaxsearch.core.types import Array, Key, PyTree
from jaxsearch.models import masking
from jaxsearch.spaces.demands import check_number, check_option, largest_size
from jaxsearch.spaces.dimensions import Choice

Shape = tuple[int, ...]


def check_sizes(model: Any) -> None:
    """Raises ValueError unless all fields of a model that are declared as int are integers of at least 1."""
    for field in dataclasses.fields(model):
        if field.type is int:
            check_count(field.name, getattr(model, field.name), remedy="Try 8.")


def check_least(model: Any, least: str, most: str) -> None:
    """Raises ValueError unless the one field is at most the other."""
    low, high = getattr(model, least), getattr(model, most)
    if low > high:
        raise ValueError(f"{least} must be at most {most}={high}; got {low}. Lower it.")


def check_options(model: Any, **known: Collection[str]) -> None:
    """Raises ValueError unless each of these fields of a model names some of those known."""
    for field, options in known.items():
        names = getattr(model, field)
        if not names or any(name not in options for name in names):
            raise ValueError(f"{field} must be among {', '.join(options)}; got {names}. Name at least one.")


def check_space(
    model: Any,
    space: dict[str, Any],
    also: Iterable[str],
    sizes: dict[str, int],
    numbers: dict[str, float],
    options: dict[str, tuple[str, ...]],
    arrays: dict[str, Shape] | None = None,
    least: dict[str, int] | None = None,
) -> None:
    """Raises ValueError for a dimension that neither a model nor `also` knows, or whose values the model cannot have.

    What the model knows, by name: `sizes`, with the largest; `numbers`, with what they are below; `options`.
    arrays: by name, the shape that a size may have other than (). least: of a size, where that is not 1.
    """
    arrays, least = arrays or {}, least or {}
    for name in space:
        check_name("parameter", name, (*sizes, *numbers, *options, *also))
    kind = type(model).__name__
    for name, limit in sizes.items():
        shapes = [arrays[name]] if name in arrays else []
        high = largest_size(name, space.get(name, Choice(limit)), limit, *shapes, least=least.get(name, 1))
        if high > limit:
            raise ValueError(
                f"{name} may be at most {limit} in this {kind}; the space goes to {high}. Make a larger {kind}."
            )
    for name, below in numbers.items():
        check_number(name, space.get(name, Choice(0)), below)
    for name, known in options.items():
        check_option(name, space.get(name, Choice(*known)), known)


def index_of(space: dict[str, Any], params: PyTree, name: str, options: tuple[str, ...]) -> Array:
    """`[]` int32, the place among a model's `options` of the one that a configuration has by this name; 0 by default.

    Raises ValueError if the Choice in the space has an option that the model has not.
    """
    index = jnp.asarray(params.get(name, 0), jnp.int32)
    if not isinstance(choice := space.get(name), Choice):
        return index
    check_option(name, choice, options)
    return jnp.asarray([options.index(option) for option in choice.options], jnp.int32)[index]


def shapes(hidden: Sequence[Shape], output: Shape) -> PyTree:
    """The shapes and dtypes of layers whose weights have these shapes."""
    layer = lambda shape: {"w": shape, "b": shape[-1:]}  # noqa: E731
    return masking.structs({"hidden": [layer(shape) for shape in hidden], "output": layer(output)})


def draw(key: Key, shapes: PyTree) -> PyTree:
    """Draws from U[-1, 1] for `init`, the same ones for the weights that networks of different sizes share."""
    layers = [shapes["output"], *shapes["hidden"]]
    output, *hidden = [{"w": masking.uniform_table(key, i, *layer["w"].shape)} for i, layer in enumerate(layers)]
    return {"hidden": hidden, "output": output}


def init(draws: PyTree, shapes: PyTree, variances: Sequence[Array], output_variance: Array) -> PyTree:
    """Layers of these shapes with weights of these variances, uniform; biases 0. draws: for at least these shapes."""

    def layer(draws: PyTree, shapes: PyTree, variance: Array) -> PyTree:
        w = _part(draws["w"], shapes["w"].shape)
        return {"w": w * jnp.sqrt(3 * variance).astype(w.dtype), "b": jnp.zeros(shapes["b"].shape, w.dtype)}

    hidden = zip(draws["hidden"], shapes["hidden"], variances, strict=False)  # a larger network drew for more layers
    output = layer(draws["output"], shapes["output"], output_variance)
    return {"hidden": [layer(*parts) for parts in hidden], "output": output}


def compact(weights: PyTree, hidden: Sequence[Shape], output: Shape) -> list[tuple[np.ndarray, np.ndarray]]:
    """Host side: the `(w, b)` of as many hidden layers as there are shapes, and of the output, at their own size."""
    layers = [*zip(weights["hidden"], hidden, strict=False), (weights["output"], output)]
    return [(np.asarray(_part(layer["w"], shape)), np.asarray(layer["b"][: shape[-1]])) for layer, shape in layers]


def _part(array: Any, shape: Shape) -> Any:
    return array[tuple(slice(size) for size in shape)]
