"""Optuna's distributions: as coordinates of the unit cube, in double precision on the host."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from jaxsearch.core.domain import geometric_stretch
from jaxsearch.core.types import Domain

Distributions = Mapping[str, BaseDistribution]
MOST = 2**22  # values that a coordinate in float32 can tell apart; more of them count as a continuum


def number_of_values(distribution: BaseDistribution) -> int:
    """The number of values of a distribution; 0 for a continuous one."""
    match distribution:
        case CategoricalDistribution():
            return len(distribution.choices)
        case IntDistribution():
            return (distribution.high - distribution.low) // distribution.step + 1
        case FloatDistribution(step=float() as step):
            return round((distribution.high - distribution.low) / step) + 1
        case FloatDistribution():
            return 0
    raise ValueError(f"{distribution!r} is not supported. Use suggest_float, suggest_int or suggest_categorical.")


def _stretch(distribution: BaseDistribution) -> float:
    """As in `Domain`: above 0 for integers on a log scale."""
    if isinstance(distribution, IntDistribution) and distribution.log:
        return geometric_stretch(distribution.low, distribution.high)
    return 0.0


def kind_of(distribution: BaseDistribution) -> tuple[int, bool, float]:
    """Its cardinality, whether it has an order, and its stretch, as in `Domain`."""
    count = number_of_values(distribution)
    if count > MOST:
        return 0, True, 0.0
    return count, not isinstance(distribution, CategoricalDistribution), _stretch(distribution)


def domain(distributions: Distributions) -> Domain:
    """The unit cube of these parameters, a coordinate for each in their order."""
    return Domain(*zip(*map(kind_of, distributions.values()), strict=True))


def values(distributions: Distributions, x: np.ndarray) -> list[dict[str, Any]]:
    """The parameters, as plain Python values, at the points `x` `[P, D]` of the unit cube."""
    columns = [_column(one, x[:, i].astype(float)) for i, one in enumerate(distributions.values())]
    return [dict(zip(distributions, row, strict=True)) for row in zip(*columns, strict=True)]


def _column(distribution: Any, x: np.ndarray) -> list[Any]:
    count, stretch = number_of_values(distribution), _stretch(distribution)
    if not count:
        low, high = distribution.low, distribution.high
        value = np.exp(_between(math.log(low), math.log(high), x)) if distribution.log else _between(low, high, x)
        return np.clip(value, low, high).tolist()
    share = np.expm1(x * stretch) / math.expm1(stretch) if stretch else x
    index = np.clip(np.floor(share * count), 0, count - 1).tolist()
    if isinstance(distribution, CategoricalDistribution):
        return [distribution.choices[int(i)] for i in index]
    step = distribution.step
    return [min(distribution.low + type(step)(i) * step, distribution.high) for i in index]


def _between(low: float, high: float, x: np.ndarray) -> np.ndarray:
    return low * (1 - x) + high * x  # `high - low` may be more than a double holds


def point(distributions: Distributions, params: Mapping[str, Any]) -> np.ndarray:
    """The point `[D]` of the unit cube at which these parameters lie, discrete ones in the middle of their share."""
    return np.array([_coordinate(one, params[name]) for name, one in distributions.items()])


def _coordinate(distribution: Any, value: Any) -> float:
    count, stretch = number_of_values(distribution), _stretch(distribution)
    if isinstance(distribution, CategoricalDistribution):
        index = distribution.to_internal_repr(value)
    elif count:
        index = round((value - distribution.low) / distribution.step)
    else:
        low, high, value = (
            map(math.log, (distribution.low, distribution.high, value))
            if distribution.log
            else (distribution.low, distribution.high, value)
        )
        return min(max((value / 2 - low / 2) / (high / 2 - low / 2), 0.0), 1.0)
    share = (index + 0.5) / count
    return math.log1p(share * math.expm1(stretch)) / stretch if stretch else share
