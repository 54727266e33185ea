"""Frozen dataclasses that JAX can trace: array fields are leaves, `static()` fields are structure."""

import dataclasses
import math
import operator
from typing import Any, TypeVar, dataclass_transform

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

T = TypeVar("T")


def static(**kwargs: Any) -> Any:
    """Marks a dataclass field as structure: hashable, never traced, part of the compilation key."""
    return dataclasses.field(metadata={"static": True}, **kwargs)


@dataclass_transform(frozen_default=True, field_specifiers=(static, dataclasses.field))
def pytree(cls: type[T]) -> type[T]:
    """Makes `cls` a frozen dataclass and a pytree whose leaves are the fields not marked `static()`.

    `__post_init__` checks what a caller passes, among which may be tracers: look at leaves only if they are numbers or
    concrete arrays, see `is_concrete`. It does not run when JAX puts other leaves in. Integers of NumPy in static
    fields become Python's.
    """
    validate = getattr(cls, "__post_init__", None)

    def post_init(self: Any) -> None:
        for name in statics:
            object.__setattr__(self, name, _with_python_integers(getattr(self, name)))
        if validate is not None:
            validate(self)

    cls.__post_init__ = post_init  # type: ignore[attr-defined]
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
        node = object.__new__(made)  # nobody's call: leaves may be tracers, placeholders, or have another shape
        for name, value in (*zip(statics, structure, strict=True), *zip(leaves, children, strict=True)):
            object.__setattr__(node, name, value)
        return node

    jax.tree_util.register_pytree_with_keys(made, flatten_with_keys, unflatten, flatten)
    return made


def as_integer(value: Any) -> int | None:
    """One integer of Python, NumPy or JAX as a Python one; None for anything else, and for True and False."""
    if isinstance(value, bool | np.bool_):  # NumPy 2.0 would take its own for an index
        return None
    try:
        return operator.index(value)
    except TypeError:  # for booleans of JAX, too
        return None


def _with_python_integers(value: Any) -> Any:
    if type(value) is tuple:
        return tuple(map(_with_python_integers, value))
    integer = as_integer(value) if isinstance(value, np.integer | np.ndarray | jax.Array) else None
    return value if integer is None else integer


def is_concrete(leaf: Any) -> bool:
    """Whether the value of a leaf can be looked at: a number, or an array that is no tracer and lies here."""
    if isinstance(leaf, Tracer):
        return False
    here = isinstance(leaf, jax.Array) and leaf.is_fully_addressable
    return here or is_number(leaf) or isinstance(leaf, np.ndarray)


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
