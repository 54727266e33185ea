"""`jaxsearch report`: runs as a page of HTML, made of the files that they have written."""

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxsearch.cli.options import Options
from jaxsearch.cli.written import Files, baselines_of, read_files, rows_of, strange
from jaxsearch.evaluators.baselines import Baseline
from jaxsearch.evaluators.metrics import Metric
from jaxsearch.report.document import Tile
from jaxsearch.report.page import page
from jaxsearch.runners.files import replace

REPORT = "report.html"
STOPPED = ("interrupt", "terminate", "time")  # what ends a run that can go on
# How the range of a parameter becomes wider, where an option of the command decides it.
REMEDIES = {
    "layers": "try a larger --max-layers",
    "blocks": "try a larger --max-layers",
    "width": "try a larger --max-width",
    "channels": "try a larger --max-width",
    "learning_rate": "a wider range may have a better one",
    "weight_decay": "a wider range may have a better one",
}


def write_report(run: Path, out: Path | None = None) -> Path:
    """Writes the page of a run, also while it runs, and returns its path: report.html in its directory, or `out`.

    Raises ValueError for another directory, before the first checkpoint, and without Matplotlib.
    """
    files = read_files(run)
    options, metric, model = files.run.options, files.run.metric, files.model
    try:
        told = {} if files.best is None else _told(files.best, metric, rows_of(files, "test_rows"))
    except (LookupError, TypeError, AttributeError) as error:
        raise strange(run / "best.json", error) from None
    text = page(
        files.archive,
        files.run.space,
        title=title_of(options),
        facts=_facts(files),
        label=metric.name,
        greater_is_better=metric.greater_is_better,
        target=None if options.stop_at is None else metric.score(options.stop_at),
        network=None if model is None else (model.facts, [w.shape for w, _ in model.layers]),
        evaluation=files.evaluation,
        commands=_commands(files),
        remedies=REMEDIES,
        **told,
    )
    path = out or run / REPORT
    replace(path, text.encode())
    return path


def title_of(options: Options) -> str:
    """What a run was about, in a few words."""
    data = Path(options.data).name
    return f"{data}: {options.target}" if options.target else data


def _told(best: dict[str, Any], metric: Metric, test_rows: int | None) -> dict[str, Any]:
    """What the head of the page says of the end of a run, as arguments of `page`."""
    name, folds = metric.name, len(best["folds"])
    score, test = best["score"], best["test_score"]
    rows = "rows" if test_rows is None else f"{test_rows:,} rows"
    validation = "Cross-validation" if folds > 1 else "Validation"
    spread = f"± {best['spread']:.2g} over {folds} folds" if folds > 1 else "on rows held out"
    lead = (
        f"The best network, {best['architecture']}, has a test {name} of {test:.4g} on {rows} that the search never "
        f"saw, and {score:.4g} in {validation.lower()}."
    )
    tiles = [
        Tile(f"{validation} {name}", f"{score:.4g}", spread),
        Tile(f"Test {name}", f"{test:.4g}", f"on {rows} held out"),
    ]
    warnings = []
    for kind, baseline in baselines_of(best).items():
        tiles.append(_tile(baseline, name, validation.lower()))
        places = baseline.not_beaten(metric, score, test)
        if places:
            remedy = "The columns may say nothing about the target" if kind == "constant" else "Prefer what is simpler"
            where = " and ".join(places)
            warnings.append(f"The best network is no better than {baseline.what} in {where}. {remedy}.")
    return {"lead": lead, "tiles": tiles, "warnings": warnings}


def _tile(baseline: Baseline, name: str, validation: str) -> Tile:
    known = [] if baseline.cross_validation is None else [f"{baseline.cross_validation:.4g} in {validation}"]
    notes = [*known, *([baseline.note] if baseline.note else [])]
    value = "unknown" if baseline.test is None else f"{baseline.test:.4g}"
    return Tile(f"Test {name} of {baseline.what}", value, ", ".join(notes))


def _facts(files: Files) -> list[tuple[str, Any]]:
    """The options of the run, and what is known of its end."""
    options = [(name, _text(value)) for name, value in dataclasses.asdict(files.run.options).items()]
    facts = [(name.replace("_", " "), text) for name, text in options if text and name != "out"]
    if files.run.reason:
        facts.append(("why this strategy", files.run.reason))
    if files.seconds is not None:
        facts.append(("seconds", f"{files.seconds:.0f}"))
    if files.best is not None:
        facts.append(("stopped by", files.best["stopped"]))
        facts += files.best["versions"].items()
    return facts


def _text(value: Any) -> str:
    return "" if value is None else ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _commands(files: Files) -> list[tuple[str, str]]:
    """For a shell: to repeat the run, to go on if it was stopped, and to predict."""
    options, directory = files.run.options, str(files.directory.absolute())
    found = [("Repeat this run:", shlex.join(repeated(options)))]
    if files.best is None or files.best.get("stopped") in STOPPED:
        found.append(("Go on with it:", shlex.join(["jaxsearch", "run", "--resume", directory])))
    if files.model is not None:
        new = "new.npz" if "image_shape" in files.model.facts else "new.csv"
        rows = ["jaxsearch", "predict", directory, new, "--out", "predictions.csv"]
        found.append(("Predict the rows of another file:", shlex.join(rows)))
    return found


def repeated(options: Options) -> Sequence[str]:
    """The command with these options, without the directory that it writes."""
    words = ["jaxsearch", "run", options.data]
    for name, value in dataclasses.asdict(options).items():
        if name in ("data", "out") or value is None or value is False:
            continue
        option = f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, tuple | list) else [value]:
            words += [option] if one is True else [option, str(one)]
    return words
