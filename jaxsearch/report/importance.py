"""Which parameters decide whether a trial is among the best."""

import jax
import numpy as np

from jaxsearch.core.types import PyTree
from jaxsearch.report.one_budget import at_one_budget
from jaxsearch.report.parameters import Parameter, parameters
from jaxsearch.runners.archive import Archive

CELLS = 64  # of a coordinate with an order, for its density


def importance(archive: Archive, space: PyTree, *, share: float = 0.1) -> dict[str, float]:
    """How much each parameter alone matters for being among the best trials: shares that add up to 1, by name.

        v_d = (N_best / N)^2 sum_x (p(x) - q(x))^2 / q(x)     the variance over x of how likely a trial is a best one

    with the densities p of the best trials and q of all trials along parameter d, by the same kernel: a Gaussian with
    the width of Scott's rule for p, or none for options without an order (PED-ANOVA in the region that was searched).
    Three things differ from the paper. From v_d goes what a random choice of as many trials gives on average, so that a
    parameter that does not matter gets about 0, however few the trials. A failed trial counts as one of the worst. And
    a parameter inside a branch counts with the trials that took the branch, in proportion to these.

    After trainings of different lengths, as of `Halving`, the losses and the trials are those of `at_one_budget`.

    What only matters together with other parameters is not seen. All shares are 0 if nothing can be told, e.g. since
    all losses are equal.

    Args:
        archive: the trials. space: where they lie.
        share: of the trials that count as the best, in (0, 1); those equal to the last of them are among them.

    Raises:
        ValueError: for another share.

    References: Watanabe, Bansal, Hutter, PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary
        Subspaces, IJCAI 2023.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1; got {share!r}. Try 0.1.")
    seen = at_one_budget(archive)
    archive, loss = jax.tree.map(lambda leaf: np.asarray(leaf)[seen.there], archive), seen.loss[seen.there]
    if not len(loss):
        return {}
    limit = np.sort(loss)[int(np.ceil(share * len(loss))) - 1]
    best = (loss <= limit) & (loss < np.inf)
    variances = {one.name: _variance(one, best) for one in parameters(archive, space)}
    total = sum(variances.values())
    return {name: variance / total if total > 0 else 0.0 for name, variance in variances.items()}


def _variance(parameter: Parameter, best: np.ndarray) -> float:
    active = ~np.isnan(parameter.position)
    count, num_best = int(np.sum(active)), int(np.sum(active & best))
    if not 0 < num_best < count:
        return 0.0
    num_cells = len(parameter.options) or CELLS
    cell = np.minimum((np.where(active, parameter.position, 0) * num_cells).astype(int), num_cells - 1)
    kernel = np.eye(num_cells) if parameter.options else _kernel(parameter.position[active & best])
    all_trials = np.bincount(cell[active], minlength=num_cells) / count
    q = kernel @ all_trials
    p = kernel @ np.bincount(cell[active & best], minlength=num_cells) / num_best
    seen = q > 1e-12  # p / q is at most count / num_best, since the best are some of all
    p, q, squared = p[seen], q[seen], (kernel**2 @ all_trials)[seen]
    # The variance of the mean of a sample drawn without replacement.
    by_chance = np.sum((squared - q**2) / q) * (count - num_best) / (count - 1) / num_best
    divergence = max(float(np.sum((p - q) ** 2 / q) - by_chance), 0.0)
    return count / len(best) * (num_best / count) ** 2 * divergence


def _kernel(position: np.ndarray) -> np.ndarray:
    """`[CELLS, CELLS]`, how what lies in the cell of a column spreads over the cells, for a density of these points."""
    quartiles = np.quantile(position, [0.25, 0.75])
    deviation = np.std(position)
    robust = min(deviation, (quartiles[1] - quartiles[0]) / 1.34) or deviation
    width = max(1.059 * robust * len(position) ** -0.2, 1 / CELLS)  # Scott's rule
    place = (np.arange(CELLS) + 0.5) / CELLS
    kernel = np.exp(-0.5 * ((place[:, None] - place[None]) / width) ** 2)
    return kernel / kernel.sum(axis=0, keepdims=True)
