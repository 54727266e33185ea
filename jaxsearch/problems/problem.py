"""What a problem with a known answer consists of."""

from typing import Any, NamedTuple

import jax


class Problem(NamedTuple):
    """Unpacks into what `minimize` needs, and the answer.

    space: a pytree of dimensions. objective: `objective(key, params)`, a pytree that may be an argument of a compiled
    program. optimum: the lowest loss there is.
    """

    space: Any
    objective: jax.tree_util.Partial
    optimum: float
