"""The files that a run has written, for its report: none of them is trusted to be as it was written."""

import contextlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from jaxsearch.cli.directory import CHECKPOINT, EVENTS, Run, begun
from jaxsearch.cli.evaluation import EVALUATION
from jaxsearch.evaluators.baselines import Baseline
from jaxsearch.models import portable
from jaxsearch.runners.archive import Archive, restored
from jaxsearch.runners.events import events

OF_BEST = ("architecture", "score", "spread", "folds", "test_score", "stopped", "versions")  # what a page tells


class Files(NamedTuple):
    """What a run has written so far; best, model and evaluation are None until it has ended."""

    directory: Path
    run: Run
    archive: Archive
    best: dict[str, Any] | None
    model: portable.PortableModel | None
    evaluation: dict[str, Any] | None
    seconds: float | None


def read_files(run: Path) -> Files:
    """The files of a run. Raises ValueError for another directory, and for files that no run wrote."""
    found = begun(run)
    best = _read(run / "best.json")
    if best is not None and (missing := [name for name in OF_BEST if name not in best]):
        raise strange(run / "best.json", KeyError(missing[0]))
    model = None
    if best is not None:
        with contextlib.suppress(FileNotFoundError):
            model = portable.load(run / "model.npz")
    evaluation = None if best is None else _read(run / EVALUATION)
    seconds = None
    if (run / EVENTS).exists():
        times = [event.get("seconds") for event in events(run / EVENTS) if event.get("event") == "end"]
        known = [time for time in times if isinstance(time, int | float)]
        seconds = float(sum(known)) if known else None
    return Files(run, found, restored(run / CHECKPOINT), best, model, evaluation, seconds)


def rows_of(files: Files, name: str) -> int | None:
    """How many `rows` or `test_rows` the data of a run have; None if that is not known."""
    if files.evaluation is None:
        return None
    try:
        return int(files.evaluation["data"][name])
    except (LookupError, TypeError, ValueError) as error:
        raise strange(files.directory / EVALUATION, error) from None


def _read(path: Path) -> dict[str, Any] | None:
    """An object of JSON; None without the file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise strange(path, error) from None
    if not isinstance(found, dict):
        raise strange(path, TypeError("it is no object"))
    return found


def strange(path: Path, error: Exception) -> ValueError:
    """The error for a file of a run that has other content than a run writes."""
    return ValueError(f"{path} is not as a run writes it: {error!r}. Restore it, or delete it.")


def baselines_of(best: dict[str, Any]) -> dict[str, Baseline]:
    """What a run compared its network with, by name; none in runs of earlier versions."""
    fields = Baseline._fields
    found = best.get("baselines", {})
    return {name: Baseline(**{field: facts[field] for field in fields}) for name, facts in found.items()}
