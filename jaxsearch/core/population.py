"""What every population needs: its size, its first sample, and constants that JAX lets into any loop."""

import jax
import jax.numpy as jnp

from jaxsearch.core import random
from jaxsearch.core.types import Array, Domain, Key, PyTree


def check_size(population_size: int | None, at_least: int = 1) -> None:
    """Raises ValueError unless the size is None (the default for the dimension) or an integer >= `at_least`."""
    if population_size is not None:
        check_count("population_size", population_size, at_least)


def check_count(name: str, count: int, at_least: int = 1) -> None:
    """Raises ValueError, naming the hyperparameter, unless `count` is an integer >= `at_least`, and below 2**31."""
    if isinstance(count, bool) or not isinstance(count, int) or count < at_least:
        raise ValueError(
            f"{name} must be an integer of at least {at_least}; got {count!r}. Leave it out for the default."
        )
    if count >= 2**31:
        raise ValueError(f"{name} must be below 2**31; got {count!r}. Leave it out for the default.")


def uniform(key: Key, size: int, domain: Domain) -> Array:
    """`[size, D]` points drawn uniformly from the unit cube."""
    return random.uniform(key, (size, domain.size))


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
