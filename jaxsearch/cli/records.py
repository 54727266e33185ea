"""What a run leaves behind: trials.csv, best.json and model.npz."""

import csv
import importlib.metadata
import json
import math
import os
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsearch.core.types import Array, PyTree
from jaxsearch.evaluators.fitted import Fitted
from jaxsearch.evaluators.metrics import Metric
from jaxsearch.evaluators.parameters import numbers
from jaxsearch.models import portable
from jaxsearch.problems.datasets import Table
from jaxsearch.runners.generation import Generation
from jaxsearch.runners.result import Result
from jaxsearch.spaces import codec
from jaxsearch.spaces.describe import describe


class Trial(NamedTuple):
    """One candidate: its score and folds in the metric's unit, its share of the seconds of its generation."""

    number: int
    generation: int
    status: str  # ok, failed or infeasible
    loss: float
    score: float
    folds: list[float]
    params: dict[str, Any]
    architecture: str
    epochs: int
    seconds: float
    key: list[int]


class Trials:
    """Collects every candidate of a search; `add` is its callback."""

    def __init__(self, space: PyTree, model: Any, metric: Metric, progress: bool):
        self.rows: list[Trial] = []
        self._space, self._model, self._metric, self._progress = space, model, metric, progress
        self._generations, self._last = 0, time.monotonic()
        self._decode = jax.jit(jax.vmap(self._decoded))

    def _decoded(self, x: Array) -> tuple[PyTree, PyTree]:
        params = codec.decode(self._space, x)
        return params, self._model.complete(self._space, numbers(self._space, params))

    def add(self, generation: Generation) -> None:
        now, count = time.monotonic(), len(generation.candidates.x)
        seconds, self._last, self._generations = (now - self._last) / count, now, self._generations + 1
        params, architectures = jax.device_get(self._decode(generation.candidates.x))
        results = generation.results
        losses, aux = np.asarray(results.loss, float), jax.device_get(results.aux)
        feasible = np.full(count, True) if results.violation is None else np.asarray(results.violation) <= 0
        for i, loss in enumerate(losses):
            one, architecture = jax.tree.map(lambda leaf: leaf[i], (params, architectures))  # noqa: B023  # used at once
            self.rows.append(
                Trial(
                    number=len(self.rows),
                    generation=self._generations,
                    status="ok" if math.isfinite(loss) else "failed" if feasible[i] else "infeasible",
                    loss=float(loss),
                    score=self._metric.score(float(loss)),
                    folds=[self._metric.score(float(fold)) for fold in aux["folds"][i]],
                    params=describe(self._space, one),
                    architecture=self._model.summary(architecture),
                    epochs=int(aux["epochs"][i]),
                    seconds=seconds,
                    key=[int(word) for word in aux["key"][i]],
                )
            )
        if self._progress:
            best = self._metric.score(float(generation.best.loss))
            failed = f", {self.num_failed} failed" if self.num_failed else ""
            print(f"{len(self.rows):5} candidates  best {self._metric.name} {best:.4g}{failed}", flush=True)

    @property
    def num_failed(self) -> int:
        return sum(row.status == "failed" for row in self.rows)

    def leaders(self, count: int) -> list[Trial]:
        """The best candidates, best first, each configuration once."""
        distinct: dict[str, Trial] = {}
        for row in sorted(self.rows, key=lambda row: (row.loss, row.number)):  # among equals the first, as in Best
            distinct.setdefault(str(row.params), row)
        return [row for row in distinct.values() if row.status == "ok"][:count]


class Outcome(NamedTuple):
    """Everything that a finished run knows."""

    table: Table
    options: Any
    metric: Metric
    result: Result
    trials: Trials
    fitted: Fitted
    test_score: float
    seconds: float


def write(directory: Path, outcome: Outcome) -> Path:
    """Writes all files, or none: into a hidden neighbour that then takes the directory's name, which is returned.

    If another run has taken the name meanwhile, a number is added to it.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".", ignore_cleanup_errors=True) as partial:
        folder = Path(partial) / "run"
        folder.mkdir()
        _write_trials(folder / "trials.csv", outcome.trials.rows)
        (folder / "best.json").write_text(json.dumps(_best(outcome), indent=2) + "\n", encoding="utf-8")
        about = {name: getattr(outcome.table, name) for name in ("task", "columns", "classes")}
        portable.save(folder / "model.npz", outcome.fitted.portable(about))
        taken, number = directory, 1
        while taken.exists() and (not taken.is_dir() or any(taken.iterdir())):
            number += 1
            taken = directory.with_name(f"{directory.name}-{number}")
        os.replace(folder, taken)  # an existing empty directory gives way
    return taken


def _write_trials(path: Path, rows: list[Trial]) -> None:
    flat = [_flat(row.params) for row in rows]
    names = ["trial", "generation", "status", "score", *(f"fold_{i + 1}" for i in range(len(rows[0].folds)))]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *flat[0], "epochs", "seconds", "key"])
        for row, params in zip(rows, flat, strict=True):
            key = "-".join(map(str, row.key))
            facts = [row.number, row.generation, row.status, row.score, *row.folds]
            writer.writerow([*facts, *params.values(), row.epochs, f"{row.seconds:.4g}", key])


def _flat(params: dict[str, Any]) -> dict[str, Any]:
    """One column per number: lists become name_1, name_2, ..."""
    flat: dict[str, Any] = {}
    for name, value in params.items():
        flat |= (
            {f"{name}_{i + 1}": entry for i, entry in enumerate(value)} if isinstance(value, list) else {name: value}
        )
    return flat


def _best(outcome: Outcome) -> dict[str, Any]:
    best, options = outcome.trials.leaders(1)[0], outcome.options
    return {
        "data": options.data,
        "target": options.target,
        "group": options.group,
        "task": outcome.table.task,
        "model": options.model,
        "metric": outcome.metric.name,
        "score": best.score,
        "folds": best.folds,
        "spread": float(np.std(best.folds)),
        "test_score": outcome.test_score,
        "architecture": best.architecture,
        "params": best.params,
        "trial": best.number,
        "strategy": options.strategy,
        "reason": outcome.result.reason,
        "seed": options.seed,
        "num_evaluations": len(outcome.trials.rows),
        "num_failed": outcome.trials.num_failed,
        "stopped": outcome.result.stopped,
        "seconds": round(outcome.seconds, 2),
        "versions": {
            name: importlib.metadata.version(name) for name in ("jaxsearch", "jax", "jaxlib", "optax", "numpy")
        },
    }
