"""The parameters of a search on the scales of their dimensions, one for each coordinate of the cube."""

import math
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsearch.core import bounds
from jaxsearch.core.names import check_name
from jaxsearch.core.types import Array, Domain, PyTree
from jaxsearch.report.style import best_of, spread_out
from jaxsearch.runners.archive import Archive
from jaxsearch.spaces import codec
from jaxsearch.spaces.columns import dimensions
from jaxsearch.spaces.dimensions import Choice, Float, Int
from jaxsearch.spaces.switch import Switch

ROUNDING = 1e-6  # of bounds in float32
FEW = 24  # values that so many trials have in common that these would hide each other


def losses_of(archive: Archive) -> np.ndarray:
    """`[N]` float64, the losses; +inf for whatever is no number, as the runners have it."""
    loss = np.asarray(archive.loss, float)
    return np.where(np.isfinite(loss), loss, np.inf)


def best_trial(archive: Archive) -> int | None:
    """The number of the best trial, as the runners have it; None if all failed."""
    return best_of(np.asarray(archive.compared, float))


class Parameter(NamedTuple):
    """What N trials had for one coordinate.

    name: as in `Archive.table`. dimension: to which it belongs; a Switch for which branch it takes.
    position: `[N]` in [0, 1], in the middle of its share for a discrete value; NaN in a branch that was not taken.
    """

    name: str
    dimension: Any
    position: np.ndarray

    @property
    def options(self) -> tuple[Any, ...]:
        """What there is to choose from, without an order; empty for numbers."""
        match self.dimension:
            case Choice():
                return self.dimension.options
            case Switch():
                return tuple(self.dimension.branches)
        return ()

    def spread(self) -> np.ndarray:
        """The positions `[N]`, those of few values spread over a part of their share lest trials hide others."""
        count = len(self.options)
        if isinstance(self.dimension, Int) and not self.dimension.log:
            count = self.dimension.high - self.dimension.low + 1
        return self.position + 0.55 / count * spread_out(len(self.position)) if 0 < count <= FEW else self.position

    def ticks(self, count: int = 5) -> list[tuple[float, str]]:
        """About so many places with what they stand for; of options every one, or every second, ..."""
        if options := self.options:
            every = -(-len(options) // (2 * count))
            return [((i + 0.5) / len(options), str(options[i])) for i in range(0, len(options), every)]
        low, high = float(self.dimension.low), float(self.dimension.high)
        whole = isinstance(self.dimension, Int)
        values = _decades(low, high, count) if self.dimension.log else _steps(low, high, count, whole)
        places = np.clip([_position(self.dimension, low, high, value) for value in values], 0, 1)
        return [(float(place), f"{value:.6g}") for place, value in zip(places, values, strict=True)]


def parameters(archive: Archive, space: PyTree) -> list[Parameter]:
    """All parameters of the trials, in the order of the coordinates."""
    domain = codec.domain(space)
    centre, active, x = jax.device_get(_placed(domain, archive.x))
    position = np.where(active, np.where(domain.discrete[None], centre, x), np.nan).astype(float)
    found = zip(*dimensions(space).items(), strict=True)
    return [Parameter(*known) for known in zip(*found, position.T, strict=True)]


def parameter(archive: Archive, space: PyTree, name: str) -> Parameter:
    """The parameter of this name. Raises ValueError if there is none."""
    found = {one.name: one for one in parameters(archive, space)}
    check_name("parameter", name, found)
    return found[name]


@jax.jit
def _placed(domain: Domain, x: Array) -> tuple[Array, Array, Array]:
    x = bounds.clip(x)
    return domain.centre(domain.index(x), x.dtype), domain.active(x), x


def _position(dimension: Float | Int, low: float, high: float, value: float) -> float:
    """Where a value lies in the unit interval."""
    half = 0.5 if isinstance(dimension, Int) else 0.0  # an integer has the share from value - 1/2 to value + 1/2
    low, high = low - half, high + half
    if dimension.log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _steps(low: float, high: float, count: int, whole: bool) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten from low to high, at most about `count`."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    step = max(step, 1.0) if whole else step
    return [step * i for i in range(math.ceil(low / step - ROUNDING), math.floor(high / step + ROUNDING) + 1)]


def _decades(low: float, high: float, count: int) -> list[float]:
    """Powers of ten from low to high, with less than three of them also their multiples, or else both ends."""
    first, last = math.ceil(math.log10(low) - ROUNDING), math.floor(math.log10(high) + ROUNDING)
    every = max(-(-(last - first + 1) // count), 1)
    found = [10.0**power for power in range(first, last + 1, every)]
    for factors in ((1, 3), (1, 2, 5)):
        if len(found) < 3:
            near = (factor * 10.0**power for power in range(first - 1, last + 1) for factor in factors)
            found = [value for value in near if low * (1 - ROUNDING) <= value <= high * (1 + ROUNDING)]
    return found if len(found) > 1 else [low, high]
