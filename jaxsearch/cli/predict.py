"""`jaxsearch predict`: what a trained network says about new rows."""

import csv
import io
import sys
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsearch.evaluators.metrics import metric_named
from jaxsearch.models import portable
from jaxsearch.problems.beside import read_beside
from jaxsearch.problems.cells import Dialect
from jaxsearch.problems.new_rows import rows_and_names
from jaxsearch.runners.files import replace


def predict_rows(run: Path, data: str, out: Path | None, ids: str | None = None, **dialect: Any) -> None:
    """Writes a CSV with a line for every row of `data`, to `out` or to the standard output.

    For classification the class and the probability of each, for regression the value, under the name of the target.
    If the rows have the target, the score is told. ids: the column to put first.
    dialect: how a text file is written, as `load_rows` takes it.
    """
    path = run / "model.npz" if run.is_dir() else run
    if not path.is_file():
        raise ValueError(f"{path} is not there. Give the directory that `jaxsearch run` wrote, or its model.npz.")
    model = portable.load(path)
    about = model.about
    if not {"task", "columns", "classes"} <= set(about):
        raise ValueError(f"{path} does not tell what its rows are. Give the model of a `jaxsearch run`.")
    if out is not None and not out.absolute().parent.is_dir():
        raise ValueError(f"--out must lie in a directory that is there; got {out}. Make it first.")
    columns, reading = about["columns"], about.get("reading")
    written = Dialect(**dialect)
    rows, names = rows_and_names(data, columns, reading, written)
    known = written.like(reading)
    target, signs = about.get("target"), (reading or {}).get("signs")
    beside = read_beside(Path(data), columns, target, about["classes"], ids, known, names=names, signs=signs)
    for note in [*rows.notes, *beside.notes]:
        print(f"note: {note}", file=sys.stderr)
    outputs = model.predict(rows.x)
    text = _csv(about, outputs, ids, beside.ids)
    score = _score(about, outputs, beside.target)
    if out is None:
        print(text, end="", flush=True)
        if score:
            print(score, file=sys.stderr)
        return
    replace(out, text.encode())
    print(f"Wrote {len(rows.x)} predictions to {out}")
    if score:
        print(score)


def _csv(about: dict[str, Any], outputs: np.ndarray, name: str | None, ids: list[str] | None) -> str:
    """The lines of predictions; name, ids: of the first column."""
    if about["task"] == "regression":
        header, lines = [about.get("target") or "prediction"], [[value] for value in outputs.tolist()]
    else:
        classes = about["classes"]
        header = [about.get("target") or "class", *(f"probability_{label}" for label in classes)]
        best = [classes[place] for place in outputs.argmax(axis=1).tolist()]
        shares = [[f"{share:.6g}" for share in row] for row in _softmax(outputs).tolist()]
        lines = [[label, *row] for label, row in zip(best, shares, strict=True)]
    if ids is not None:
        header, lines = [name, *header], [[one, *line] for one, line in zip(ids, lines, strict=True)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue()


def _score(about: dict[str, Any], outputs: np.ndarray, target: np.ndarray | None) -> str | None:
    """How well the rows were predicted whose target is known, in words; None without any."""
    if target is None or "metric" not in about:
        return None
    known = np.isfinite(target) if about["task"] == "regression" else target >= 0
    count = int(np.sum(known))
    if not count:
        return None
    metric, y = metric_named(about["metric"]), target[known]
    y = y.astype(np.float32 if about["task"] == "regression" else np.int32)
    loss = float(metric.loss(jnp.asarray(outputs[known], jnp.float32), jnp.asarray(y), jnp.ones(count)))
    return f"{metric.words(loss)} on {count} rows whose {about['target']} is known"


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
