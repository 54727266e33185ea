"""The benchmark of images, on few of them."""

import argparse
import time
from pathlib import Path


def test_a_search_is_tested_on_rows_that_it_never_saw(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "benchmarks")
    from images import run

    options = argparse.Namespace(rows=400, epochs=9, candidates=2)
    found = run("MLP", options, 0, time.time())
    assert found["validation_error"] < 0.5
    assert found["test_error"] < 0.5
    assert 0 < found["seconds_of_search"] < found["seconds"]
    assert found["num_parameters"] > 784 * found["params"]["width"]
