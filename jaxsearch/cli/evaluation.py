"""evaluation.json: what the best network makes of the held-out rows, and what the data are.

The report draws it without the data. It is plain JSON, an object with

* `format`: 1.
* `data`: `name`, `task`, `target`, `group`, `rows`, `test_rows`, `shape` of a row, `notes`, `dropped` columns, and
  `columns`, a list of objects with `name`, `counts_as`, `features` (how many it became) and `missing` (the share of
  the rows, null for columns without features).
  For classification also `classes`, a list of objects with `name`, `rows` and `test_rows`; for regression
  `target_quantiles`, those at 0, 5, 25, 50, 75, 95 and 100 %.
* `scores`: the metric of the run and others of its task on the held-out rows, each in its own unit.
* `classification`: `confusion`, a list of `[class, predicted class, rows]` with at least a row, classes by their place
  in `data.classes`; `recall` and `precision`, a number or null for each class.
* `regression`: `true` and `predicted` of at most 500 held-out rows, the largest residuals and an even share of the
  others; `residual_quantiles` of all of them, predicted - true, at the same shares as above.
* `importance`: `metric`, `rows`, `permutations`, `skipped` (why there is none, or null) and `columns`, a list of
  objects with `name` and `increases`, by how much the metric's loss grows in each permutation of the column.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsearch.cli.options import Options
from jaxsearch.core.types import Key
from jaxsearch.evaluators.fitted import Fitted
from jaxsearch.evaluators.metrics import Metric, metrics
from jaxsearch.problems.datasets import Table
from jaxsearch.problems.descriptions import MEASURED
from jaxsearch.report.predictions import SHARES, classification, permutation_importance, plain, regression
from jaxsearch.runners.files import replace

EVALUATION = "evaluation.json"
FORMAT = 1
OTHERS = ("error", "balanced_error", "cross_entropy", "rmse", "mae", "r2")  # metrics that are told beside that of a run
NUM_PERMUTATIONS = 10  # of each column
MOST_COLUMNS = 256  # that are permuted: more are pixels, of which one says little
MOST_ROWS = 2000  # that are predicted for each permutation


def write_evaluation(
    directory: Path,
    table: Table,
    test: np.ndarray,
    fitted: Fitted,
    metric: Metric,
    options: Options,
    key: Key,
) -> list[str]:
    """Writes evaluation.json of a run into its directory; returns its name, or nothing if that goes wrong.

    key: with which the network was trained; the permutations get one of their own. The others as in `evaluation`.
    """
    path = directory / EVALUATION
    path.unlink(missing_ok=True)  # of a run that went on
    random = np.random.default_rng(np.asarray(jax.random.key_data(jax.random.fold_in(key, 1))))
    names = {"target": options.target, "group": options.group, "dropped": options.drop}
    try:
        found = evaluation(table, test, fitted, metric, random, **names)
        replace(path, (json.dumps(found, indent=1, allow_nan=False) + "\n").encode())
    except Exception as error:  # whatever becomes of it, the result is there
        print(f"{EVALUATION} could not be written: {' '.join(str(error).split())}", file=sys.stderr)
        return []
    return [EVALUATION]


def evaluation(
    table: Table,
    test: np.ndarray,
    fitted: Fitted,
    metric: Metric,
    random: np.random.Generator,
    *,
    target: str | None = None,
    group: str | None = None,
    dropped: tuple[str, ...] = (),
) -> dict[str, Any]:
    """What evaluation.json holds, see above.

    Args:
        table: all rows.
        test: `[n]` bool, those that neither the search nor the network has seen.
        fitted: the network.
        metric: that of the search, for the importance of the columns.
        random: for the permutations.
        target: the name of the column that was predicted, if it has one.
        group: the column whose values stay together.
        dropped: columns that were left out by the user.
    """
    outputs = np.asarray(fitted.predict(table.x[test]))
    y = table.y[test]
    found: dict[str, Any] = {
        "format": FORMAT,
        "data": {"target": target, "group": group, "dropped": list(dropped), **_data(table, test)},
        "scores": _scores(metric, outputs, y),
    }
    if table.classes:
        found["classification"] = classification(outputs.argmax(1), y, len(table.classes))
    else:
        found["regression"] = regression(outputs, y)
    found["importance"] = _importance(table, test, fitted, metric, random)
    return found


def _data(table: Table, test: np.ndarray) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": table.name,
        "task": table.task,
        "rows": len(table.y),
        "test_rows": int(np.sum(test)),
        "shape": list(table.x.shape[1:]),
        "notes": list(table.notes),
        "columns": _columns(table),
    }
    if table.classes:
        count = len(table.classes)
        rows, of_test = (np.bincount(y, minlength=count).tolist() for y in (table.y, table.y[test]))
        found["classes"] = [
            {"name": name, "rows": all_, "test_rows": some}
            for name, all_, some in zip(table.classes, rows, of_test, strict=True)
        ]
    else:
        found["target_quantiles"] = plain(np.quantile(table.y.astype(float), SHARES))
    return found


def _columns(table: Table) -> list[dict[str, Any]]:
    """What each column counts as; nothing for images, whose columns are pixels."""
    if table.x.ndim != 2:
        return []
    found = []
    for (name, about), places in zip(table.columns.items(), _features(table), strict=True):
        part = table.x[:, places]
        # A category that is missing has none of its features.
        gone = np.isnan(part).any(1) if about["kind"] in MEASURED else (part == 0).all(1)
        missing = float(np.mean(gone)) if len(places) else None
        why = about.get("why", "")
        counts_as = why if why.startswith(about["kind"]) else f"{about['kind']}{': ' * bool(why)}{why}"
        if len(about.get("categories", [])) > 1:
            counts_as += f" of {len(about['categories'])} values"
        found.append({"name": name, "counts_as": counts_as, "features": len(places), "missing": missing})
    return found


def _features(table: Table) -> list[np.ndarray]:
    """For each column the places of its features in a row."""
    ends = np.cumsum([0, *(len(about["features"]) for about in table.columns.values())])
    return [np.arange(first, last) for first, last in itertools.pairwise(ends)]


def _scores(metric: Metric, outputs: np.ndarray, y: np.ndarray) -> dict[str, float | None]:
    """The metric and others of its task, None for those that are not finite."""
    names = dict.fromkeys([metric.name, *(name for name in OTHERS if metrics[name].task == metric.task)])
    chosen = {name: metrics[name] for name in names}
    weights = np.ones(len(y), np.float32)
    losses = jax.jit(lambda *data: {name: one.loss(*data) for name, one in chosen.items()})(outputs, y, weights)
    scores = {name: one.score(float(losses[name])) for name, one in chosen.items()}
    return {name: score if np.isfinite(score) else None for name, score in scores.items()}


def _importance(
    table: Table,
    test: np.ndarray,
    fitted: Fitted,
    metric: Metric,
    random: np.random.Generator,
) -> dict[str, Any]:
    rows = np.flatnonzero(test)
    if len(rows) > MOST_ROWS:
        rows = np.sort(random.choice(rows, MOST_ROWS, replace=False))
    facts = {"metric": metric.name, "rows": len(rows), "permutations": NUM_PERMUTATIONS, "columns": []}
    if table.x.ndim != 2:
        return facts | {"skipped": "images have pixels, not columns"}
    used = {name: places for name, places in zip(table.columns, _features(table), strict=True) if len(places)}
    if len(used) > MOST_COLUMNS:
        return facts | {"skipped": f"there are more than {MOST_COLUMNS} columns"}
    model = fitted.portable()
    of_metric = jax.jit(metric.loss)
    y, weights = table.y[rows], np.ones(len(rows), np.float32)

    def loss(x: np.ndarray) -> float:
        return float(of_metric(model.predict(x).astype(np.float32), y, weights))

    increases = permutation_importance(loss, table.x[rows], list(used.values()), random, NUM_PERMUTATIONS)
    columns = [{"name": name, "increases": plain(some)} for name, some in zip(used, increases, strict=True)]
    return facts | {"columns": columns, "skipped": None}
