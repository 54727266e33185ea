"""Parameters of the best trial that lie at an end of their range."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report.parameters import best_trial, parameters
from jaxsearch.runners.archive import Archive
from jaxsearch.spaces.dimensions import Float, Int

NEAR = 0.02  # share of a range, on its scale, that counts as its end
FEWEST_VALUES = 3  # of an integer that have ends worth a word


def at_edge(archive: Archive, space: PyTree, remedies: Mapping[str, str] | None = None) -> dict[str, str]:
    """A sentence for each number of the best trial that lies at an end of its range, by the parameter's name.

    A better value may lie beyond that end. The lower end of a linear range that begins with 0, and the 1 of an
    integer, are left out: most quantities, such as rates and counts, have nothing below.

    Args:
        archive: the trials.
        space: where they lie.
        remedies: how to widen the range of a parameter, by name, e.g. an option of a command.
    """
    best = best_trial(archive)
    found: dict[str, str] = {}
    for one in parameters(archive, space) if best is not None else []:
        side = _side(one.dimension, float(one.position[best]))
        if side is None:
            continue
        low, high = float(one.dimension.low), float(one.dimension.high)
        how = (remedies or {}).get(one.name, "widen it")
        found[one.name] = f"at the {side} end of its range, {low:g} to {high:g}: {how}"
    return found


def _side(dimension: Any, position: float) -> str | None:
    """At which end of its range a value lies; position: in [0, 1], NaN in a branch that was not taken."""
    if not isinstance(dimension, Float | Int) or np.isnan(position):
        return None
    low, high = float(dimension.low), float(dimension.high)
    if isinstance(dimension, Int) and high - low + 1 < FEWEST_VALUES:
        return None
    if position > 1 - max(NEAR, _half_share(dimension, high)):
        return "upper"
    natural = not dimension.log and low in ((0.0, 1.0) if isinstance(dimension, Int) else (0.0,))
    return "lower" if position < max(NEAR, _half_share(dimension, low)) and not natural else None


def _half_share(dimension: Float | Int, value: float) -> float:
    """A little more than half of the share of the unit interval that an integer has; it lies in the middle of it."""
    if isinstance(dimension, Float):
        return 0.0
    low, high = dimension.low - 0.5, dimension.high + 0.5
    if not dimension.log:
        return 0.75 / (high - low)
    return 0.75 * float(np.log((value + 0.5) / (value - 0.5)) / np.log(high / low))
