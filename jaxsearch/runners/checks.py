"""What must hold before a search is compiled."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxsearch.core.pytree import is_concrete, is_real
from jaxsearch.core.types import PyTree, Scalar


def check_key(key: Any) -> None:
    """Raises ValueError unless `key` is one random key, typed or of the older kind."""
    dtype, shape = getattr(key, "dtype", None), getattr(key, "shape", None)
    typed = dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key) and shape == ()
    if not typed and not (dtype == jnp.uint32 and shape in ((2,), (4,))):
        raise ValueError(f"A search needs one random key; got {key!r}. Write e.g. jax.random.key(0).")
    if not typed and shape != (usual := jax.eval_shape(jax.random.PRNGKey, 0).shape):
        raise ValueError(
            f"A key of raw numbers needs shape {usual}, of JAX's default kind of keys; got {shape}. Wrap it, e.g. with "
            "jax.random.wrap_key_data(key, impl='rbg')."
        )


def check_concrete(**arguments: Any) -> None:
    """Raises ValueError, naming it, if an argument of `search` holds what `jit`, `vmap` or `grad` traces."""
    for name, argument in arguments.items():
        if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(argument)):
            raise ValueError(
                f"search runs on the host, generation by generation, not inside of jit, vmap, grad or scan; its {name} "
                "is traced. Use minimize there."
            )


def check_target(target: Any) -> None:
    """Raises ValueError unless `target` is None or one real number; NaN, which no loss meets, is none."""
    unmet = is_concrete(target) and bool(np.any(np.isnan(np.asarray(target, float))))
    if target is not None and (not is_real(target) or unmet):
        raise ValueError(f"target must be a real number, a loss; got {target!r}. Leave it out to use the whole budget.")


def functions(name: str, given: Any) -> list[Callable]:
    """One function, or several in a list, as a list; raises ValueError for anything else."""
    several = [given] if callable(given) else () if given is None else given
    if not isinstance(several, list | tuple) or not all(map(callable, several)):
        raise ValueError(f"{name} must be a function, or a list of some; got {given!r}. Leave it out for none.")
    return list(several)


def check_hyperparameters(strategy: Any) -> None:
    """Raises ValueError unless the fields of a strategy that are declared as `Scalar` are one real number each."""
    for field in dataclasses.fields(strategy) if dataclasses.is_dataclass(strategy) else ():
        value = getattr(strategy, field.name)
        missing = value is None and field.type == Scalar | None
        if field.type in (Scalar, Scalar | None) and not missing and not is_real(value):
            raise ValueError(f"{field.name} must be one real number; got {value!r}. Leave it out for the default.")


def check_reals(what: str, tree: PyTree) -> None:
    """Raises ValueError, saying where, unless all leaves are real numbers, or arrays of them, and the rest hashable."""
    check_traceable(what, tree)
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        array = hasattr(leaf, "dtype") and not jnp.issubdtype(leaf.dtype, jnp.complexfloating)
        if not array and not is_real(leaf):
            where = f"{what}{jax.tree_util.keystr(path)}"
            raise ValueError(f"The numbers of a {what} must be real; {where} is {leaf!r}. Give it a float.")


def check_traceable(what: str, tree: PyTree) -> None:
    """Raises ValueError, saying where, unless JAX can trace the leaves and compare the rest."""
    try:
        hash(jax.tree.structure(tree))
    except TypeError:
        raise ValueError(f"The settings of a {what} must be hashable; got {tree!r}. Use tuples for lists.") from None
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        try:
            jax.typeof(leaf)
        except (TypeError, ValueError, OverflowError):
            where = f"{what}{jax.tree_util.keystr(path)}"
            raise ValueError(
                f"JAX must know all parts of a {what} as numbers, arrays or structure; {where} is {leaf!r}. "
                "Register its class, e.g. with jax.tree_util.register_dataclass, and make constants static."
            ) from None
