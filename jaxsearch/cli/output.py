"""What the user sees."""

from collections.abc import Callable
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from jaxsearch.cli.networks import FAMILIES, described
from jaxsearch.cli.records import Outcome
from jaxsearch.evaluators.halving import Halving
from jaxsearch.evaluators.metrics import Metric, metrics
from jaxsearch.evaluators.training import Training
from jaxsearch.problems.datasets import BUILT_IN, Table
from jaxsearch.runners.generation import Generation
from jaxsearch.strategies import registry

LEADERS = 5
RARE = 0.1  # share of the rows


def announce(table: Table, training: Training, evaluator: Halving, strategy: Any, budget: int, num_test: int) -> None:
    """Says what is about to happen."""
    count, features = len(table.x), " x ".join(map(str, table.x.shape[1:]))
    kind = f"{len(table.classes)} classes" if table.classes else "regression"
    print(f"{table.name}: {count} rows, {features} features, {kind}; {num_test} rows are kept for the test")
    for note in [*table.notes, *_of_rare_classes(table, training)]:
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
    if training.class_weights:
        as_measured = metrics[training.metric].weighs_classes
        why = f", as {training.metric} does (not with --class-weight none)" if as_measured else ""
        print(f"training gives all classes the same weight{why}", flush=True)


def _of_rare_classes(table: Table, training: Training) -> list[str]:
    """A note if a class is so rare that a metric that counts rows hardly sees it."""
    plain = training.metric in ("error", "accuracy") and not training.class_weights
    if not (table.classes and plain):
        return []
    shares = np.bincount(table.y, minlength=len(table.classes)) / len(table.y)
    rarest = int(np.argmin(shares))
    # Of ten equal classes or more, each is rare and none is rarer than the others.
    if shares[rarest] >= min(RARE, 0.5 / len(shares)):
        return []
    which = f"the rarest class, {table.classes[rarest]!r}, is {shares[rarest]:.1%} of the rows"
    remedy = "--metric balanced_error counts all classes the same"
    return [f"{which}, and {training.metric} counts all rows the same; {remedy}"]


def lines(metric: Metric) -> Callable[[Generation], None]:
    """A callback that prints a line for every generation, where no terminal shows a bar."""
    failed = 0

    def show(generation: Generation) -> None:
        nonlocal failed
        count = len(generation.results.loss)
        failed += int(np.sum(~np.isfinite(generation.results.loss)))
        best = metric.score(float(generation.best.loss))
        epochs = int(generation.best.aux["epochs"])
        rest = f" after {epochs} epochs" if epochs else ""
        rest += f", {failed} failed" if failed else ""
        print(f"{int(generation.number) * count:5} candidates  best {metric.name} {best:.4g}{rest}", flush=True)

    return show


def explain(reason: str | None) -> None:
    """Says why this strategy, if it was chosen for the user."""
    if reason:
        print(f"auto: {reason}", flush=True)


def report(outcome: Outcome) -> None:
    """The leaderboard, the best network in words, and its scores."""
    result, metric, count = outcome.result, outcome.metric, len(outcome.trials)
    grid = Grid(title="Leaderboard", title_justify="left")
    for column in ("#", metric.name, "spread", "epochs", "network", "learning rate", "weight decay"):
        grid.add_column(column)
    for place, trial in enumerate(outcome.trials.leaders(LEADERS), 1):
        rate, decay = trial.params["learning_rate"], trial.params["weight_decay"]
        spread = f"{np.std(trial.folds):.4f}"
        measured = [f"{trial.score:.4f}", spread, str(trial.epochs)]
        grid.add_row(str(place), *measured, trial.architecture, f"{rate:.4g}", f"{decay:.4g}")
    Console(soft_wrap=True).print(grid)
    best = outcome.trials.leaders(1)[0]
    if result.stopped == "target":
        print(f"Stopped early: {metric.name} {best.score:.4f} meets the target {outcome.options.stop_at:g}.")
    elif result.stopped in ("time", "interrupt"):
        print("Stopped early: " + ("the time limit is reached." if result.stopped == "time" else "interrupted."))
    failed, repeated = outcome.trials.num_failed, outcome.trials.num_repeated
    more = f", {repeated} a configuration that had been tried before" if repeated else ""
    print(f"{count} candidates in {outcome.seconds:.0f} s, {failed or 'none'} failed{more}")
    if bool(result.exhausted):
        print("Every configuration of the space has been tried.")
    print(f"Best network: {best.architecture}, trained for {best.epochs} epochs")
    if len(best.folds) == 1:
        print(f"Validation {metric.name}: {best.score:.4f}, on rows held out")
    else:
        spread = f"+- {np.std(best.folds):.4f} over {len(best.folds)} folds"
        print(f"Cross-validation {metric.name}: {best.score:.4f} {spread}")
    print(f"Test {metric.name}: {outcome.test_score:.4f}, on rows that the search never saw")
    _compare(outcome, best.score)


def _compare(outcome: Outcome, score: float) -> None:
    """The baselines, and a warning for each that is not beaten. score: the best one in validation."""
    name = outcome.metric.name
    for baseline in outcome.baselines.values():
        numbers = {"validation": baseline.cross_validation, "test": baseline.test}
        known = [f"{kind} {name} {number:.4f}" for kind, number in numbers.items() if number is not None]
        print(f"Baseline, {baseline.what}: {', '.join([*known, baseline.note] if baseline.note else known)}")
    for kind, baseline in outcome.baselines.items():
        places = baseline.not_beaten(outcome.metric, score, outcome.test_score)
        if places:
            advice = "the columns may say nothing about the target" if kind == "constant" else "prefer what is simpler"
            print(f"warning: the best network is no better than {baseline.what} in {' and '.join(places)}; {advice}")


def show_lists() -> None:
    """Strategies, models, metrics and data sets, with a line on each."""
    for title, entries in (
        ("Strategies", {name: _first_line(strategy) for name, strategy in registry.items()}),
        ("Models", {name: _first_line(family) for name, family in FAMILIES.items()}),
        ("Metrics", {name: f"{one.task}: {one.about or _first_line(one.loss)}" for name, one in metrics.items()}),
        ("Data sets", BUILT_IN),
    ):
        print(title)
        for name, text in entries.items():
            print(f"  {name:16} {text}")


def _first_line(thing: Any) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]
