"""A memory of the configurations of a finite space that have been evaluated, so that none is paid for twice."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import Array, Domain

MOST_FLAGS = 2**16
UNROLLED = 16  # coordinates that are mixed in one turn of a loop


def flags(domain: Domain) -> int:
    """The number of flags of the memory: one per configuration of a finite space, at most `MOST_FLAGS`; 0 where some
    coordinate is continuous, since no real is met twice."""
    return min(math.prod(domain.cardinality), MOST_FLAGS) if domain.discrete.all() else 0


def nothing(domain: Domain) -> Array:
    """The memory `[F]` bool before any evaluation, for a space whose every configuration has a flag of its own; it is
    full once all of them have been visited. Empty where there are more than `MOST_FLAGS`, or infinitely many."""
    count = math.prod(domain.cardinality)
    if not domain.discrete.all() or count > MOST_FLAGS:
        return jnp.zeros(0, bool)
    if not domain.conditional:
        return jnp.zeros(count, bool)
    index = np.stack(np.unravel_index(np.arange(count), domain.cardinality), axis=-1)
    reachable = flag(domain.centre(jnp.asarray(index, jnp.int32)), domain)
    return jnp.ones(count, bool).at[reachable].set(False)  # flags that no configuration has count as visited


def flag(x: Array, domain: Domain) -> Array:
    """The flags `[...]` int32 of the points `[..., D]`; coordinates that do not matter make no difference.

    Exact up to `MOST_FLAGS` configurations. Beyond, configurations share flags: a few new ones pass for known.
    """
    index = jnp.where(domain.active(x), domain.index(x), 0)
    if math.prod(domain.cardinality) <= MOST_FLAGS:
        place = np.cumprod((1, *domain.cardinality[:0:-1]))[::-1].astype(np.int32)
        return jnp.sum(index * place.reshape((1,) * (x.ndim - 1) + (-1,)), axis=-1, dtype=jnp.int32)

    # Multiply and mix, one coordinate after the other (Knuth's multiplicative hashing by 2^32 / golden ratio).
    def mix(mixed: Array, index: Array) -> tuple[Array, None]:
        mixed = (mixed ^ index) * jnp.uint32(0x9E3779B1)
        return mixed ^ (mixed >> 15), None

    # A loop, so that the program does not grow with the coordinates; several in a turn, so that few
    # coordinates need none.
    columns = jnp.moveaxis(index, -1, 0).astype(jnp.uint32)
    mixed, _ = jax.lax.scan(mix, jnp.zeros_like(columns[0]), columns, unroll=min(UNROLLED, domain.size))
    return (mixed % MOST_FLAGS).astype(jnp.int32)


def first_new(visited: Array, proposals: Array, domain: Domain) -> tuple[Array, Array]:
    """The first of the proposals `[T, P, D]` that is not in the memory, the first of all where none is; and `[P]`
    bool whether it is new. Without a memory, always the first of all."""
    if not len(visited):
        return proposals[0], jnp.ones_like(proposals[0, :, 0], dtype=bool)
    known = visited[flag(proposals, domain)]
    chosen = jnp.argmin(known, axis=0)
    return jnp.take_along_axis(proposals, chosen[None, :, None], axis=0)[0], ~jnp.all(known, axis=0)


def visit(visited: Array, x: Array, domain: Domain) -> Array:
    """The memory after evaluating the points `[P, D]`."""
    return visited.at[flag(x, domain)].set(True) if len(visited) else visited
