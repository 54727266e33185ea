"""What an objective refers to, so that a program is compiled again when that has changed.

JAX compiles a function once and knows it by its identity: a global, an attribute or an array of
NumPy that changes afterwards would not count. A snapshot makes it part of the function's identity.
"""

import dataclasses
import functools
import hashlib
import sysconfig
import types
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

import jax
import numpy as np
from jax.core import Tracer

from jaxsearch.core.protocols import Evaluator
from jaxsearch.evaluators.vectorized import Chunked, Vectorized

MOST_DEEP = 8  # from object to object
MOST_OBJECTS = 10_000
# Their functions do not change, and refer to very much.
LIBRARIES = (
    "builtins",
    "equinox",
    "flax",
    "functools",
    "jax",
    "jaxlib",
    "jaxsearch",
    "logging",  # a logger knows all others, of whatever package
    "math",
    "numpy",
    "optax",
    "scipy",
)
INSTALLED = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
PLAIN = bool | int | float | complex | str | bytes | np.generic | None


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """A function together with what it refers to now; equal to another one only if both are the same."""

    function: Callable
    contents: tuple

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return _reading_copies(self.function)(*arguments, **keywords)


def with_snapshot(evaluator: Evaluator) -> Evaluator:
    """The evaluator, or the one that it wraps, with a snapshot in the place of a function that is its objective."""
    if isinstance(evaluator, Vectorized | Chunked):
        objective = evaluator.objective
        if not isinstance(objective, jax.tree_util.Partial):  # a pytree of its own
            return evaluator
        function = jax.tree_util.Partial(snapshot(objective.func), *objective.args, **objective.keywords)
        return dataclasses.replace(evaluator, objective=function)
    inner = getattr(evaluator, "evaluator", None)
    if isinstance(inner, Evaluator) and dataclasses.is_dataclass(evaluator) and not isinstance(evaluator, type):
        now = with_snapshot(inner)
        return evaluator if now is inner else dataclasses.replace(evaluator, evaluator=now)  # type: ignore[type-var]
    return evaluator


def snapshot(function: Callable) -> Callable:
    """A function as it is now. One of a library stays as it is."""
    parts = bound(function)
    if isinstance(function, Snapshot) or (parts is None and _of_library(function)):
        return function
    return Snapshot(function, tuple(_walk(function if parts is None else parts, MOST_DEEP, [MOST_OBJECTS])))


def bound(function: Any) -> tuple[Callable, tuple, dict] | None:
    """What a `functools.partial` binds: a function and its arguments; None for anything else.

    JAX puts one that is to become a `jax.tree_util.Partial` in a wrapper of its own, with the same three attributes.
    """
    known = isinstance(function, functools.partial) or _of_library(function)
    if known and all(hasattr(function, name) for name in ("func", "args", "keywords")):
        return function.func, function.args, function.keywords
    return None


@dataclasses.dataclass(frozen=True, eq=False)
class _Same:
    """Equal to that of the very same object, which it keeps alive."""

    value: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def _walk(value: Any, depth: int, left: list[int]) -> Iterator[Any]:
    """What tells a value from others, and from itself after a change, as hashable parts.

    depth: how many objects further to follow. left: how many objects may still be looked at, in all.
    """
    left[0] -= 1
    if isinstance(value, PLAIN):
        yield type(value), repr(value)
    elif isinstance(value, Tracer):
        yield Tracer  # whoever traces makes the function again
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        content = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
        yield str(value.dtype), value.shape, hashlib.sha256(content.data).digest()
    else:
        parts = _parts(value) if depth and left[0] > 0 else None
        # Containers are told by what is in them, anything else by what it is, too.
        yield type(value) if isinstance(value, list | tuple | dict) and parts is not None else _Same(value)
        for part in parts or ():
            yield from _walk(part, depth - 1, left)


def _parts(value: Any) -> list[Any] | None:
    """What a value refers to and may change without becoming another object; None if that is not looked at."""
    match value:
        case list() | tuple() | dict() if len(value) > MOST_OBJECTS:
            return None
        case list() | tuple():
            return [len(value), *value]
        case dict():
            return [len(value), *(part for item in value.items() for part in item)]
        case functools.partial():
            return [value.func, value.args, value.keywords]
        case types.MethodType():
            return [value.__func__, value.__self__]
        case types.FunctionType():
            return None if _of_library(value) else _references(value)
        case types.ModuleType() | type() | jax.Array():
            return None
    if _of_library(type(value)):
        return None
    attributes = getattr(value, "__dict__", None)
    return [attributes] if isinstance(attributes, dict) else None


def _references(function: types.FunctionType) -> list[Any]:
    """The defaults of a function, what it closes over, and the globals that it and functions inside of it name.

    Of a module of the user's, what has one of these names.
    """
    cells = [_content(cell) for cell in function.__closure__ or ()]
    names = _names(function.__code__)
    found = [function.__globals__[name] for name in names if name in function.__globals__]
    modules = [value for value in found if _of_user(value)]
    for module in modules:  # and those that are found in them
        values = [vars(module)[name] for name in names if name in vars(module)]
        modules += [value for value in values if _of_user(value) and value not in modules]
        found += values
    return [function.__defaults__, function.__kwdefaults__, *cells, *found]


def _of_user(value: Any) -> bool:
    """Whether a value is a module, and part neither of Python nor of an installed package, which do not change."""
    file = getattr(value, "__file__", None) if isinstance(value, types.ModuleType) else None
    return file is not None and not file.startswith(INSTALLED)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that has no value yet
        return None


def _names(code: types.CodeType) -> list[str]:
    inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
    return sorted({*code.co_names, *(name for one in inner for name in _names(one))})


def _reading_copies(function: Callable) -> Callable:
    """The same function, but that it reads copies of the arrays of NumPy that it closes over, or that are globals or
    bound to it.

    JAX knows such an array by its identity, too, and goes on with what was in it.
    """
    if isinstance(function, types.MethodType):
        return types.MethodType(_reading_copies(function.__func__), function.__self__)
    if (parts := bound(function)) is not None:
        func, arguments, keywords = parts
        keywords = {name: _copied(value) for name, value in keywords.items()}
        return functools.partial(_reading_copies(func), *map(_copied, arguments), **keywords)
    if not isinstance(function, types.FunctionType):
        return function
    cells = function.__closure__ or ()
    copies = tuple(types.CellType(found.copy()) if _is_array(found := _content(cell)) else cell for cell in cells)
    used = {name: function.__globals__.get(name) for name in _names(function.__code__)}
    arrays = {name: value.copy() for name, value in used.items() if _is_array(value)}
    if not arrays and all(one is other for one, other in zip(copies, cells, strict=True)):
        return function
    names = {**function.__globals__, **arrays} if arrays else function.__globals__
    copy = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, copies)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _copied(value: Any) -> Any:
    return value.copy() if _is_array(value) else value


def _is_array(value: Any) -> TypeGuard[np.ndarray]:
    return isinstance(value, np.ndarray)


def _of_library(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).partition(".")[0] in LIBRARIES
