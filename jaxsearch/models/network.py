"""A network of your own, in any library."""

import inspect
from collections.abc import Callable
from typing import Any

from jaxsearch.core.pytree import pytree, static

ARGUMENTS = {"init": "key, params", "step": "key, params, state, batch", "loss": "params, state, batch"}


@pytree
class Network:
    """Three pure functions of ONE configuration; `Training` runs them for all candidates and folds at once.

    init: `init(key, params) -> state`, any pytree of arrays: weights, the optimizer's state, counters, keys.
    step: `step(key, params, state, batch) -> state`, one step on a batch `(x [B, ...], y [B, ...])`; the new state has
        the structure, shapes and dtypes of the old. One with NaN has failed.
    loss: `loss(params, state, batch) -> scalar`, what the search minimizes, on the rows that are held out.

    `x` of floats comes standardized by column, images by channel, with the mean and the deviation of the rows trained
    on, and 0 for NaN; integers and `y` come as they are. `params` is what the space decodes to, with the options in
    place of the indices for each entry that is a Choice of numbers.

    `epochs` in the space is how long a candidate trains. With `batch_size` in the space, B is the number of rows that
    divides all its values: gather `params["batch_size"] // B` batches for an update, e.g. with `optax.MultiSteps`.

    The functions may close over nothing that changes: they are part of the compiled program. Shapes must not depend on
    the values of `params`; what does, such as a number of units, becomes a mask (see `MLP`) or a `Switch` of branches.

    Raises ValueError for what is not a function of these arguments.
    """

    init: Callable[[Any, Any], Any] = static()
    step: Callable[[Any, Any, Any, tuple], Any] = static()
    loss: Callable[[Any, Any, tuple], Any] = static()

    def __post_init__(self):
        for name, arguments in ARGUMENTS.items():
            function = getattr(self, name)
            if not callable(function):
                raise ValueError(f"{name} must be a function {name}({arguments}); got {function!r}. See Network.")
            if not _takes(function, arguments.count(",") + 1):
                raise ValueError(
                    f"{name} must take ({arguments}); got {name}{inspect.signature(function)}. Change its arguments."
                )


def _takes(function: Callable, count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a builtin that does not tell
        pass
    return True
