"""Optuna's distributions as coordinates of the unit cube, in double precision on the host."""

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from jaxsearch.core.domain import geometric_stretch
from jaxsearch.core.types import Domain

Distributions = Mapping[str, BaseDistribution]
MOST = 2**22  # values that a coordinate in float32 can tell apart; more of them count as a continuum


class Coordinate:
    """One parameter of Optuna on the unit interval.

    count: how many values it has; 0 for a continuous one. ordered, stretch: as in `Domain`.
    Raises ValueError for a distribution that is none of Optuna's three.
    """

    def __init__(self, distribution: BaseDistribution):
        self.count, self.ordered, self.stretch = 0, True, 0.0
        self._one: Any = distribution
        match distribution:
            case CategoricalDistribution():
                self.count, self.ordered = len(distribution.choices), False
            case IntDistribution(low=low, high=high):
                self.count = (high - low) // distribution.step + 1
                self.stretch = geometric_stretch(low, high) if distribution.log else 0.0
            case FloatDistribution(low=low, high=high, step=step):
                self.count = 0 if step is None else round((high - low) / step) + 1
                # on half the scale, since `high - low` may be more than a double holds
                self._low, self._high = ((math.log(b) if distribution.log else b) / 2 for b in (low, high))
            case _:
                raise ValueError(
                    f"{distribution!r} is not supported. Use suggest_float, suggest_int or suggest_categorical."
                )

    @property
    def kind(self) -> tuple[int, bool, float]:
        """Cardinality, order and stretch, as in `Domain`."""
        return (0, True, 0.0) if self.count > MOST else (self.count, self.ordered, self.stretch)

    def value(self, x: float) -> Any:
        """The plain Python value at `x` in [0, 1]."""
        one = self._one
        if not self.count:
            value = 2 * (self._low + x * (self._high - self._low))
            return min(max(math.exp(value) if one.log else value, one.low), one.high)
        share = math.expm1(x * self.stretch) / math.expm1(self.stretch) if self.stretch else x
        index = min(int(share * self.count), self.count - 1)
        return one.choices[index] if not self.ordered else min(one.low + index * one.step, one.high)

    def x(self, value: Any) -> float:
        """Where a value lies in [0, 1], a discrete one in the middle of its share."""
        one = self._one
        if not self.count:
            place = (math.log(value) if one.log else value) / 2 - self._low
            return min(max(place / ((self._high - self._low) or 1.0), 0.0), 1.0)
        return self._middle(round((value - one.low) / one.step) if self.ordered else one.to_internal_repr(value))

    def values(self) -> list[Any]:
        """All values of a discrete parameter, in their order."""
        return [self.value(self._middle(index)) for index in range(self.count)]

    def _middle(self, index: float) -> float:
        share = (index + 0.5) / self.count
        return math.log1p(share * math.expm1(self.stretch)) / self.stretch if self.stretch else share


def domain(coordinates: list[Coordinate]) -> Domain:
    """The unit cube of these coordinates."""
    return Domain(*zip(*(coordinate.kind for coordinate in coordinates), strict=True))
