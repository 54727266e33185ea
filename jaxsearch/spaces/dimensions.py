"""The dimensions that are no space of their own: Float and Int, see `spaces.numeric`, and Choice."""

import dataclasses
from typing import Any

import jax
import numpy as np

from jaxsearch.core.types import Array, Domain
from jaxsearch.spaces import checks
from jaxsearch.spaces.numeric import Dimension as Dimension
from jaxsearch.spaces.numeric import Float as Float
from jaxsearch.spaces.numeric import Int as Int


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True, init=False, eq=False)
class Choice(Dimension):
    """One of several options, which may be any Python values; decodes to the int32 index of the option.

    Scalars of NumPy become those of Python.

    ordered: whether neighbours in the list are alike, as in `Choice(16, 32, 64, ordered=True)`. Otherwise no strategy
        does arithmetic on the indices.
    Raises ValueError without options and for two equal ones (1, 1.0 and True are different options).
    """

    options: tuple[Any, ...]
    ordered: bool = False

    def __init__(self, *options: Any, ordered: bool = False):
        if not isinstance(ordered, bool):
            raise ValueError(f"ordered must be True or False; got {ordered!r}. Leave it out for no order.")
        if not options:
            raise ValueError("Choice needs at least one option; got none. Write e.g. Choice('relu', 'tanh').")
        options = tuple(map(checks.of_python, options))
        checks.check_distinct(options)
        object.__setattr__(self, "options", options)
        object.__setattr__(self, "ordered", ordered)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Choice) or self.ordered != other.ordered:
            return False
        return len(self.options) == len(other.options) and all(map(checks.same, self.options, other.options))

    def __hash__(self) -> int:  # options may be unhashable, so only their types count
        return hash(tuple(type(option).__name__ for option in self.options))

    def __repr__(self) -> str:
        return f"Choice({', '.join(map(repr, self.options))}{', ordered=True' * self.ordered})"

    @property
    def domain(self) -> Domain:
        return Domain((len(self.options),), (self.ordered,))

    def check(self) -> None:
        """Options fit any dtype."""

    def decode(self, x: Array) -> Array:
        return self.domain.index(x).reshape(())

    def encode(self, value: Array) -> Array:
        return self.domain.centre(checks.cells(checks.as_encodable(self, value), [(0, len(self.options) - 1)]))

    def describe(self, value: Array) -> Any:
        return self.options[int(value)]

    def undescribe(self, plain: Any) -> np.ndarray:
        for index, option in enumerate(self.options):
            if checks.same(option, checks.of_python(plain)):
                return np.int32(index)  # type: ignore[return-value]
        raise ValueError(f"{plain!r} is not an option of {self}. Use one of its options, with the same type.")
