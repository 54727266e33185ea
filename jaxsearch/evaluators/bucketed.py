"""Work on the rows of a population, chunk by chunk, each chunk at the smallest static size that its rows fit into."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array, PyTree


def in_buckets(
    run: Callable[[Array, PyTree, PyTree], PyTree],
    size: Array,
    cost: Array,
    active: Array,
    rows: PyTree,
    pool: PyTree,
    chunk_size: int,
) -> PyTree:
    """`pool` `[P, ...]` after a run of the chunks in which its active rows fall, in one compiled loop.

    The rows are sorted by size, then by cost, so that those of a chunk need about the same work.

    run: maps the largest size in a chunk and the chunk of `rows` and of `pool` to the new chunk of `pool`.
    size: `[P]` int32, the number of the smallest size that a row fits into; it also fits into those after it.
    cost: `[P]`, the work of a row, in any unit. active: `[P]` bool, the rows to run; the others stay as they are.
    """
    order = jnp.lexsort((cost, size, ~active))
    num_active = jnp.sum(active, dtype=jnp.int32)

    def chunk(number: Array, pool: PyTree) -> PyTree:
        # The last chunk is filled up with its last row, whose result is then written several times over.
        places = jnp.minimum(number * chunk_size + jnp.arange(chunk_size, dtype=jnp.int32), num_active - 1)
        chosen = order[places]
        part = jax.tree.map(lambda leaf: leaf[chosen], (rows, pool))
        new = run(jnp.max(size[chosen]), *part)
        return jax.tree.map(lambda leaf, part: leaf.at[chosen].set(part), pool, new)

    return jax.lax.fori_loop(0, (num_active + chunk_size - 1) // chunk_size, chunk, pool)


def needs(models: Sequence[Any], space: PyTree, params: PyTree) -> tuple[Array, Array]:
    """`[P]`, the number of the first of the models that each candidate fits into, and the FLOPs of a row in its own.

    models: versions of one, the largest last, which all candidates fit into. A network that knows no sizes is one.
    """
    *smaller, largest = models
    if not hasattr(largest, "flops"):
        count = len(jax.tree.leaves(params)[0])
        return jnp.zeros(count, jnp.int32), jnp.ones(count)

    def one(params: PyTree) -> tuple[Array, Array]:
        architecture = largest.complete(space, params)
        fits = [model.fits(architecture) for model in smaller]
        return jnp.argmax(jnp.stack([*fits, jnp.array(True)])).astype(jnp.int32), largest.flops(architecture)

    return jax.vmap(one)(params)
