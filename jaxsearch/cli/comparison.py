"""`jaxsearch report A B`: several runs as one page of HTML."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxsearch.cli.written import Files, baselines_of, read_files, rows_of, strange
from jaxsearch.report.compared import ComparedRun, compared, seconds_of
from jaxsearch.report.parameters import best_trial
from jaxsearch.report.style import Unit
from jaxsearch.runners.files import replace

DATA = ("data", "target", "group")  # options that say what the data are, not how they were searched


def write_comparison(runs: Sequence[Path], out: Path) -> Path:
    """Writes the page of several runs, also while they run, and returns its path.

    Raises ValueError for other directories, for the same one twice, and without Matplotlib.
    """
    directories = [run.resolve() for run in runs]
    if len(set(directories)) < len(runs):
        raise ValueError(f"Runs to compare must differ; got {', '.join(map(str, runs))}. Name each once.")
    short = [directory.name for directory in directories]
    names = short if len(set(short)) == len(short) else list(map(str, directories))
    text = compared([_run(name, read_files(run)) for name, run in zip(names, runs, strict=True)])
    replace(out, text.encode())
    return out


def _run(name: str, files: Files) -> ComparedRun:
    metric = files.run.metric
    options = {key.replace("_", " "): value for key, value in dataclasses.asdict(files.run.options).items()}
    data = {key: options[key] for key in DATA} | {"metric": metric.name}
    settings = {key: value for key, value in options.items() if key not in (*DATA, "metric", "out")}
    unit = Unit(metric.name, metric.greater_is_better)
    rows = rows_of(files, "rows")
    if rows is not None:
        data["rows"] = rows
    try:
        results = _results(files, unit)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise strange(files.directory / "best.json", error) from None
    return ComparedRun(name, files.archive, unit, data, settings, results)


def _results(files: Files, unit: Unit) -> dict[str, Any]:
    archive, best = files.archive, files.best
    leader = best_trial(archive)
    found: dict[str, Any] = {"metric": unit.label}
    found["score of the best trial"] = None if leader is None else unit.score(float(archive.loss[leader]))
    if best is not None:
        found["spread over the folds"] = float(best["spread"])
        found["score on the test"] = float(best["test_score"])
        for kind, baseline in baselines_of(best).items():
            found[f"test score of {'a constant' if kind == 'constant' else 'a linear model'}"] = baseline.test
        found["best network"] = best["architecture"]
    found["trials"] = len(archive.loss)
    found["failed"] = int(np.sum(archive.status == "failed"))
    seconds = files.seconds or seconds_of(archive)
    found["seconds"] = None if seconds is None else round(seconds)
    found["stopped by"] = "not finished" if best is None else best["stopped"]
    return found
