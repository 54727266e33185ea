"""Trials at one and the same budget: after few epochs and after many a loss tells different things."""

from typing import NamedTuple

import numpy as np

from jaxsearch.report.population import budget_of
from jaxsearch.runners.archive import Archive


class AtOneBudget(NamedTuple):
    """The trials as they were measured at one budget.

    loss: `[N]`, the losses there, +inf for those that failed. there: `[N]` bool, the trials that were measured there.
    words: which budget that is, e.g. "after 8 epochs, which all 256 trials reached"; "" where nobody chose the budgets.
    """

    loss: np.ndarray
    there: np.ndarray
    words: str


def at_one_budget(archive: Archive) -> AtOneBudget:
    """The trials at the largest budget that at least half of them reached, or else at that which most of them reached.

    That matters after `Halving`, which measures a trial at the end of each rung that it is in, and where candidates go
    on from generation to generation, as with `PBT`. Everywhere else all trials count with their losses: an `epochs` of
    the space is a parameter of the trial. Trials that were not trained at all, since their model is beyond the limits,
    count as failed.
    """
    loss = np.asarray(archive.loss, float)
    measured = _measured(archive, loss)
    if measured is None or not np.any(measured[0] > 0):
        return AtOneBudget(_finite(loss), np.full(len(loss), True), "")
    epochs, losses = measured
    reached = epochs > 0
    trained = np.any(reached, axis=1)
    counts = np.sum(reached, axis=0)
    enough = np.flatnonzero(counts >= np.sum(trained) / 2)
    # Among equals the last, which is the largest budget.
    column = int(enough[-1]) if len(enough) else len(counts) - 1 - int(np.argmax(counts[::-1]))
    here = reached[:, column]
    words = _in_words(epochs[here, column], int(np.sum(trained)))
    return AtOneBudget(_finite(losses[:, column]), here | ~trained, words)


def _measured(archive: Archive, loss: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The budgets `[N, B]`, in ascending order, 0 where there is no measurement, and the losses `[N, B]` there."""
    aux = archive.aux if isinstance(archive.aux, dict) else {}
    if "curve" in aux and "curve_epochs" in aux:
        return np.asarray(aux["curve_epochs"]), np.asarray(aux["curve"], float)
    budget = budget_of(archive)
    if budget is None or (archive.origin is None and archive.budget is None):
        return None
    levels = np.unique(budget[budget > 0])
    there = budget[:, None] == levels
    return np.where(there, budget[:, None], 0), np.where(there, loss[:, None], np.nan)


def _finite(loss: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(loss), loss, np.inf)


def _in_words(epochs: np.ndarray, trained: int) -> str:
    low, high = int(np.min(epochs)), int(np.max(epochs))
    spent = f"{low:,} epoch{'s' * (low != 1)}" if low == high else f"{low:,} to {high:,} epochs, the same share of all"
    who = f"all {trained:,}" if len(epochs) == trained else f"{len(epochs):,} of {trained:,}"
    return f"after {spent}, which {who} trials reached"
