"""When a search ends."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.population import check_count
from jaxsearch.core.pytree import is_real


@dataclasses.dataclass(frozen=True)
class Limits:
    """Whichever is met first ends the search; None is no limit. The fields are the arguments of `search`.

    count: candidates of a generation, once they are known.
    Raises ValueError for values that are out of range, and for no limit at all.
    """

    num_generations: int | None
    max_evaluations: int | None
    time_limit: float | None
    target: float | None
    patience: int | None
    count: int = 1

    def __post_init__(self):
        for name in ("num_generations", "max_evaluations", "patience"):
            value = getattr(self, name)
            if value is not None:
                generations = name == "num_generations"  # the others are counted here, by Python
                count = check_count(name, value, remedy="Leave it out for no limit.", counted_by_jax=generations)
                object.__setattr__(self, name, count)
        if self.time_limit is not None and not (is_real(self.time_limit) and self.time_limit > 0):
            raise ValueError(
                f"time_limit must be more than 0 seconds; got {self.time_limit!r}. Leave it out for no limit."
            )
        if self.num_generations is self.max_evaluations is self.time_limit is self.patience is None:
            raise ValueError(
                "A search needs an end; got none of num_generations, max_evaluations, time_limit and patience. "
                "Give at least one."
            )
        if self.max_evaluations is not None and self.max_evaluations < self.count:
            raise ValueError(
                f"max_evaluations must allow one generation of {self.count} candidates; got {self.max_evaluations}. "
                "Raise it or give the strategy a smaller population_size."
            )

    @property
    def generations(self) -> int | None:
        """The most generations that the limits allow, None if unknown."""
        by_evaluations = None if self.max_evaluations is None else self.max_evaluations // self.count
        return min((n for n in (self.num_generations, by_evaluations) if n is not None), default=None)

    def reached(self, history: list[float], seconds: float) -> str | None:
        """What is met after the generations with these best losses, which took so many seconds: a name, or None."""
        if not history:
            return None
        if self.target is not None and _meets(history[-1], self.target):
            return "target"
        if self.num_generations is not None and len(history) >= self.num_generations:
            return "generations"
        if self.generations is not None and len(history) >= self.generations:
            return "evaluations"
        if self.time_limit is not None and seconds >= self.time_limit:
            return "time"
        if self.patience is not None and len(history) > self.patience:
            # Not "no lower": where losses are adjusted, see Results, a better candidate may have a higher loss.
            changed = len(set(history[-1 - self.patience :])) > 1
            return None if changed else "patience"
        return None


def _meets(loss: float, target: float) -> bool:
    """As in a compiled program, whose losses are rounded like the target."""
    return math.isfinite(loss) and float(np.asarray(loss, jnp.result_type(float))) <= target
