"""The directory of a run: made when it starts, found again when it goes on, looked at while it runs."""

import contextlib
import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxsearch.cli.options import Options
from jaxsearch.evaluators.metrics import metrics
from jaxsearch.runners.events import events
from jaxsearch.runners.files import is_locked, replace

SETTINGS, EVENTS, CHECKPOINT = "run.json", "events.jsonl", "checkpoint"


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


def begin(directory: Path, options: Options, facts: dict[str, Any]) -> None:
    """Makes the directory and writes down what was asked for and what is being done."""
    directory.mkdir(parents=True, exist_ok=True)
    asked = dataclasses.asdict(options) | {"out": str(directory)}
    if Path(options.data).exists():
        asked["data"] = str(Path(options.data).absolute())
    replace(directory / SETTINGS, (json.dumps({"options": asked} | facts, indent=2) + "\n").encode())


def resumed(directory: Path, typed: dict[str, Any]) -> Options:
    """The options of the run in `directory`, with those that were typed now in their place."""
    asked = settings_of(directory)["options"] | typed | {"out": str(directory)}
    known = {field.name for field in dataclasses.fields(Options)}
    if set(asked) != known:
        raise ValueError(
            f"{directory / SETTINGS} does not fit this version of jaxsearch. Use the version that wrote it."
        )
    return Options(**asked | {"out": directory, "drop": tuple(asked["drop"])})


@contextlib.contextmanager
def outliving_terminal(directory: Path) -> Iterator[None]:
    """A terminal that is closed does not end what runs here: from then on its output goes into a file."""

    def redirect(number: int, frame: Any) -> None:
        file = os.open(directory / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file, stream.fileno())

    usual = getattr(signal, "SIGHUP", None) and signal.getsignal(signal.SIGHUP)
    if usual is not signal.SIG_DFL:  # another system, or nohup
        yield
        return
    signal.signal(signal.SIGHUP, redirect)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, usual)


def status(directory: Path) -> list[str]:
    """In lines of text, what the run in `directory` has achieved and whether it goes on."""
    settings = settings_of(directory)
    metric, budget = metrics[settings["metric"]], settings["options"]["budget"]
    try:
        generations = [event for event in events(directory / EVENTS) if event["event"] == "generation"]
    except FileNotFoundError:
        generations = []
    running = is_locked(directory / CHECKPOINT / "lock")
    finished = (directory / "best.json").exists()
    state = "running" if running else "finished" if finished else "stopped"
    lines = [f"{directory}: {state}, {settings['options']['strategy']} on {settings['options']['data']}"]
    if generations:
        last = generations[-1]
        best = last["best_loss"]
        best = "none yet" if best is None else f"{metric.score(best):.4g}"
        lines.append(f"{last['evaluations']} of {budget} candidates, best {metric.name} {best}, as of {_ago(last)}")
        first = generations[0]
        passed = last["time"] - first["time"]
        if running and passed > 0:
            rate = (last["evaluations"] - first["evaluations"]) / passed
            left = max(budget - last["evaluations"], 0) / rate if rate > 0 else 0
            lines.append(f"{rate:.3g} candidates a second, about {left:.0f} s left")
    else:
        lines.append("no generation has ended yet")
    if state == "stopped":
        lines.append(how_to_resume(directory))
    return lines


def how_to_resume(directory: Path) -> str:
    """The command that goes on, in a sentence."""
    return f"Go on with: jaxsearch run --resume {directory}"


def _ago(event: dict[str, Any]) -> str:
    return f"{max(time.time() - event['time'], 0):.0f} s ago"


def settings_of(directory: Path) -> dict[str, Any]:
    """What `begin` wrote: the options of the run, its metric and its space. Raises ValueError if it is not there."""
    try:
        settings = json.loads((directory / SETTINGS).read_text(encoding="utf-8"))
        if isinstance(settings["options"], dict) and settings["metric"] in metrics:
            return settings
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ValueError(
        f"A run has a file {SETTINGS}; {directory} has none that can be read. Name the directory of a run."
    )
