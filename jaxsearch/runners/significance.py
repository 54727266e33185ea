"""Tests that only count which of two was lower, pair by pair; so they hold for losses of any distribution."""

import math
from collections.abc import Sequence

import numpy as np


def sign_test(wins: int, losses: int) -> float:
    """The two-sided p-value of the exact sign test: as many wins and losses in pairs of equals; ties do not count.

    References: Conover, Practical Nonparametric Statistics, 1999.
    """
    count, fewer = wins + losses, min(wins, losses)
    ways = sum(math.comb(count, k) for k in range(fewer + 1))
    return min(1.0, 2 * ways / 2**count)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """The p-values adjusted for their number: those below a level are wrong together with at most that probability.

    References: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scand. J. Statistics, 1979.
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted
