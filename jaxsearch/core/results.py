"""What a strategy is told: shapes checked, losses in the default float dtype."""

from typing import Any

import jax.numpy as jnp

from jaxsearch.core.types import Array, Candidates, Results

REAL = (jnp.floating, jnp.integer, jnp.bool_)


def checked(candidates: Candidates, results: Results) -> Results:
    """The results as arrays of the default float dtype, when their shapes are those of the candidates.

    Args:
        candidates: `x` `[P, D]`.
        results: `loss` `[P]` and, where they are given, `grad` `[P, D]`, `violation`,
            `remainder` and `adjusted_loss` `[P]`; real, of any dtype.

    Returns:
        The same numbers. `aux` stays as it is.

    Raises:
        ValueError: for any other shape, and for numbers that are not real.
    """
    shape = jnp.shape(candidates.x)
    if len(shape) != 2:
        raise ValueError(
            f"candidates.x needs shape [P, D], a point in each row; got {shape}. Use x[None] for a single point."
        )
    loss = _real("loss", results.loss, shape[:1], "one number per candidate")
    grad = results.grad
    if grad is not None:
        grad = _real("grad", grad, shape, "the slope along each coordinate of each candidate")
    others = {
        name: _real(name, value, shape[:1], "one number per candidate")
        for name in ("violation", "remainder", "adjusted_loss")
        if (value := getattr(results, name)) is not None
    }
    return results._replace(loss=loss, grad=grad, **others)


def _real(name: str, value: Any, shape: tuple[int, ...], meaning: str) -> Array:
    try:
        array = jnp.asarray(value)
    except (TypeError, ValueError):
        array = None
    real = array is not None and any(jnp.issubdtype(array.dtype, kind) for kind in REAL)
    if array is None or array.shape != shape or not real:
        got = f"{value!r:.200}" if array is None else f"{array.dtype}{list(array.shape)}"
        raise ValueError(
            f"results.{name} must be real, {meaning}, of shape {list(shape)}; got {got}. "
            "Evaluate every candidate, and reduce or reshape what comes out, e.g. with jnp.mean."
        )
    return array.astype(jnp.result_type(float))
