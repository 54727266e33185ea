"""A network of your own, in any library."""

from collections.abc import Callable
from typing import Any

from jaxsearch.core.pytree import pytree, static


@pytree
class Network:
    """Three pure functions of ONE configuration; `Training` runs them for all candidates and folds at once.

    init: `init(key, params) -> state`, any pytree of arrays: weights, the optimizer's state, counters.
    step: `step(key, params, state, batch) -> state`, one step on a batch `(x [B, ...], y [B])`.
    loss: `loss(params, state, batch) -> scalar`, what the search minimizes, on the rows that are held out.

    The functions may close over nothing that changes: they are part of the compiled program. Shapes must not depend on
    the values of `params`; what does, such as a number of units, becomes a mask (see `MLP`) or a `Choice` of branches.
    """

    init: Callable[[Any, Any], Any] = static()
    step: Callable[[Any, Any, Any, tuple], Any] = static()
    loss: Callable[[Any, Any, tuple], Any] = static()

    def __post_init__(self):
        for name in ("init", "step", "loss"):
            if not callable(getattr(self, name)):
                raise ValueError(f"{name} must be a function; got {getattr(self, name)!r}. See Network.")
