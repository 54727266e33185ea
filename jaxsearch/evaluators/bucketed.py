"""Work on the rows of a population, chunk by chunk, each at the smallest static size that its rows fit into."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core.types import Array, PyTree


def in_buckets(
    run: Callable[[Array, PyTree, PyTree], PyTree],
    num_sizes: int,
    size: Array,
    cost: Array,
    active: Array,
    rows: PyTree,
    pool: PyTree,
    chunk_size: int,
) -> PyTree:
    """`pool` `[P, ...]` after a run of the chunks in which its active rows fall, in one compiled loop.

    All rows of a chunk are of one size, so that a row's result does not depend on its neighbours; among those of a size
    they are sorted by cost, so that a chunk's rows need about the same work.

    run: maps the size of a chunk and the chunk of `rows` and of `pool` to the new chunk of `pool`.
    size: `[P]` int32 below `num_sizes`, the number of the size of each row. cost: `[P]`, its work, in any unit.
    active: `[P]` bool, the rows to run; the others stay as they are.
    """
    order = jnp.lexsort((cost, size, ~active))
    count = jnp.bincount(jnp.where(active, size, num_sizes), length=num_sizes).astype(jnp.int32)
    first_row = jnp.cumsum(count) - count
    chunks = (count + chunk_size - 1) // chunk_size
    end = jnp.cumsum(chunks)

    def chunk(number: Array, pool: PyTree) -> PyTree:
        turn = jnp.sum(number >= end, dtype=jnp.int32)  # the size whose turn it is
        place = number - (end - chunks)[turn]
        # The last chunk of a size is filled up with its last row, whose result is then written several times over.
        within = jnp.minimum(place * chunk_size + jnp.arange(chunk_size, dtype=jnp.int32), count[turn] - 1)
        slots = order[first_row[turn] + within]
        part = jax.tree.map(lambda leaf: leaf[slots], (rows, pool))
        return jax.tree.map(lambda leaf, new: leaf.at[slots].set(new), pool, run(turn, *part))

    return jax.lax.fori_loop(0, end[-1], chunk, pool)


def worthwhile(model: Any, flops: float) -> tuple[Any, ...]:
    """The smaller versions of a model that save more than their compilation takes, on a CPU.

    flops: of the whole search if every candidate ran at the largest size. Measured for the MLP on two cores: 1.5e11 of
    them a second, a second of compilation for each size, two fifths of the time saved by the half and three fifths by
    all sizes.
    """
    smaller, seconds = model.smaller(), flops / 1.5e11
    return smaller if seconds > 12 else smaller[len(smaller) // 2 :][:1] if seconds > 3 else ()


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
