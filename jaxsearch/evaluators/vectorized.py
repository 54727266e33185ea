"""A pure JAX objective over a whole population at once, or in chunks of bounded memory."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core.population import check_count
from jaxsearch.core.protocols import Evaluator
from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, Candidates, Key, PyTree, Results
from jaxsearch.spaces import codec


def as_evaluator(objective: Any) -> Evaluator:
    """An evaluator as it is; a plain objective as `Vectorized(objective)`."""
    if isinstance(objective, Evaluator):
        return objective
    if not callable(objective):
        raise ValueError(_not_a_function(objective))
    return Vectorized(objective)


def in_chunks(function: Callable, arguments: PyTree, chunk_size: int, interleaved: bool = False) -> PyTree:
    """`function(*arguments)` for a function of whole batches, with at most `chunk_size` rows at a time.

    The chunks run one by one through `lax.map`, in one compiled program. Interleaved ones take every n-th row instead
    of n neighbours: of rows that are spread over devices, each chunk then has some of every device.
    """
    count = len(jax.tree.leaves(arguments)[0])
    size = min(chunk_size, count)
    chunks = -(-count // size)
    rows = jnp.minimum(jnp.arange(chunks * size), count - 1)  # the last chunk is filled up with its last row

    def split(leaf: Array) -> Array:
        leaf = leaf if chunks * size == count else leaf[rows]
        if interleaved:
            return jnp.swapaxes(leaf.reshape((size, chunks, *leaf.shape[1:])), 0, 1)
        return leaf.reshape((chunks, size, *leaf.shape[1:]))

    def join(leaf: Array) -> Array:
        leaf = jnp.swapaxes(leaf, 0, 1) if interleaved else leaf
        return leaf.reshape((chunks * size, *leaf.shape[2:]))[:count]

    return jax.tree.map(join, jax.lax.map(lambda chunk: function(*chunk), jax.tree.map(split, arguments)))


@pytree
class Vectorized:
    """Evaluates `objective(key, params) -> loss`, written for ONE configuration, for all candidates by `vmap`.

    objective: a pure JAX function, or any callable pytree such as `jax.tree_util.Partial(loss, data)`, whose
        arrays then travel as leaves. Returns one float (or a boolean), lower is better; NaN means failed. An integer is
        refused, since integers overflow without a word.
    gradients: also give d loss / d x in `Results.grad`.
    Raises ValueError at trace time if the objective returns anything but one real number.
    """

    objective: Callable
    gradients: bool = static(default=False)

    def __post_init__(self):
        _wrap_function(self)

    def init(self, key: Key, space: PyTree, count: int) -> None:
        return None

    def evaluate(self, key: Key, state: None, space: PyTree, candidates: Candidates) -> tuple[Results, None]:
        keys = jax.random.split(key, len(candidates.x))
        return jax.vmap(_score(self, space))(keys, candidates.x), None


@pytree
class Chunked:
    """Like `Vectorized`, to the same numbers, with the memory of `chunk_size` evaluations: chunks run one by one.

    chunk_size: candidates evaluated at the same time, at least 1.
    """

    objective: Callable
    chunk_size: int = static()
    gradients: bool = static(default=False)

    def __post_init__(self):
        check_count("chunk_size", self.chunk_size, remedy="Try 64.")
        _wrap_function(self)

    def init(self, key: Key, space: PyTree, count: int) -> None:
        return None

    def evaluate(self, key: Key, state: None, space: PyTree, candidates: Candidates) -> tuple[Results, None]:
        keys = jax.random.split(key, len(candidates.x))
        return in_chunks(jax.vmap(_score(self, space)), (keys, candidates.x), self.chunk_size, interleaved=True), None


def _wrap_function(evaluator: Vectorized | Chunked) -> None:
    objective = evaluator.objective
    if jax.tree_util.all_leaves([objective]) and callable(objective):  # a function is no JAX type; a Partial is
        object.__setattr__(evaluator, "objective", jax.tree_util.Partial(objective))
    elif isinstance(objective, int | float | str | list | dict | tuple):
        raise ValueError(_not_a_function(objective))
    if callable(objective):
        _check_arguments(objective)


def _check_arguments(objective: Callable) -> None:
    """Raises ValueError for a function that visibly does not take a key and the parameters."""
    try:
        signature = inspect.signature(objective, follow_wrapped=False)
    except (TypeError, ValueError):  # built in, or compiled
        return
    try:
        signature.bind(None, None)
    except TypeError:
        raise ValueError(
            f"An objective takes two arguments, objective(key, params) -> loss; got {objective!r:.200} with "
            f"{signature}. Write e.g. lambda key, params: f(params)."
        ) from None


def _not_a_function(objective: Any) -> str:
    return f"An objective must be a function objective(key, params) -> loss; got {objective!r}. Pass the function."


def _score(evaluator: Vectorized | Chunked, space: PyTree) -> Callable[[Key, Array], Results]:
    if not callable(evaluator.objective):
        raise ValueError(_not_a_function(evaluator.objective))

    def loss(x: Array, key: Key) -> Array:
        value = evaluator.objective(key, codec.decode(space, x))
        if not hasattr(value, "dtype"):
            value = jnp.asarray(value, x.dtype) if isinstance(value, int | float) else value
        dtype = getattr(value, "dtype", object)
        if jnp.issubdtype(dtype, jnp.integer) and value.shape == ():
            raise ValueError(
                f"An objective must return a float, since an integer that overflows would win as a negative loss; got "
                f"{dtype}. Make the parameters floats before you reckon, e.g. params.astype(float)."
            )
        real = jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.bool_)
        if not real or value.shape != ():
            got = f"{dtype}{list(value.shape)}" if hasattr(value, "dtype") else f"{value!r:.200}"
            raise ValueError(
                f"An objective must return one real number per configuration; got {got}. "
                "Reduce it, e.g. with jnp.mean, and write it for one configuration: jaxsearch does the vmap."
            )
        return value.astype(x.dtype)

    def score(key: Key, x: Array) -> Results:
        if not evaluator.gradients:
            return Results(loss(x, key))
        return Results(*jax.value_and_grad(loss)(x, key))

    return score
