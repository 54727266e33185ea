"""`jaxsearch report`: a run as a page of HTML, made of the files that it has written."""

import json
from pathlib import Path
from typing import Any

from jaxsearch.cli.directory import CHECKPOINT, settings_of
from jaxsearch.evaluators.metrics import metrics
from jaxsearch.models import portable
from jaxsearch.report.page import page
from jaxsearch.runners.archive import restored
from jaxsearch.runners.files import replace
from jaxsearch.spaces.serialize import from_json

SHOWN = ("data", "target", "model", "strategy", "budget", "folds", "seed")  # options


def write_report(run: Path) -> Path:
    """Writes report.html into the directory of a run, also while it runs, and returns its path.

    Raises ValueError for another directory, before the first checkpoint, and without Matplotlib.
    """
    settings = settings_of(run)
    options, metric = settings["options"], metrics[settings["metric"]]
    try:
        best = json.loads((run / "best.json").read_text(encoding="utf-8"))
        model = portable.load(run / "model.npz")
    except FileNotFoundError:  # it still runs, or was stopped
        best, model = {}, None
    facts: list[tuple[str, Any]] = [(name, options[name]) for name in SHOWN if options[name] is not None]
    if best:
        facts += [
            ("best network", best["architecture"]),
            (f"validation {metric.name}", f"{best['score']:.4g} +- {best['spread']:.2g}"),
            (f"test {metric.name}", f"{best['test_score']:.4g}"),
            ("stopped by", best["stopped"]),
            *best["versions"].items(),
        ]
    text = page(
        restored(run / CHECKPOINT),
        from_json(settings["space"]),
        title=f"{options['strategy']} on {Path(options['data']).name}",
        facts=facts,
        label=f"1 - {metric.name}" if metric.greater_is_better else metric.name,
        target=None if options["stop_at"] is None else metric.score(options["stop_at"]),
        network=None if model is None else (model.facts, [w.shape for w, _ in model.layers]),
    )
    path = run / "report.html"
    replace(path, text.encode())
    return path
