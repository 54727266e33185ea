"""The host side of a space: parameters as plain Python values, and back."""

from typing import Any

import jax

from jaxsearch.core.types import PyTree
from jaxsearch.spaces import codec


def describe(space: PyTree, params: PyTree) -> Any:
    """Decoded parameters as plain Python: floats and ints inside the declared bounds, the options' own labels.

        >>> space = {"layers": js.Int(1, 4), "activation": js.Choice("relu", "tanh")}
        >>> js.describe(space, js.decode(space, jnp.array([0.9, 0.5])))
        {'activation': 'tanh', 'layers': 3}

    Containers keep their type, arrays become nested lists, a Switch becomes `{branch: parameters}`.
    """
    dimensions, structure = codec.flatten(space)
    values = structure.flatten_up_to(jax.device_get(params))
    return structure.unflatten(d.describe(value) for d, value in zip(dimensions, values, strict=True))


def undescribe(space: PyTree, plain: Any) -> PyTree:
    """The inverse of `describe`: parameters, as arrays, from plain Python values.

    Raises ValueError if a name is missing or unknown, or a value does not belong to its dimension.
    """
    dimensions, structure = codec.flatten(space)
    try:
        values = structure.flatten_up_to(plain)
    except ValueError as error:
        raise ValueError(
            f"The values must have the structure of the space; got {plain!r} ({error}). Give one value per dimension, "
            "under the same names."
        ) from None
    return structure.unflatten(d.undescribe(value) for d, value in zip(dimensions, values, strict=True))
