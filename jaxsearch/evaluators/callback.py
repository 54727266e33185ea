"""Ordinary Python functions, called from inside the compiled program."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.experimental import io_callback

from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Candidates, Key, PyTree, Results
from jaxsearch.spaces import codec
from jaxsearch.spaces.describe import describe


@pytree
class Callback:
    """Evaluates `function(params) -> float` on the host, one configuration after the other.

    function: gets the configuration as plain Python values, as `describe` gives them: labels, ints, floats. Lower is
        better; NaN means failed. It runs once per candidate of a generation, in their order, and must not call JAX
        functions that wait for the running program.
    catch: exceptions that count as a failed evaluation; any other ends the search.
    """

    function: Callable[[Any], float] = static()
    catch: tuple[type[Exception], ...] = static(default=())

    def __post_init__(self):
        if not callable(self.function):
            raise ValueError(f"Callback needs a Python function; got {self.function!r}. Pass the function itself.")

    def init(self, key: Key, space: PyTree, count: int) -> None:
        return None

    def evaluate(self, key: Key, state: None, space: PyTree, candidates: Candidates) -> tuple[Results, None]:
        params = jax.vmap(codec.decode, in_axes=(None, 0))(space, candidates.x)
        loss = jax.ShapeDtypeStruct((len(candidates.x),), candidates.x.dtype)
        return Results(io_callback(functools.partial(self._losses, loss), loss, space, params)), None

    def _losses(self, loss: jax.ShapeDtypeStruct, space: PyTree, params: PyTree) -> np.ndarray:
        space, params = jax.tree.map(np.asarray, (space, params))

        def configuration(i: int) -> Any:
            return describe(space, jax.tree.map(lambda leaf: leaf[i], params))

        return np.array([self._loss(configuration(i)) for i in range(loss.shape[0])], loss.dtype)

    def _loss(self, plain: Any) -> float:
        try:
            return float(self.function(plain))
        except self.catch:
            return float("nan")
