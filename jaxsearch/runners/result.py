"""What a search gives back."""

import jax.numpy as jnp
import numpy as np

from jaxsearch.core.pytree import pytree, static
from jaxsearch.core.types import Array, PyTree
from jaxsearch.runners.archive import Archive
from jaxsearch.runners.generation import MOST_COUNTED, Progress
from jaxsearch.spaces import codec


@pytree
class Result:
    """The outcome of a search; a pytree, with a leading axis under `vmap`.

    params: the best configuration, decoded; `describe(space, result.params)` for plain Python.
    loss: `[]` its loss; +inf if no evaluation succeeded. Rounded to the default float dtype, while `trials` has the
        losses of a `Callback` as doubles.
    x: `[D]` its point in the unit cube.
    aux: what the evaluator adds about the best candidate, its row of `Results.aux`, e.g. of `Training` and `Halving`
        the `folds` `[K]` whose mean is the loss and the `epochs` `[]` at which they were measured, to be given to
        `fit`; None if the evaluator adds nothing, as a plain objective.
    num_generations: `[]` int32, generations that ran; fewer than asked for if the search stopped early.
    num_evaluations: `[]` int32, candidates evaluated. Beyond 2**31 - 1, `search` gives an int64 of NumPy;
        `minimize` stops counting there.
    num_failed: `[]` int32, evaluations whose loss was NaN or infinite; 2**31 - 1 stands for any more.
    exhausted: `[]` bool, whether every configuration of a finite space has been evaluated; False where there are more
        than 65,536 of them.
    history: what was recorded, leading axis the generations; by default the loss of the best so far. Its length is
        static: entries from `num_generations` on repeat the last one.
    state: the strategy's last state, to go on with `ask` and `tell`.
    stopped: why `search` ended: "target", "generations", "evaluations", "time", "patience", "exhausted", "callback",
        "interrupt" or "terminate"; None from `minimize`, which cannot know it at trace time.
    reason: which strategy "auto" was, and why; None if you chose it.
    archive, space: every candidate that `search` evaluated, and where they lie, see `trials`; None from `minimize`.
    """

    params: PyTree
    loss: Array
    x: Array
    num_generations: Array
    num_evaluations: Array
    num_failed: Array
    exhausted: Array
    history: PyTree
    state: PyTree
    stopped: str | None = static(default=None)
    reason: str | None = static(default=None)
    archive: Archive | None = None
    space: PyTree = None
    aux: PyTree = None

    def trials(self) -> dict[str, np.ndarray]:
        """The table of all trials, a column `[N]` for each name, see `Archive.table`; `pandas.DataFrame` takes it.

        Raises ValueError if the search kept no archive.
        """
        if self.archive is None:
            raise ValueError(
                "The trials need a search with archive=True; this one kept none. In minimize, use record instead."
            )
        return self.archive.table(self.space)


def result_of(progress: Progress, space: PyTree, population_size: int, history: PyTree) -> Result:
    """The result of a search that got as far as `progress`."""
    most = MOST_COUNTED // population_size
    evaluations = jnp.minimum(progress.generation, most) * population_size
    return Result(
        params=codec.decode(space, progress.best.x),
        loss=progress.best.loss,
        x=progress.best.x,
        aux=progress.best.aux,
        num_generations=progress.generation,
        num_evaluations=jnp.where(progress.generation > most, MOST_COUNTED, evaluations),
        num_failed=progress.num_failed,
        exhausted=progress.exhausted,
        history=history,
        state=progress.strategy,
    )
