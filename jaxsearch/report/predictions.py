"""What predictions for rows that a model has not seen say about it, as plain numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # of the quantiles
MOST_POINTS = 500  # of a regression's figure


def classification(predicted: np.ndarray, y: np.ndarray, num_classes: int) -> dict[str, Any]:
    """The confusion, recall and precision of the classes `predicted` `[n]` where `y` `[n]` are right."""
    pairs, counts = np.unique(np.stack([y, predicted], axis=1), axis=0, return_counts=True)
    right = np.bincount(y[y == predicted], minlength=num_classes)
    members, said = (np.bincount(some, minlength=num_classes) for some in (y, predicted))
    return {
        "confusion": np.column_stack([pairs, counts]).tolist(),
        "recall": [int(hit) / int(all_) if all_ else None for hit, all_ in zip(right, members, strict=True)],
        "precision": [int(hit) / int(all_) if all_ else None for hit, all_ in zip(right, said, strict=True)],
    }


def regression(predicted: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """The values `predicted` `[n]` beside the right ones `y` `[n]`, of some rows, and the residuals of all."""
    residual = predicted.astype(float) - y
    order = np.argsort(-np.abs(residual), kind="stable")
    rows = order
    if len(order) > MOST_POINTS:
        far, rest = order[: MOST_POINTS // 5], np.sort(order[MOST_POINTS // 5 :])
        even = np.linspace(0, len(rest) - 1, MOST_POINTS - len(far)).astype(int)
        rows = np.concatenate([far, rest[even]])
    rows = np.sort(rows)
    return {
        "true": plain(y[rows]),
        "predicted": plain(predicted[rows]),
        "residual_quantiles": plain(np.quantile(residual, SHARES)),
    }


def permutation_importance(
    loss: Callable[[np.ndarray], float],
    x: np.ndarray,
    features: list[np.ndarray],
    random: np.random.Generator,
    num_permutations: int,
) -> np.ndarray:
    """`[columns, num_permutations]`, by how much the loss grows where a column no longer belongs to its row.

    Args:
        loss: maps rows `[n, F]` to the loss of the predictions for them.
        x: `[n, F]`, the rows.
        features: for each column the places of its features in x, which go together.
        random: for the permutations.
        num_permutations: of each column.

    References: Breiman, Random Forests, Machine Learning, 2001.
    """
    without = loss(x)
    result = np.zeros((len(features), num_permutations))
    for column, places in enumerate(features):
        for number in range(num_permutations):
            changed = x.copy()
            changed[:, places] = x[random.permutation(len(x))][:, places]
            result[column, number] = loss(changed) - without
    return result


def plain(values: np.ndarray) -> list[float | None]:
    """As JSON has them: with six digits, None for what is not finite."""
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values]
