"""What every population needs: its size, its first sample, and constants that JAX lets into any loop."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core import random
from jaxsearch.core.pytree import as_integer
from jaxsearch.core.types import Array, Domain, Key, PyTree


def check_size(population_size: Any, at_least: int = 1) -> int | None:
    """The size; raises ValueError unless it is None (the default for the dimension) or an integer >= `at_least`."""
    return None if population_size is None else check_count("population_size", population_size, at_least)


def check_count(
    name: str,
    count: Any,
    at_least: int = 1,
    remedy: str = "Leave it out for the default.",
    counted_by_jax: bool = True,
) -> int:
    """The count as a Python integer; raises ValueError, naming it, unless it is an integer >= `at_least`.

    Integers of NumPy and JAX are as good as those of Python. remedy: what the message ends with. counted_by_jax:
    whether it must be below 2**31, too.
    """
    integer = as_integer(count)
    if integer is None or integer < at_least:
        raise ValueError(f"{name} must be an integer of at least {at_least}; got {count!r}. {remedy}")
    if counted_by_jax and integer >= 2**31:
        raise ValueError(f"{name} must be below 2**31; got {count!r}. {remedy}")
    return integer


def uniform(key: Key, size: int, domain: Domain) -> Array:
    """`[size, D]` points drawn uniformly from the unit cube."""
    return random.uniform(key, (size, domain.size))


def zero_of(key: Key) -> Array:
    """`[]` 0.0 in the default float dtype, typed as varying where the key varies, see `varying`.

    It reads the key without a draw, so the key is still good for one.
    """
    word = jax.random.key_data(key).reshape(-1)[0]
    return jnp.zeros_like(word, dtype=jnp.result_type(float))


def separate(tree: PyTree) -> PyTree:
    """The same values, no two of them in one buffer, so that all of them can be donated to a program.

    Outside of `jit` a state that names an array twice holds one buffer for both.
    """
    known = set()

    def own(leaf: Any) -> Any:
        if id(leaf) in known:
            return jnp.copy(leaf)
        known.add(id(leaf))
        return leaf

    return jax.tree.map(own, tree)


def varying(tree: PyTree, reference: Array) -> PyTree:
    """The same values, but typed as varying over the mesh axes over which `reference` varies.

    A loop inside `shard_map` rejects a constant that turns into per-device data; see the rule about `*_like`
    constants. Outside of `shard_map` this changes nothing.
    """
    zero = jnp.zeros_like(reference).reshape(-1)[0]

    def vary(leaf: Array) -> Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jnp.where(zero == 0, leaf, leaf)
        return leaf + zero.astype(leaf.dtype)

    return jax.tree.map(vary, tree)
