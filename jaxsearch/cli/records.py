"""What a run leaves behind: trials.csv, best.json and model.npz."""

import csv
import importlib.metadata
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsearch.core.types import Array, PyTree
from jaxsearch.evaluators.baselines import Baseline
from jaxsearch.evaluators.fitted import Fitted
from jaxsearch.evaluators.metrics import Metric
from jaxsearch.evaluators.parameters import numbers
from jaxsearch.models import portable
from jaxsearch.problems.datasets import Table
from jaxsearch.runners.archive import Archive
from jaxsearch.runners.files import replace
from jaxsearch.runners.result import Result
from jaxsearch.spaces import codec
from jaxsearch.spaces.describe import describe


class Trial(NamedTuple):
    """One candidate: its best measurement, score and folds in the metric's unit, after so many epochs."""

    number: int
    score: float
    folds: list[float]
    epochs: int
    params: dict[str, Any]
    architecture: str


class Trials:
    """Every candidate of a search, in the metric's unit."""

    def __init__(self, archive: Archive, space: PyTree, model: Any, metric: Metric):
        self.archive, self._space, self._model, self._metric = archive, space, model, metric
        self._decode = jax.jit(self._decoded)

    def _decoded(self, x: Array) -> tuple[PyTree, PyTree]:
        params = codec.decode(self._space, x)
        return params, self._model.complete(self._space, numbers(self._space, params))

    def __len__(self) -> int:
        return len(self.archive.loss)

    @property
    def num_failed(self) -> int:
        return int(np.sum(self.archive.status == "failed"))

    @property
    def num_repeated(self) -> int:
        """Trials whose configuration had been tried before."""
        return int(np.sum(self.archive.duplicate_of(self._space) >= 0))

    def leaders(self, count: int) -> list[Trial]:
        """The best candidates, best first, each configuration once."""
        distinct: dict[str, Trial] = {}
        for row in np.argsort(self.archive.compared, kind="stable"):  # among equals the first, as in Best
            if len(distinct) == count or not np.isfinite(self.archive.compared[row]):
                break
            params, architecture = jax.device_get(self._decode(self.archive.x[row]))
            plain = describe(self._space, params)
            folds = self._scores(self.archive.aux["folds"][row]).tolist()
            score = self._metric.score(float(self.archive.loss[row]))
            epochs, summary = int(self.archive.aux["epochs"][row]), self._model.summary(architecture)
            distinct.setdefault(str(plain), Trial(int(row), score, folds, epochs, plain, summary))
        return list(distinct.values())

    def csv(self) -> str:
        """The table of all trials, the same for the same seed: the time they took is in the log of events."""
        table = self.archive.table(self._space)
        del table["seconds"]
        keys = self.archive.aux["key"]
        table = {name: column for name, column in table.items() if not name.startswith("key[")}
        table |= {name: self._scores(table[name]) for name in table if name.startswith(("folds[", "curve["))}
        names = {"loss": self._metric.name, "adjusted_loss": f"adjusted_{self._metric.name}"}
        table |= {name: self._scores(table[name]) for name in names if name in table}
        table = {names.get(name, name): column for name, column in table.items()}
        table["key"] = np.array(["-".join(map(str, key)) for key in keys.tolist()])
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table)
        writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))
        return text.getvalue()

    def _scores(self, losses: np.ndarray) -> np.ndarray:
        return np.array([self._metric.score(float(loss)) for loss in losses])


class Outcome(NamedTuple):
    """Everything that a finished run knows. baselines: by name, none if they are not known."""

    table: Table
    options: Any
    metric: Metric
    result: Result
    trials: Trials
    fitted: Fitted
    test_score: float
    seconds: float
    baselines: dict[str, Baseline]


def write(directory: Path, outcome: Outcome) -> None:
    """Writes the files of a run that has ended, each whole or not at all; best.json last, which says that all are."""
    model = io.BytesIO()
    about = {name: getattr(outcome.table, name) for name in ("task", "columns", "classes", "reading")}
    is_arrays = Path(outcome.options.data).suffix.lower() == ".npz"
    target = outcome.options.target or ("y" if is_arrays else None)
    about |= {"target": target, "metric": outcome.metric.name}
    portable.save(model, outcome.fitted.portable(about))
    replace(directory / "trials.csv", outcome.trials.csv().encode())
    replace(directory / "model.npz", model.getvalue())
    replace(directory / "best.json", (json.dumps(_best(outcome), indent=2) + "\n").encode())


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
        "epochs": best.epochs,
        "test_score": outcome.test_score,
        "baselines": {name: baseline.facts() for name, baseline in outcome.baselines.items()},
        "architecture": best.architecture,
        "params": best.params,
        "trial": best.number,
        "strategy": options.strategy,
        "reason": outcome.result.reason,
        "seed": options.seed,
        "num_evaluations": len(outcome.trials),
        "num_failed": outcome.trials.num_failed,
        "stopped": outcome.result.stopped,
        "versions": {
            name: importlib.metadata.version(name) for name in ("jaxsearch", "jax", "jaxlib", "optax", "numpy")
        },
    }
