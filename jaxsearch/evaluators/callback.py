"""Ordinary Python functions, called from inside the compiled program."""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

import jax
import numpy as np
from jax.experimental import io_callback

from jaxsearch.core.pytree import is_number, pytree, static
from jaxsearch.core.shift import split
from jaxsearch.core.types import Candidates, Key, PyTree, Results
from jaxsearch.spaces import codec
from jaxsearch.spaces.describe import describe


@pytree
class Callback:
    """Evaluates `function(params) -> float` on the host, one configuration after the other.

    Losses are told apart as doubles, also where float32 would round them to the same: see `Results.remainder`.

    function: gets the configuration as plain Python values, as `describe` gives them: labels, ints, floats. Returns one
        real number, lower is better; NaN and the infinities mean failed, -inf too, lest a logarithm of 0 win the
        search. It runs once per candidate of a generation, in their order, and must not call JAX functions that wait
        for the running program.
    catch: exceptions that count as a failed evaluation; any other ends the search, as does anything but one real
        number.
    time_limit: seconds for each call, above 0; a longer one counts as failed. Each call then has a daemon thread of its
        own. Nothing can stop a thread: one that is late is left to itself, with all that it holds, until it returns or
        the process ends, and the next call begins beside it. None for no limit and no thread.
    Raises ValueError for a function, exceptions or a limit that cannot work.
    """

    function: Callable[[Any], float] = static()
    catch: tuple[type[Exception], ...] = static(default=())
    time_limit: float | None = static(default=None)

    def __post_init__(self):
        if not callable(self.function):
            raise ValueError(f"Callback needs a Python function; got {self.function!r}. Pass the function itself.")
        exceptions = isinstance(self.catch, tuple) and all(isinstance(kind, type) for kind in self.catch)
        if not exceptions or not all(issubclass(kind, Exception) for kind in self.catch):
            raise ValueError(f"catch must be a tuple of exceptions; got {self.catch!r}. Write e.g. (ArithmeticError,).")
        limit = self.time_limit
        if limit is not None and not (is_number(limit) and 0 < limit <= threading.TIMEOUT_MAX):
            raise ValueError(f"time_limit must be more than 0 seconds; got {limit!r}. Leave it out for no limit.")

    def init(self, key: Key, space: PyTree, count: int) -> None:
        return None

    def evaluate(self, key: Key, state: None, space: PyTree, candidates: Candidates) -> tuple[Results, None]:
        params = jax.vmap(codec.decode, in_axes=(None, 0))(space, candidates.x)
        loss = jax.ShapeDtypeStruct((len(candidates.x),), candidates.x.dtype)
        words = io_callback(functools.partial(self._losses, loss), (loss, loss), space, params)
        return Results(words[0], remainder=words[1]), None

    def _losses(self, loss: jax.ShapeDtypeStruct, space: PyTree, params: PyTree) -> tuple[np.ndarray, np.ndarray]:
        space, params = jax.tree.map(np.asarray, (space, params))

        def configuration(i: int) -> Any:
            return describe(space, jax.tree.map(lambda leaf: leaf[i], params))

        losses = np.array([self._loss(configuration(i)) for i in range(loss.shape[0])], float)
        return split(np.where(np.isinf(losses), np.nan, losses), loss.dtype)

    def _loss(self, plain: Any) -> float:
        try:
            value = self._value(plain)
        except self.catch:
            return float("nan")
        return _number(value)  # outside of the try: a wrong function is no failed evaluation

    def _value(self, plain: Any) -> Any:
        """What the function returns; NaN if that takes too long."""
        if self.time_limit is None:
            return self.function(plain)
        answer: Future = Future()

        def call() -> None:
            try:
                answer.set_result(self.function(plain))
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=call, daemon=True).start()
        in_time, _ = wait([answer], self.time_limit)
        return answer.result() if in_time else float("nan")


def _number(value: Any) -> float:
    """One real number as a float; raises ValueError for anything else."""
    try:
        if np.ndim(value) == 0:
            plain = value.item() if hasattr(value, "item") else value  # float() of an array may drop an imaginary part
            if not isinstance(plain, str | bytes | bytearray):
                return float(plain)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(
        f"The function of Callback must return one real number; got {value!r:.200}. Return e.g. float(loss), and "
        "NaN for a configuration that failed."
    )
