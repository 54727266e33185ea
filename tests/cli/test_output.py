"""What is said before a search, without one."""

import numpy as np
import pytest

import jaxsearch as js
from jaxsearch.cli import output
from jaxsearch.problems.labelled import Table


def announced(capsys, counts, metric="error", class_weights=None):
    y = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    x = np.zeros((len(y), 2), np.float32)
    classes = [f"class {i}" for i in range(len(counts))]
    model = js.models.MLP(2, len(counts), max_layers=2, max_width=8)
    training = js.Training(model, (x, y), metric, folds=2, epochs=9, class_weights=class_weights)
    table = Table("table", "classification", x, y, {"a": [], "b": []}, classes, ["a note"])
    output.announce(table, training, js.Halving(training), js.GA(), 16, 3)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("counts", "metric", "class_weights", "expected"),
    [
        ([95, 5], "error", None, "'class 1', is 5.0% of the rows, and error counts all rows the same"),
        ([5, 60, 35], "accuracy", None, "'class 0', is 5.0% of the rows, and accuracy counts"),
        ([85, 15], "error", None, None),
        ([10] * 15, "error", None, None),
        ([10] * 14 + [3], "error", None, "'class 14', is 2.1% of the rows"),
        ([95, 5], "auc", None, None),
        ([95, 5], "error", "balanced", None),
    ],
)
def test_a_rare_class_gets_a_note_where_rows_are_counted(capsys, counts, metric, class_weights, expected):
    out = announced(capsys, counts, metric, class_weights)
    assert "note: a note" in out
    assert ("the rarest class" in out) is (expected is not None)
    assert expected is None or expected in out
    assert ("--metric balanced_error" in out) is (expected is not None)


def test_class_weights_are_told(capsys):
    line = "training gives all classes the same weight"
    assert line not in announced(capsys, [9, 9])
    out = announced(capsys, [9, 9], "balanced_error", "balanced")
    assert f"{line}, as balanced_error does (not with --class-weight none)" in out
    assert f"{line}\n" in announced(capsys, [9, 9], "error", "balanced")
    assert "networks of 0-2 layers (0: linear) and 8-8 units" in out
