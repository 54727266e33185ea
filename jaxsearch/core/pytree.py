"""Frozen dataclasses that JAX can trace: array fields are leaves, `static()` fields are structure."""

import dataclasses
import math
from typing import Any, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np

T = TypeVar("T")


def static(**kwargs: Any) -> Any:
    """Marks a dataclass field as structure: hashable, never traced, part of the compilation key."""
    return dataclasses.field(metadata={"static": True}, **kwargs)


@dataclass_transform(frozen_default=True, field_specifiers=(static, dataclasses.field))
def pytree(cls: type[T]) -> type[T]:
    """Makes `cls` a frozen dataclass and a pytree whose leaves are the fields not marked `static()`.

    `__post_init__` runs again on every unflatten, then with tracers or placeholders in the leaves: check
    static fields there, and leaves only through `is_number`.
    """
    # Not jax.tree_util.register_dataclass: to JAX 0.10 the structures of two such classes with equally many leaves and
    # equal static fields are equal, so that now and then `jit` runs the program of one for the other.
    made: Any = dataclasses.dataclass(frozen=True)(cls)
    names: dict[bool, list[str]] = {True: [], False: []}
    for field in dataclasses.fields(made):
        names[field.metadata.get("static", False)].append(field.name)
    statics, leaves = names[True], names[False]

    def flatten(node: Any) -> tuple[tuple, tuple]:
        return tuple(getattr(node, name) for name in leaves), tuple(getattr(node, name) for name in statics)

    def flatten_with_keys(node: Any) -> tuple[tuple, tuple]:
        children, structure = flatten(node)
        return tuple(zip(map(jax.tree_util.GetAttrKey, leaves), children, strict=True)), structure

    def unflatten(structure: Any, children: Any) -> Any:
        return made(**dict(zip(statics, structure, strict=True)), **dict(zip(leaves, children, strict=True)))

    jax.tree_util.register_pytree_with_keys(made, flatten_with_keys, unflatten, flatten)
    return made


def is_number(leaf: Any) -> bool:
    """Whether a leaf is a Python or NumPy number, so that its value may be checked."""
    return isinstance(leaf, int | float | np.number) and not isinstance(leaf, bool)


def is_real(leaf: Any) -> bool:
    """Whether a leaf is one real number that the default float dtype holds, or an array of one."""
    if is_number(leaf):
        return abs(leaf) <= float(jnp.finfo(jnp.result_type(float)).max) or leaf in (math.inf, -math.inf)
    dtype = getattr(leaf, "dtype", None)
    real = dtype is not None and (jnp.issubdtype(dtype, jnp.integer) or jnp.issubdtype(dtype, jnp.floating))
    return real and leaf.shape == ()
