"""What training reads of a configuration."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array, PyTree, Scalar
from jaxsearch.spaces.dimensions import Choice, Int

PARAMETERS = ("learning_rate", "weight_decay", "momentum", "label_smoothing", "batch_size", "epochs")


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
    match space.get("batch_size"):
        case None:
            size = batch_size
        case Choice(options=options) if all(type(option) is int and option > 0 for option in options):
            size = math.gcd(*options)
        case Int(low=low, shape=()) if low > 0:
            size = low
        case other:
            raise ValueError(
                f"batch_size must be an Int with low >= 1 or a Choice of positive integers; got {other!r}. "
                "Write e.g. Choice(64, 128)."
            )
    return min(size, num_rows)
