"""The nouns that cross borders. P is the population size, D the number of unit coordinates."""

from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsearch.core.domain import Domain as Domain

Array = jax.Array
Key = jax.Array
HostArray = jax.Array | np.ndarray  # what a user may pass: either kind
PyTree = Any
Scalar = float | jax.Array


class Candidates(NamedTuple):
    """Points of the unit cube that a strategy wants evaluated.

    x: `[P, D]`, every entry in [0, 1].
    budget: `[P]`, the resource each candidate may spend, in the evaluator's unit.
    origin: `[P]`, the slot whose training a candidate continues; -1 starts afresh.
    """

    x: Array
    budget: Array | None = None
    origin: Array | None = None


class Results(NamedTuple):
    """What an evaluator measured; lower is better.

    loss: `[P]`, or `[P, M]` for M objectives; a failed evaluation is +inf.
    grad: `[P, D]`, the gradient of the loss by `x`.
    violation: `[P]`, feasible where it is at most 0.
    aux: any pytree with leading axis P that the evaluator wants recorded; strategies never read it.
    remainder: `[P]`, what rounding took from the loss, of an evaluator that knows it more exactly. The runner then
        compares losses to twice the digits, and strategies are told losses that stay distinct, see `core.shift`.
    adjusted_loss: `[P]`, what candidates are compared by where the loss alone would be unfair, as after trainings of
        different lengths: the runners tell it to the strategy in place of the loss, and the best candidate is that
        with the lowest one. Never what was measured. None to compare by the loss.
    """

    loss: Array
    grad: Array | None = None
    violation: Array | None = None
    aux: PyTree = None
    remainder: Array | None = None
    adjusted_loss: Array | None = None

    @property
    def compared(self) -> Array:
        """`[P]`, what candidates are compared by: the adjusted loss if there is one, or else the loss."""
        return self.loss if self.adjusted_loss is None else self.adjusted_loss
