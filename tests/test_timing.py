"""The benchmarks' medians and quartiles."""

import importlib
from pathlib import Path


def test_spread_of_one_time_and_of_several(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "benchmarks")
    timing = importlib.import_module("timing")
    assert timing.spread([3.0], unit=2.0) == {"median": 1.5, "low": 1.5, "high": 1.5}
    assert timing.spread([5.0, 1.0, 2.0, 4.0, 3.0]) == {"median": 3.0, "low": 2.0, "high": 4.0}
