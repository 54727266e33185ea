"""`jaxsearch run`: from a table to a tested network."""

import dataclasses
import shlex
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsearch.cli import output
from jaxsearch.cli.directory import CHECKPOINT, EVENTS, Run, begin, begun, how_to_resume, new_directory
from jaxsearch.cli.evaluation import write_evaluation
from jaxsearch.cli.held_out import choose_test_rows
from jaxsearch.cli.networks import network
from jaxsearch.cli.options import Options
from jaxsearch.cli.reading import read
from jaxsearch.cli.records import Outcome, Trials, write
from jaxsearch.cli.report import write_report
from jaxsearch.cli.terminal import outliving_terminal
from jaxsearch.core.types import Key, PyTree
from jaxsearch.evaluators import defaults
from jaxsearch.evaluators.baselines import Baseline, baselines
from jaxsearch.evaluators.fitted import fit
from jaxsearch.evaluators.halving import Halving
from jaxsearch.evaluators.metrics import Metric, metric_for
from jaxsearch.evaluators.sharded import Sharded
from jaxsearch.evaluators.training import Training
from jaxsearch.problems.datasets import Table
from jaxsearch.runners.archive import Archive
from jaxsearch.runners.checkpoint import Checkpoint
from jaxsearch.runners.events import EventLog
from jaxsearch.runners.fingerprint import fingerprint
from jaxsearch.runners.result import Result
from jaxsearch.runners.search import search
from jaxsearch.runners.sized import chosen, sized, strategy_name
from jaxsearch.spaces import codec
from jaxsearch.strategies import registry


class _Task(NamedTuple):
    """What is to be done. test: `[n]` bool, the rows that the search does not see."""

    options: Options
    table: Table
    test: np.ndarray
    metric: Metric
    training: Training
    space: PyTree
    strategy: Any
    reason: str | None
    key_search: Key
    key_fit: Key


def run_search(options: Options, again: Path | None = None) -> int:
    """Searches, reports and writes; returns the exit code.

    again: the directory of a run that is to go on.
    """
    started = time.monotonic()
    task = _task(options)
    if again is not None:
        had = begun(again)
        _check_budget(task, had.options)
        task = task._replace(reason=had.reason)
    options, metric, evaluator = task.options, task.metric, _halving(task.training)
    directory = again or new_directory(options.out, task.table.name)
    output.announce(task.table, task.training, evaluator, task.strategy, options.budget, int(np.sum(task.test)))
    output.explain(task.reason)
    if again is None:  # else the run stays what it was, whatever is typed now
        begin(directory, Run(options, metric, task.space, task.reason))
    log = EventLog(directory / EVENTS, metric.score)
    with outliving_terminal(directory):
        result = search(
            evaluator,
            task.space,
            task.strategy,
            key=task.key_search,
            max_evaluations=options.budget,
            target=None if options.stop_at is None else metric.score(options.stop_at),
            time_limit=options.time_limit,
            progress=metric.words,
            callback=log if sys.stderr.isatty() else [log, output.lines(metric)],
            checkpoint=Checkpoint(directory / CHECKPOINT, seconds=10),
        )
        log.write("end", stopped=result.stopped, seconds=round(time.monotonic() - started, 2))
        interrupted = {"interrupt": 130, "terminate": 143}.get(result.stopped or "", 0)
        # Who presses Ctrl-C wants the result so far; who terminates a process wants it to end.
        failed = 0 if result.stopped == "terminate" else _conclude(task, result, directory, started)
        if interrupted:
            print(how_to_resume(directory), flush=True)
        return failed or interrupted


def _task(options: Options) -> _Task:
    wanted = strategy_name(options.strategy)
    table = read(options).usable()
    model, table = network(options, table)
    metric = metric_for(table.task, options.metric)
    key_test, key_search, key_fit = jax.random.split(jax.random.key(options.seed), 3)
    test = choose_test_rows(table, options, key_test)
    training, space = _training(model, table, test, options, metric), model.space()
    name, reason = chosen(wanted, codec.domain(space), options.budget)
    strategy = sized(registry[name], codec.domain(space), options.budget)
    options = dataclasses.replace(options, strategy=name, metric=options.metric and metric.name)
    return _Task(options, table, test, metric, training, space, strategy, reason, key_search, key_fit)


def _check_budget(task: _Task, had: Options) -> None:
    """Raises ValueError if the budget that a run gets now would make another search of it."""
    if task.options.budget == had.budget:
        return
    before, now = (fingerprint((of.strategy, of.training.smaller), "search") for of in (_task(had), task))
    if before != now:
        options = f"--budget {task.options.budget} instead of --budget {had.budget}"
        raise ValueError(
            f"{options} makes generations of another size, or sorts networks by other sizes. Begin a new run with it."
        )


def _conclude(task: _Task, result: Result, directory: Path, started: float) -> int:
    """Trains the best network on all rows, tests it, reports and writes; 1 if there is none."""
    table, metric, test = task.table, task.metric, task.test
    archive: Any = result.archive  # there, as search was not told otherwise
    trials = Trials(archive, task.space, task.training.model, metric)
    if not np.isfinite(float(result.loss)):
        print(
            f"Error: all {len(trials)} evaluations failed: no {metric.name} was finite. "
            "Look for extreme values in the data, or use another --metric or fewer --folds.",
            file=sys.stderr,
        )
        return 1
    fitted = fit(task.training, task.key_fit, task.space, result.params, num_epochs=result.aux["epochs"])
    weights = np.ones(int(np.sum(test)), np.float32)
    test_loss = jax.jit(metric.loss)(fitted.predict(table.x[test]), table.y[test], weights)
    if not np.isfinite(float(test_loss)):
        print("Error: the best network diverged when trained on all rows. Try another --seed.", file=sys.stderr)
        return 1
    score, seconds = float(metric.score(float(test_loss))), time.monotonic() - started
    result = dataclasses.replace(result, reason=task.reason)
    simple = _baselines(task, archive)
    outcome = Outcome(table, task.options, metric, result, trials, fitted, score, seconds, simple)
    output.report(outcome)
    evaluated = write_evaluation(directory, table, test, fitted, metric, task.options, task.key_fit)
    write(directory, outcome)
    files = ["trials.csv", "best.json", "model.npz", *evaluated]
    try:
        files.append(write_report(directory).name)
    except Exception as error:  # whatever becomes of the page, the result is there
        again = f"jaxsearch report {shlex.quote(str(directory))}"
        print(f"The report could not be written: {error} Try again with: {again}", file=sys.stderr)
    print(f"Wrote {directory}/{', '.join(files[:-1])} and {files[-1]}", flush=True)
    return 0


def _baselines(task: _Task, archive: Archive) -> dict[str, Baseline]:
    """What is simpler, in the folds of the search and on the rows of the test; nothing if that goes wrong."""
    key = jax.random.wrap_key_data(np.asarray(archive.aux["key"])[0])
    rows = (task.table.x[task.test], task.table.y[task.test])
    try:
        return baselines(task.training, key, rows, task.table.classes)
    except Exception as error:  # whatever becomes of the baselines, the result is there
        print(f"The baselines could not be computed: {' '.join(str(error).split())}", file=sys.stderr)
        return {}


def _training(model: Any, table: Table, test: np.ndarray, options: Options, metric: Metric) -> Training:
    """The training of networks on the rows outside the test."""
    return defaults.training(
        model,
        (table.x[~test], table.y[~test]),
        metric=metric.name,
        folds=options.folds,
        epochs=options.epochs,
        budget=options.budget,
        groups=None if table.groups is None else table.groups[~test],
        class_weights=defaults.class_weights_for(metric, options.class_weight),
    )


def _halving(training: Training) -> Halving:
    """Rungs that begin with an epoch or more, every device training its share of the candidates."""
    evaluator = Sharded(training) if jax.device_count() > 1 else training
    return Halving(evaluator, num_rungs=defaults.num_rungs(training.epochs))
