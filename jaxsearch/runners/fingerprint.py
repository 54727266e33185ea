"""What distinguishes one search from another, as text: a checkpoint is of the search with the same."""

import dataclasses
import hashlib
import inspect
import re
import types
from typing import Any

import jax
import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.runners.files import on_host
from jaxsearch.runners.snapshot import Snapshot, bound


def fingerprint(node: Any, name: str) -> dict[str, str]:
    """A text for every part of an object, by the name of its place: `{"strategy": "GA", "strategy.elites": "2", ...}`.

    Arrays are told by a digest of their content, functions by their name, a digest of their code and their defaults;
    what they close over or call, and whose methods they are, is not looked at.
    """
    if isinstance(node, Snapshot):
        node = node.function
    if isinstance(node, jax.Array | np.ndarray | np.generic):
        return {name: _array(node)}
    if isinstance(node, type) or node is None or isinstance(node, bool | int | float | complex | str | bytes):
        return {name: repr(node)}
    if (parts := bound(node)) is not None:  # also of jax.tree_util.Partial
        return _all(name, "Partial", dict(zip((".function", ".arguments", ".keywords"), parts, strict=True)))
    if dataclasses.is_dataclass(node):
        fields = {f".{field.name}": getattr(node, field.name) for field in dataclasses.fields(node)}
        return _all(name, type(node).__qualname__, fields)
    if isinstance(node, dict):
        return _all(name, "dict", {f"[{key!r}]": value for key, value in node.items()})
    if isinstance(node, list | tuple):
        return _all(name, type(node).__qualname__, {f"[{i}]": value for i, value in enumerate(node)})
    if not jax.tree_util.all_leaves([node]):  # another pytree, such as a Switch
        children, _ = jax.tree_util.tree_flatten_with_path(node, is_leaf=lambda part: part is not node)
        return _all(name, type(node).__qualname__, {jax.tree_util.keystr(path): part for path, part in children})
    if hasattr(node, "__qualname__"):
        node = inspect.unwrap(getattr(node, "__func__", node))  # of methods, of jax.jit and of other decorators
        text = f"{getattr(node, '__module__', '')}.{node.__qualname__}"
        if not isinstance(node, types.FunctionType):
            return {name: text}
        defaults = [*(node.__defaults__ or ()), *(node.__kwdefaults__ or {}).values()]
        parts = {f".default[{i}]": value for i, value in enumerate(defaults)}
        return _all(name, f"{text} {_digest(_code(node.__code__))}", parts)
    kind = type(node)
    text = kind.__qualname__ if kind.__repr__ is object.__repr__ else _ordered(node)
    return {name: re.sub(r" at 0x[0-9a-fA-F]+", "", text)}


def differences(saved: dict[str, str], current: dict[str, str]) -> list[str]:
    """What differs between two fingerprints, in words."""
    names = [name for name in {**saved, **current} if saved.get(name) != current.get(name)]
    return [f"{name} was {saved.get(name, 'absent')} and is {current.get(name, 'absent')}" for name in names]


def _all(name: str, kind: str, parts: dict[str, PyTree]) -> dict[str, str]:
    found = {name: kind}
    for part, value in parts.items():
        found |= fingerprint(value, name + part)
    return found


def _array(array: Any) -> str:
    kind, host = array.dtype, np.ascontiguousarray(on_host(array))
    if host.dtype == object:
        return f"{kind}{list(host.shape)} {host.tolist()!r}"
    if host.size == 1:
        return f"{kind} {host.reshape(-1)[0].item()!r}"
    return f"{kind}{list(host.shape)} {_digest(host.tobytes())}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _code(code: types.CodeType) -> bytes:
    """What a function does, but for comments and line numbers."""
    constants = [_code(one) if isinstance(one, types.CodeType) else _ordered(one).encode() for one in code.co_consts]
    return b" ".join([code.co_code, *constants, *(name.encode() for name in code.co_names)])


def _ordered(value: Any) -> str:
    """A text of a value; sets, whose order differs from process to process, are sorted."""
    return f"set{sorted(map(_ordered, value))}" if isinstance(value, set | frozenset) else repr(value)
