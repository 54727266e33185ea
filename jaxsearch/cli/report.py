"""`jaxsearch report`: a run as a page of HTML, made of the files that it has written."""

import contextlib
import json
from pathlib import Path
from typing import Any

from jaxsearch.cli.directory import CHECKPOINT, begun
from jaxsearch.evaluators.metrics import Metric
from jaxsearch.models import portable
from jaxsearch.report.page import page
from jaxsearch.runners.archive import restored
from jaxsearch.runners.files import replace

SHOWN = ("data", "target", "model", "strategy", "budget", "folds", "seed")  # options


def write_report(run: Path) -> Path:
    """Writes report.html into the directory of a run, also while it runs, and returns its path.

    Raises ValueError for another directory, before the first checkpoint, and without Matplotlib.
    """
    found, facts, model = begun(run), list[tuple[str, Any]](), None
    options, metric = found.options, found.metric
    with contextlib.suppress(FileNotFoundError):  # it still runs, or was stopped
        facts = _facts_of_best(run / "best.json", metric)
        model = portable.load(run / "model.npz")
    asked = [(name, getattr(options, name)) for name in SHOWN]
    text = page(
        restored(run / CHECKPOINT),
        found.space,
        title=f"{options.strategy} on {Path(options.data).name}",
        facts=[(name, value) for name, value in [*asked, *facts] if value is not None],
        label=f"1 - {metric.name}" if metric.greater_is_better else metric.name,
        target=None if options.stop_at is None else metric.score(options.stop_at),
        network=None if model is None else (model.facts, [w.shape for w, _ in model.layers]),
    )
    path = run / "report.html"
    replace(path, text.encode())
    return path


def _facts_of_best(path: Path, metric: Metric) -> list[tuple[str, Any]]:
    """What the page says of the end of a run. Raises ValueError for a file that no run wrote."""
    try:
        best = json.loads(path.read_text(encoding="utf-8"))
        return [
            ("best network", best["architecture"]),
            (f"validation {metric.name}", f"{best['score']:.4g} +- {best['spread']:.2g}"),
            (f"test {metric.name}", f"{best['test_score']:.4g}"),
            *_facts_of_baselines(best.get("baselines", {}), metric),
            ("stopped by", best["stopped"]),
            *best["versions"].items(),
        ]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not as a run writes it: {error!r}. Restore it, or delete it.") from None


def _facts_of_baselines(found: dict[str, dict[str, Any]], metric: Metric) -> list[tuple[str, Any]]:
    facts = []
    for baseline in found.values():
        scores = {"validation": baseline["cross_validation"], "test": baseline["test"]}
        known = [f"{kind} {metric.name} {score:.4g}" for kind, score in scores.items() if score is not None]
        facts.append((baseline["what"], ", ".join([*known, baseline["note"]] if baseline["note"] else known)))
    return facts
