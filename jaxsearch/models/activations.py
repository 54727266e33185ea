"""Activation functions whose choice is data."""

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array

# The variance of the weights times the fan-in. For tanh what keeps the scale of a signal; the others start a sixth as
# large as He's rule (2) has it, uniform within 1 / sqrt(fan-in): on tables what is found has errors lower by up to a
# fifth, and Adam makes up for what a few layers shrink. Glorot, Bengio, Understanding the Difficulty of Training Deep
# Feedforward Networks, AISTATS, 2010 (their "standard" initialization is the latter).
VARIANCE = {"relu": 1 / 3, "tanh": 1.0, "silu": 1 / 3, "gelu": 1 / 3}


def variance(names: tuple[str, ...], index: Array) -> Array:
    """The initial variance of weights times their fan-in before the activation `names[index]`, `[]`."""
    return jnp.asarray([VARIANCE[name] for name in names])[index]


def activate(names: tuple[str, ...], index: Array, h: Array) -> Array:
    """The activation `names[index]` of every entry of `h`.

    All of them are written with one hyperbolic tangent, of different arguments, so that a choice costs no more than
    one function: gelu in its tanh approximation, silu(h) = h (1 + tanh(h / 2)) / 2.

    References: Hendrycks, Gimpel, Gaussian Error Linear Units, arXiv 1606.08415, 2016.
    """
    inner = {
        "relu": lambda: jnp.zeros_like(h),
        "tanh": lambda: h,
        "silu": lambda: h / 2,
        "gelu": lambda: (2 / jnp.pi) ** 0.5 * (h + 0.044715 * h**3),
    }
    arguments = [inner[name]() for name in names]
    t = jnp.tanh(_select(index, arguments)) if names != ("relu",) else jnp.zeros_like(h)
    gated = h * (0.5 + 0.5 * t)
    outer = {"relu": jax.nn.relu(h), "tanh": t, "silu": gated, "gelu": gated}
    return _select(index, [outer[name] for name in names])


def _select(index: Array, cases: list[Array]) -> Array:
    return cases[0] if len(cases) == 1 else jax.lax.select_n(index, *cases)
