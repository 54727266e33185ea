"""What whoever reads a parameter demands of its dimension."""

import math
from typing import Any

from jaxsearch.core.pytree import is_number
from jaxsearch.spaces.dimensions import Choice, Float, Int


def largest_size(name: str, dimension: Any, example: int, *shapes: tuple[int, ...], least: int = 1) -> int:
    """The largest value of a dimension; raises ValueError unless all of them are integers of at least `least`.

    shapes: that an array of them may have; a single one is always welcome.
    """
    shapes = ((), *shapes)
    match dimension:
        case Int(shape=shape) if dimension.smallest >= least and shape in shapes:
            return dimension.largest
        case Choice(options=options) if all(type(option) is int and option >= least for option in options):
            return max(options)
    raise ValueError(
        f"{name} must be an Int with low >= {least} and shape {' or '.join(map(str, shapes))}, or a Choice of integers "
        f"of at least {least}; got {dimension!r}. Write e.g. Choice({example})."
    )


def check_number(name: str, dimension: Any, below: float = math.inf) -> None:
    """Raises ValueError unless all values of a dimension are single numbers of at least 0 that are less than `below`.

    The bounds of a Float are unknown, and not checked, inside of a compiled program.
    """
    values: list[Any]
    match dimension:
        case Float(low=low, high=high, shape=()):
            values = [bound for bound in (low, high) if is_number(bound)]
        case Int(low=low, high=high, shape=()):
            values = [low, high]
        case Choice(options=options):
            values = list(options)
        case _:
            values = [None]
    if not all(is_number(value) and 0 <= value < below for value in values):
        limit = "" if below == math.inf else f" and below {below:g}"
        raise ValueError(
            f"{name} must be a single number, a Float, an Int or a Choice of numbers of at least 0{limit}; got "
            f"{dimension!r}. Write e.g. Float(0.0, 0.5)."
        )


def check_option(name: str, dimension: Any, known: tuple[str, ...]) -> None:
    """Raises ValueError unless a dimension is a Choice among the options that are known."""
    rule = f"{name} must be a Choice of {', '.join(known)}"
    if not isinstance(dimension, Choice):
        raise ValueError(f"{rule}; got {dimension!r}. Write Choice{tuple(known)!r}.")
    if unknown := [option for option in dimension.options if option not in known]:
        raise ValueError(f"{rule}; the space names {unknown!r}. Leave them out.")
