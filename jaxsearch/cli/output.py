"""What the user sees."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from jaxsearch.cli.networks import FAMILIES, described
from jaxsearch.cli.records import Outcome
from jaxsearch.evaluators.halving import Halving
from jaxsearch.evaluators.metrics import metrics
from jaxsearch.evaluators.training import Training
from jaxsearch.problems.datasets import BUILT_IN, Table
from jaxsearch.strategies import registry

LEADERS = 5


def new_directory(wanted: Path | None, name: str) -> Path:
    """The directory that the run will write, checked before the work: it must be new or empty."""
    directory = (wanted or Path("runs") / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{name}").absolute()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ValueError(f"--out must be a new or empty directory; {directory} has content. Choose another name.")
    if directory.resolve() == Path.cwd():
        raise ValueError(f"--out must not be the current directory; got {wanted}. Name a directory inside it.")
    parent = next(folder for folder in directory.parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ValueError(f"--out must lie in a directory that can be written; {parent} is not. Choose another place.")
    return directory


def announce(table: Table, training: Training, evaluator: Halving, strategy: Any, budget: int, num_test: int) -> None:
    """Says what is about to happen."""
    count, features = len(table.x), " x ".join(map(str, table.x.shape[1:]))
    kind = f"{len(table.classes)} classes" if table.classes else "regression"
    print(f"{table.name}: {count} rows, {features} features, {kind}; {num_test} rows are kept for the test")
    for note in table.notes:
        print(f"note: {note}")
    folds = training.folds
    validation = f"{folds}-fold cross-validation" if folds > 1 else "a hold-out"
    rungs = [-(-training.epochs // evaluator.factor**rung) for rung in reversed(range(evaluator.num_rungs))]
    epochs = ", then ".join(map(str, rungs)) if len(rungs) > 1 else str(training.epochs)
    print(
        f"{type(strategy).__name__} over {described(training.model)}: {budget} candidates, "
        f"{training.metric} by {validation}, {epochs} epochs",
        flush=True,
    )


def explain(reason: str | None) -> None:
    """Says why this strategy, if it was chosen for the user."""
    if reason:
        print(f"auto: {reason}", flush=True)


def report(outcome: Outcome) -> None:
    """The leaderboard, the best network in words, and its scores."""
    result, metric, rows = outcome.result, outcome.metric, outcome.trials.rows
    grid = Grid(title="Leaderboard", title_justify="left")
    for column in ("#", metric.name, "spread", "network", "learning rate", "weight decay"):
        grid.add_column(column)
    for place, trial in enumerate(outcome.trials.leaders(LEADERS), 1):
        rate, decay = trial.params["learning_rate"], trial.params["weight_decay"]
        spread = f"{np.std(trial.folds):.4f}"
        grid.add_row(str(place), f"{trial.score:.4f}", spread, trial.architecture, f"{rate:.4g}", f"{decay:.4g}")
    Console(soft_wrap=True).print(grid)
    best = outcome.trials.leaders(1)[0]
    if result.stopped == "target":
        print(f"Stopped early: {metric.name} {best.score:.4f} meets the target {outcome.options.stop_at:g}.")
    elif result.stopped in ("time", "interrupt"):
        print("Stopped early: " + ("the time limit is reached." if result.stopped == "time" else "interrupted."))
    failed = outcome.trials.num_failed
    print(
        f"{len(rows)} candidates in {outcome.seconds:.0f} s, {failed} failed"
        if failed
        else f"{len(rows)} candidates in {outcome.seconds:.0f} s, none failed"
    )
    print(f"Best network: {best.architecture}")
    if len(best.folds) == 1:
        print(f"Validation {metric.name}: {best.score:.4f}, on rows held out")
    else:
        spread = f"+- {np.std(best.folds):.4f} over {len(best.folds)} folds"
        print(f"Cross-validation {metric.name}: {best.score:.4f} {spread}")
    print(f"Test {metric.name}: {outcome.test_score:.4f}, on rows that the search never saw")


def show_lists() -> None:
    """Strategies, models, metrics and data sets, with a line on each."""
    for title, entries in (
        ("Strategies", {name: _first_line(strategy) for name, strategy in registry.items()}),
        ("Models", {name: _first_line(family) for name, family in FAMILIES.items()}),
        ("Metrics", {name: f"{metric.task}: {_first_line(metric.loss)}" for name, metric in metrics.items()}),
        ("Data sets", BUILT_IN),
    ):
        print(title)
        for name, text in entries.items():
            print(f"  {name:16} {text}")


def _first_line(thing: Any) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]
