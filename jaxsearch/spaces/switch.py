"""Conditional spaces: one of several branches, each a space of its own."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.domain import concatenate
from jaxsearch.core.pytree import pytree
from jaxsearch.core.types import Array, Domain, PyTree
from jaxsearch.spaces import codec
from jaxsearch.spaces.describe import describe, undescribe
from jaxsearch.spaces.dimensions import Choice, Dimension


@pytree
class Selected:
    """A decoded Switch: which branch was taken, and the parameters of every branch.

    index: int32, for `jax.lax.switch(selected.index, functions, ...)`, in the order of the branches.
    branches: the decoded branches by name; shapes never depend on values, so those not taken are there too.
    """

    index: Array
    branches: dict[str, PyTree]

    def __getitem__(self, name: str) -> PyTree:
        return self.branches[name]


@jax.tree_util.register_pytree_with_keys_class
class Switch(Dimension):
    """One of several named branches, each a space; decodes to `Selected`.

        >>> space = js.Switch(sgd={"momentum": js.Float(0.0, 0.8)}, adam={"b1": js.Float(0.8, 0.99)})
        >>> js.describe(space, js.decode(space, jnp.array([0.2, 0.5, 0.5])))
        {'sgd': {'momentum': 0.4}}

    Branches may hold further switches. Described in plain Python as `{"sgd": {"momentum": 0.9}}`.
    Raises ValueError without branches and for a branch that is not a space.
    """

    branches: dict[str, PyTree]

    def __init__(self, /, **branches: PyTree):
        if not branches:
            raise ValueError("Switch needs at least one branch; got none. Write e.g. Switch(sgd={...}, adam={...}).")
        for space in branches.values():
            codec.flatten(space)
        self.branches = branches

    def tree_flatten_with_keys(self):
        """For JAX: the branches, with their names."""
        children = [(jax.tree_util.DictKey(name), space) for name, space in self.branches.items()]
        return children, tuple(self.branches)

    @classmethod
    def tree_unflatten(cls, names, spaces):
        switch = object.__new__(cls)  # leaves may be tracers or placeholders: nothing to check
        switch.branches = dict(zip(names, spaces, strict=True))
        return switch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Switch) and list(self.branches.items()) == list(other.branches.items())

    __hash__ = None  # type: ignore[assignment]  # holds dicts

    def __repr__(self) -> str:
        return f"Switch({', '.join(f'{name}={space!r}' for name, space in self.branches.items())})"

    @property
    def _selector(self) -> Choice:
        return Choice(*self.branches)

    @property
    def domain(self) -> Domain:
        inner = [codec.domain(space) for space in self.branches.values()]
        joined = concatenate([self._selector.domain, *inner])
        value = [0] + [branch for branch, domain in enumerate(inner) for _ in range(domain.size)]
        root = [i > 0 and parent < 0 for i, parent in enumerate(joined.parent)]  # not yet under a condition
        return dataclasses.replace(
            joined,
            parent=tuple(0 if root[i] else parent for i, parent in enumerate(joined.parent)),
            branch=tuple(value[i] if root[i] else branch for i, branch in enumerate(joined.branch)),
        )

    def _split(self, x: Array) -> list[Array]:
        sizes = [codec.domain(space).size for space in self.branches.values()]
        return jnp.split(x[1:], np.cumsum(sizes)[:-1])

    def decode(self, x: Array) -> Selected:
        spaces = zip(self.branches.items(), self._split(x), strict=True)
        return Selected(
            self._selector.decode(x[:1]), {name: codec.decode(space, part) for (name, space), part in spaces}
        )

    def check(self) -> None:
        """Checks the branches."""
        for space in self.branches.values():
            codec.check(space)

    def encode(self, value: Selected) -> Array:
        if not isinstance(value, Selected):
            raise ValueError(
                f"encode takes what decode gives for a Switch; got {value!r:.200}. Use undescribe for plain values."
            )
        parts = [codec.encode(space, value.branches[name]) for name, space in self.branches.items()]
        return jnp.concatenate([self._selector.encode(value.index), *parts])

    def describe(self, value: Selected) -> Any:
        name = self._selector.describe(value.index)
        return {name: describe(self.branches[name], value.branches[name])}

    def undescribe(self, plain: Any) -> Selected:
        if not isinstance(plain, dict) or len(plain) != 1 or next(iter(plain)) not in self.branches:
            raise ValueError(
                f"A Switch takes {{branch: parameters}} with one of the branches {', '.join(self.branches)}; got "
                f"{plain!r}. Name exactly one of them."
            )
        ((name, inner),) = plain.items()
        values = {other: _midpoint(space) for other, space in self.branches.items()}
        values[name] = undescribe(self.branches[name], inner)
        return Selected(jnp.asarray(self._selector.undescribe(name)), values)


def _midpoint(space: PyTree) -> PyTree:
    return codec.decode(space, jnp.full(codec.domain(space).size, 0.5))
