"""What a comparison of strategies gives back."""

import dataclasses
import functools
import itertools

import numpy as np

from jaxsearch.runners.significance import holm, sign_test

LEVEL = 0.05  # the probability that any verdict of a comparison of equals says "worse"


@dataclasses.dataclass(frozen=True, eq=False)
class Comparison:
    """The outcome of S strategies with N seeds each, after the same number E of evaluations; `print` it.

    names: of the strategies.
    curves: `[S, N, E]` the best loss so far after every evaluation; +inf before the first success.
    num_evaluations: `[S]` what each strategy was run for, whole generations; E is the smallest of them.
    target: the loss to meet, if one was given.
    """

    names: tuple[str, ...]
    curves: np.ndarray
    num_evaluations: np.ndarray
    target: float | None = None

    @property
    def evaluations(self) -> int:
        """E, the evaluations after which the strategies are compared."""
        return self.curves.shape[2]

    @property
    def losses(self) -> np.ndarray:
        """`[S, N]` the best loss of every run after E evaluations."""
        return self.curves[:, :, -1]

    @property
    def median(self) -> np.ndarray:
        """`[S]` the median over the seeds."""
        return np.median(self.losses, axis=1)

    @property
    def quartiles(self) -> np.ndarray:
        """`[S, 2]` the loss that a quarter, and that three quarters, of the seeds reach."""
        return np.quantile(self.losses, [0.25, 0.75], axis=1, method="inverted_cdf").T

    @property
    def evaluations_to_target(self) -> np.ndarray:
        """`[S, N]` the number of the evaluation that met the target; +inf where none of E did.

        Raises ValueError without a target.
        """
        if self.target is None:
            raise ValueError("evaluations_to_target needs a target; got None. Give one to compare.")
        met = self.curves <= np.asarray(self.target, self.curves.dtype)  # rounded like the losses
        return np.where(met[:, :, -1], np.argmax(met, axis=2) + 1, np.inf)

    @functools.cached_property
    def wins(self) -> np.ndarray:
        """`[S, S]` the number of seeds with which the strategy of the row ended below that of the column."""
        return np.sum(self.losses[:, None] < self.losses[None], axis=2)

    @functools.cached_property
    def p_values(self) -> np.ndarray:
        """`[S, S]` of the exact sign test over the pairs with the same seed, by Holm's method for all S(S-1)/2."""
        pairs = list(itertools.combinations(range(len(self.names)), 2))
        result = np.ones(self.wins.shape)
        adjusted = holm([sign_test(int(self.wins[pair]), int(self.wins[pair[::-1]])) for pair in pairs])
        for (i, j), p in zip(pairs, adjusted, strict=True):
            result[i, j] = result[j, i] = p
        return result

    @property
    def won(self) -> np.ndarray:
        """`[S]` the share of pairs with all others that a strategy won, ties half."""
        count = (len(self.names) - 1) * self.losses.shape[1]
        return (self.wins.sum(axis=1) - self.wins.sum(axis=0)) / (2 * count) + 0.5

    @property
    def order(self) -> list[int]:
        """The strategies from the best: by the share of pairs won, then by the median loss."""
        return sorted(range(len(self.names)), key=lambda i: (-self.won[i], self.median[i]))

    @property
    def best(self) -> str:
        """The name of the strategy that won most pairs."""
        return self.names[self.order[0]]

    @property
    def as_good(self) -> tuple[str, ...]:
        """The names of the others that are not distinguishable from the best."""
        first, *others = self.order
        worse = (self.p_values[first] <= LEVEL) & (self.wins[first] > self.wins[:, first])
        return tuple(self.names[i] for i in others if not worse[i])

    def __str__(self) -> str:
        header = ["strategy", "evaluations", "median", "quartiles", "pairs won", "verdict"]
        header[2:2] = [] if self.target is None else ["met target", "median evaluations to it"]
        rows = [header, *(self._row(i) for i in self.order)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        others = f"not distinguishable from it: {', '.join(self.as_good)}" if self.as_good else "all others are worse"
        return "\n".join(
            [
                f"The best loss after {self.evaluations:,} evaluations, {self.losses.shape[1]} seeds:",
                *lines,
                f"Best: {self.best}; {others} ({LEVEL:.0%} level, sign test over the seeds, Holm).",
            ]
        )

    def _row(self, i: int) -> list[str]:
        first, (low, high) = self.order[0], self.quartiles[i]
        worse = f"worse, p = {self.p_values[first, i]:.2g}"
        verdict = "best" if i == first else "as good" if self.names[i] in self.as_good else worse
        row = [self.names[i], f"{self.num_evaluations[i]:,}", f"{self.median[i]:.4g}", f"{low:.4g} to {high:.4g}"]
        if self.target is not None:
            spent = self.evaluations_to_target[i]
            row[2:2] = [f"{np.mean(np.isfinite(spent)):.0%}", f"{np.median(spent):,.0f}"]
        return [*row, f"{self.won[i]:.0%}", verdict]
