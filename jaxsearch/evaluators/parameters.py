"""What training reads of a configuration."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array, PyTree, Scalar
from jaxsearch.models.network import Network
from jaxsearch.spaces.demands import check_number, largest_size
from jaxsearch.spaces.dimensions import Choice

NUMBERS = {"learning_rate": math.inf, "weight_decay": math.inf, "momentum": 1, "label_smoothing": 1}  # are below this


def check_space(model: Any, space: PyTree) -> None:
    """Raises ValueError for a dimension that neither training nor the model knows, or whose values make no sense.

    With a `Network` of the user's, training reads `epochs` and `batch_size` alone; all others may be anything.
    """
    if not isinstance(space, dict):
        raise ValueError(f"Training needs a dict of dimensions by name; got {space!r}. Start from model.space().")
    largest_size("epochs", space.get("epochs", Choice(1)), 30)
    largest_size("batch_size", space.get("batch_size", Choice(1)), 64)
    if isinstance(model, Network):
        return
    model.check_space(space, also=(*NUMBERS, "batch_size", "epochs"))
    for name, below in NUMBERS.items():
        check_number(name, space.get(name, Choice(0)), below)


def numbers(space: dict[str, Any], params: dict[str, Array]) -> dict[str, Array]:
    """The parameters with the options in place of the indices, wherever all options of a Choice are numbers."""

    def value(name: str) -> Array:
        choice = space[name]
        plain = isinstance(choice, Choice) and all(type(option) in (int, float) for option in choice.options)
        return jnp.asarray(choice.options)[params[name]] if plain else params[name]

    return {name: value(name) for name in params}


def excess(
    model: Any, space: PyTree, params: PyTree, max_parameters: Scalar | None, max_flops: Scalar | None
) -> Array | None:
    """`[P]`, by which share a model with `params` `[P, ...]` exceeds the limit that it exceeds most, at most 0 if none.

    None without limits.
    """
    limits = {"num_parameters": max_parameters, "flops": max_flops}
    given = {name: limit for name, limit in limits.items() if limit is not None}

    def one(params: PyTree) -> Array:
        architecture = model.complete(space, params)
        sizes = [getattr(model, name)(architecture) / limit for name, limit in given.items()]
        return jnp.max(jnp.stack(sizes)) - 1

    return jax.vmap(one)(params) if given else None


def micro_batch(space: dict[str, Any], batch_size: int, num_rows: int) -> int:
    """The static number of rows per gradient, which divides every batch size of the space.

    The greatest common divisor of the options of a Choice, or the lower bound of an Int, whose values are rounded to
    multiples of it; larger batches accumulate gradients, so an epoch costs every candidate the same work.
    """
    dimension = space.get("batch_size", Choice(batch_size))
    size = math.gcd(*dimension.options) if isinstance(dimension, Choice) else dimension.smallest
    return min(size, num_rows)
