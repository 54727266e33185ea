"""Gradients of black boxes by forward differences, every evaluation of which is counted."""

from collections.abc import Callable

import numpy as np

NOISE = np.finfo(float).eps  # of a loss, relative to its size
EVERY = 6  # gradients between two tests of the step


class ForwardDifferences:
    """Losses and gradients of one function on a box, D + 1 evaluations each, by steps that suit it.

    The error of a difference is least where the rounding of the loss and the curvature of the function weigh the same.
    Every sixth gradient spends one more evaluation to see which of the two is larger along one coordinate, and makes
    the common step 4 times longer or shorter.
    References: Shi, Xie, Xuan, Nocedal, Adaptive Finite-Difference Interval Estimation for Noisy Derivative-Free
        Optimization, SIAM Journal on Scientific Computing, 2022 (the ratio and its bounds 1.5 and 6).
    """

    def __init__(self, f: Callable[[np.ndarray], np.ndarray], high: float):
        """f: from points `[n, D]` to losses `[n]`. high: the upper bound of every coordinate."""
        self.f, self.high = f, high
        self.step, self.gradients = NOISE**0.5, 0

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All losses `[D + 1]` or `[D + 2]` in the order of evaluation, that of `x` `[D]` first; and the gradient."""
        dimension = len(x)
        steps = self.step * np.maximum(1, np.abs(x))
        steps = np.where(x + 4 * steps > self.high, -steps, steps)
        shifts = np.concatenate([np.zeros((1, dimension)), np.diag(steps)])
        self.gradients += 1
        tested = self.gradients % EVERY == 0
        coordinate = self.gradients // EVERY % dimension
        if tested:
            shifts = np.concatenate([shifts, 4 * shifts[1 + coordinate][None]])
        values = np.asarray(self.f(np.ascontiguousarray(x + shifts)), float)
        if tested:
            bend = abs(values[-1] - 4 * values[1 + coordinate] + 3 * values[0])
            ratio = bend / (8 * NOISE * max(abs(values[0]), np.finfo(float).tiny))
            change = 4.0 if ratio < 1.5 else 0.25 if ratio > 6 else 1.0
            self.step = min(max(self.step * change, 1e-13), 1e-4)
        return values, (values[1 : dimension + 1] - values[0]) / steps
