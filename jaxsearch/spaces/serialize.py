"""Spaces as JSON text, and back."""

import json
import math
from typing import Any

import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.spaces.dimensions import Choice, Float, Int
from jaxsearch.spaces.switch import Switch


def to_json(space: PyTree) -> str:
    """A space of dicts, lists and tuples as JSON text.

        >>> js.to_json({"layers": js.Choice(1, 2)})
        '{"dict": [["layers", {"Choice": [1, 2]}]]}'

    Raises ValueError for other containers and for options that JSON cannot hold.
    """
    return json.dumps(_pack(space), allow_nan=False)


def from_json(text: str) -> PyTree:
    """The space that `to_json` wrote. Raises ValueError for text that is not such JSON."""
    try:
        return _unpack(json.loads(text))
    except (TypeError, KeyError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"The text must come from to_json; {error}. Write it again with to_json.") from None


# A container or dimension becomes {"its name": content}; plain JSON values stand for themselves.
def _pack(node: Any) -> Any:
    match node:
        case Float() | Int():
            bounds = {"low": node.low, "high": node.high}
            if isinstance(node, Float):
                bounds = {name: np.asarray(bound, float).tolist() for name, bound in bounds.items()}
            fields = {**bounds, "log": node.log, "shape": list(node.shape)}
            return {type(node).__name__: fields}
        case Choice():
            return {"Ordered" * node.ordered + "Choice": [_pack(option) for option in node.options]}
        case Switch():
            return {"Switch": [[name, _pack(space)] for name, space in node.branches.items()]}
        case dict():
            return {"dict": [[_pack(name), _pack(value)] for name, value in node.items()]}
        case _ if type(node) in (list, tuple):
            return {type(node).__name__: [_pack(value) for value in node]}
        case float() if not math.isfinite(node):
            return {"float": str(node)}
        case _ if node is None or type(node) in (bool, int, float, str):
            return node
    raise ValueError(
        f"JSON holds dicts, lists, tuples, numbers, strings, True, False and None; got {node!r}. "
        "Name it with a string and look the object up in the objective."
    )


def _unpack(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if len(node) != 1:
        raise ValueError(f"The text must come from to_json; it has an object with {len(node)} names. Write it again.")
    ((kind, content),) = node.items()
    match kind:
        case "Float" | "Int":
            make = Float if kind == "Float" else Int
            return make(content["low"], content["high"], log=content["log"], shape=tuple(content["shape"]))
        case "Choice" | "OrderedChoice":
            return Choice(*map(_unpack, content), ordered=kind == "OrderedChoice")
        case "Switch":
            return Switch(**{name: _unpack(space) for name, space in content})
        case "dict":
            return {_unpack(name): _unpack(value) for name, value in content}
        case "list" | "tuple":
            return (list if kind == "list" else tuple)(map(_unpack, content))
        case "float":
            return float(content)
    raise ValueError(f"The text must come from to_json; it names {kind!r}. Write it again with to_json.")
