"""The directory of a run: made when it starts, found again when it goes on, looked at while it runs."""

import dataclasses
import json
import os
import shlex
import statistics
import time
import typing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.cli.options import Options
from jaxsearch.core.types import PyTree
from jaxsearch.evaluators.metrics import Metric, metric_named, metrics
from jaxsearch.problems.datasets import BUILT_IN
from jaxsearch.runners.events import events
from jaxsearch.runners.files import is_locked, replace
from jaxsearch.runners.sized import strategy_name
from jaxsearch.spaces.serialize import from_json, to_json

SETTINGS, EVENTS, CHECKPOINT = "run.json", "events.jsonl", "checkpoint"
LISTS = [name for name, kind in typing.get_type_hints(Options).items() if kind == tuple[str, ...]]  # in JSON
RECENT = 100  # generations from which the rate is told
MAY_CHANGE = ("budget", "time_limit", "stop_at")  # limits of a run that goes on


def new_directory(wanted: Path | None, name: str) -> Path:
    """The directory that the run will write, checked before the work: it must be new or empty."""
    directory = (wanted or Path("runs") / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{name}").absolute()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ValueError(
            f"--out must be a new or empty directory; {directory} has content. Choose another name, or go on with "
            f"--resume {directory} if it is a run that was stopped."
        )
    if directory.resolve() == Path.cwd():
        raise ValueError(f"--out must not be the current directory; got {wanted}. Name a directory inside it.")
    parent = next(folder for folder in directory.parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ValueError(f"--out must lie in a directory that can be written; {parent} is not. Choose another place.")
    return directory


class Run(NamedTuple):
    """What was asked for, and what is being done; reason: why this strategy, if the user did not choose it."""

    options: Options
    metric: Metric
    space: PyTree
    reason: str | None


def begin(directory: Path, run: Run) -> None:
    """Makes the directory and writes down what the run is."""
    directory.mkdir(parents=True, exist_ok=True)
    options = dataclasses.asdict(run.options) | {"out": str(directory)}
    if run.options.data not in BUILT_IN:
        options["data"] = str(Path(run.options.data).absolute())
    facts = {"options": options, "metric": run.metric.name, "space": to_json(run.space), "reason": run.reason}
    replace(directory / SETTINGS, (json.dumps(facts, indent=2) + "\n").encode())


def begun(directory: Path) -> Run:
    """What `begin` wrote. Raises ValueError if it is not there, or something else."""
    path = directory / SETTINGS
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        found: dict[str, Any] = facts["options"] | {"out": directory}
        found |= {name: tuple(found[name]) for name in LISTS if isinstance(found.get(name), list)}
        options = Options(**found)
        return Run(options, metrics[facts["metric"]], from_json(facts["space"]), facts.get("reason"))
    except OSError:
        what = f"A run has a file {SETTINGS}; {directory} has none that can be read"
        raise ValueError(f"{what}. Name the directory of a run.") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        why = str(error) if isinstance(error, ValueError) else repr(error)
        raise ValueError(f"{path} is not as this version writes it: {why} Restore it, or use its version.") from None


def resumed(directory: Path, typed: dict[str, Any]) -> Options:
    """The options of the run in `directory`, with those that were typed now in their place.

    Raises ValueError if one that was typed would make another search of it.
    """
    run = begun(directory)
    others = {name: value for name, value in typed.items() if _differs(run, name, value)}
    if others:
        was = {name: getattr(run.options, name) for name in others}
        pairs = [f"{_written(name, value)} instead of {_written(name, was[name])}" for name, value in others.items()]
        free = ", ".join(f"--{name.replace('_', '-')}" for name in MAY_CHANGE)
        raise ValueError(
            f"Of a run that goes on only these options may change: {free}; got {', '.join(pairs)}. "
            "Leave that out, or begin a new run."
        )
    return dataclasses.replace(run.options, **{name: typed[name] for name in MAY_CHANGE if name in typed})


def _differs(run: Run, name: str, value: Any) -> bool:
    """Whether the run had another value for an option, however that is written."""
    if name in MAY_CHANGE:
        return False
    if name == "metric":
        return metric_named(value) != run.metric
    if name == "strategy":
        wanted = strategy_name(value)
        return wanted != run.options.strategy and not (wanted == "auto" and run.reason)
    return value != getattr(run.options, name)


def _written(name: str, value: Any) -> str:
    """An option as it is typed."""
    option = f"--{name.replace('_', '-')}"
    if value is None or value == ():
        return f"no {option}"
    values = value if isinstance(value, tuple) else (value,)
    return " ".join(f"{option} {shlex.quote(str(one))}" for one in values)


def status(directory: Path) -> list[str]:
    """In lines of text, what the run in `directory` has achieved and whether it goes on."""
    run = begun(directory)
    try:
        return _lines(directory, run, events(directory / EVENTS) if (directory / EVENTS).exists() else [])
    except (LookupError, TypeError) as error:
        raise ValueError(f"{directory / EVENTS} has lines that no run writes: {error!r}. Move it away.") from None


def _lines(directory: Path, run: Run, found: list[dict[str, Any]]) -> list[str]:
    metric, budget = run.metric, run.options.budget
    # A run that was stopped has results, too, and so has one that went on after its end and was killed.
    ended = not found or (found[-1]["event"] == "end" and found[-1]["stopped"] not in ("interrupt", "terminate"))
    finished = ended and (directory / "best.json").exists()
    state = "running" if is_locked(directory / CHECKPOINT / "lock") else "finished" if finished else "stopped"
    lines = [f"{directory}: {state}, {run.options.strategy} on {run.options.data}"]
    generations = [event for event in found if event["event"] == "generation"]
    if generations:
        last = generations[-1]
        best = "none yet" if last["best_loss"] is None else f"{metric.score(last['best_loss']):.4g}"
        lines.append(f"{last['evaluations']} of {budget} candidates, best {metric.name} {best}, as of {_ago(last)}")
        # The median, since a run that went on has a long pause somewhere.
        times = [event["time"] for event in generations[-RECENT:]]
        seconds = statistics.median(np.diff(times)) if len(times) > 1 else 0
        if state == "running" and seconds > 0:
            rate = last["evaluations"] / last["generation"] / seconds
            left = max(budget - last["evaluations"], 0) / rate
            lines.append(f"{rate:.3g} candidates a second, about {left:.0f} s left")
    else:
        lines.append("no generation has ended yet")
    if state == "stopped":
        lines.append(how_to_resume(directory))
    return lines


def how_to_resume(directory: Path) -> str:
    """The command that goes on, in a sentence."""
    return f"Go on with: jaxsearch run --resume {shlex.quote(str(directory))}"


def _ago(event: dict[str, Any]) -> str:
    return f"{max(time.time() - event['time'], 0):.0f} s ago"
