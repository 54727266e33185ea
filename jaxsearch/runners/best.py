"""The best candidate of a search, and what is known of it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsearch.core import ranking
from jaxsearch.core.types import Array, Candidates, PyTree, Results


class Best(NamedTuple):
    """The best candidate so far: the first with the lowest loss, adjusted if `Results` has it so.

    x: `[D]`. loss: `[]`, +inf before the first success. remainder: `[]`, what rounding took from the loss, see
    `Results`; 0 where nobody knows. aux, adjusted_loss: its row of what `Results` has, without the leading axis; None
    if the evaluator gives none. Before the first success the floats of aux are NaN and the rest 0.
    """

    x: Array
    loss: Array
    remainder: Array
    aux: PyTree = None
    adjusted_loss: Array | None = None

    @property
    def compared(self) -> Array:
        """`[]`, what it is compared with others by, as in `Results`."""
        return self.loss if self.adjusted_loss is None else self.adjusted_loss

    def update(self, candidates: Candidates, results: Results) -> "Best":
        loss = results.compared
        remainder = jnp.zeros_like(loss) if results.remainder is None else results.remainder
        order = loss if results.remainder is None else jnp.where(loss == jnp.min(loss), remainder, jnp.inf)
        # An index of shape [1], a gather: of points on many devices XLA moves the best, not all to each of them.
        index = ranking.lowest(order)[None]
        aux = None if self.aux is None else results.aux
        rows = Best(candidates.x, results.loss, remainder, aux, results.adjusted_loss)
        new = jax.tree.map(lambda leaf: leaf[index][0], rows)
        equal = (new.compared == self.compared) & (new.remainder < self.remainder)
        better = (new.compared < self.compared) | (equal & jnp.isfinite(new.compared))
        return jax.tree.map(lambda now, before: jnp.where(better, now, before), new, self)


def unknown(shapes: PyTree, count: int) -> PyTree:
    """A row of arrays with these shapes that nobody has measured yet: NaN, and 0 for what is no float.

    Raises ValueError for an array without a row for every candidate.
    """

    def row(path: tuple, like: jax.ShapeDtypeStruct) -> Array:
        if like.shape[:1] != (count,):
            raise ValueError(
                f"Every array in Results.aux must have a row for each of the {count} candidates; "
                f"aux{jax.tree_util.keystr(path)} has shape {like.shape}. Repeat what all have in common."
            )
        value = jnp.nan if jnp.issubdtype(like.dtype, jnp.inexact) else 0
        return jnp.full(like.shape[1:], value, like.dtype)

    return jax.tree_util.tree_map_with_path(row, shapes)
