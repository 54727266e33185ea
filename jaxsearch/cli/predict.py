"""`jaxsearch predict`: what a trained network says about new rows."""

import csv
import io
import sys
from pathlib import Path

import numpy as np

from jaxsearch.models import portable
from jaxsearch.problems.datasets import load_rows
from jaxsearch.runners.files import replace


def predict_rows(run: Path, data: str, out: Path | None) -> None:
    """Writes a CSV with a line for every row of `data`, to `out` or to the standard output.

    For classification the class and the probability of each, for regression the value.
    """
    path = run / "model.npz" if run.is_dir() else run
    if not path.is_file():
        raise ValueError(f"{path} is not there. Give the directory that `jaxsearch run` wrote, or its model.npz.")
    model = portable.load(path)
    if not {"task", "columns", "classes"} <= set(model.about):
        raise ValueError(f"{path} does not tell what its rows are. Give the model of a `jaxsearch run`.")
    if out is not None and not out.absolute().parent.is_dir():
        raise ValueError(f"--out must lie in a directory that is there; got {out}. Make it first.")
    rows = load_rows(data, model.about["columns"])
    for note in rows.notes:
        print(f"note: {note}", file=sys.stderr)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    outputs = model.predict(rows.x)
    if model.about["task"] == "regression":
        writer.writerow(["prediction"])
        writer.writerows([value] for value in outputs.tolist())
    else:
        classes = model.about["classes"]
        writer.writerow(["class", *(f"probability_{label}" for label in classes)])
        for probabilities in _softmax(outputs).tolist():
            writer.writerow([classes[int(np.argmax(probabilities))], *(f"{share:.6g}" for share in probabilities)])
    if out is None:
        print(text.getvalue(), end="")
        return
    replace(out, text.getvalue().encode())
    print(f"Wrote {len(rows.x)} predictions to {out}")


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
