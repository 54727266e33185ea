"""The benchmarks' recorder counts as a plain loop over the evaluations does."""

import importlib
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def recorder(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "benchmarks")
    return importlib.import_module("recorder")


def test_counts_are_those_of_a_plain_loop(recorder):
    random, runs = np.random.default_rng(0), 3
    counted, told = recorder.Recorder(runs), [[] for _ in range(runs)]
    for batch in range(600):
        run = random.integers(runs)
        gaps = 10 ** random.uniform(-10, 4 - batch / 100, random.integers(0, 5))
        gaps[random.random(len(gaps)) < 0.1] = np.nan
        if batch % 50 == 0:
            gaps = np.append(gaps, random.choice(recorder.TARGETS))  # meeting a target exactly is meeting it
        counted.add(run, gaps)
        told[run].extend(gaps)
    for run, gaps in enumerate(told):
        first = [next((n for n, gap in enumerate(gaps, 1) if gap <= target), np.inf) for target in recorder.TARGETS]
        np.testing.assert_array_equal(counted.solved[run], first)
        assert counted.count[run] == len(gaps)
        assert counted.met(100)[run] == np.sum(np.array(first) <= 100)


def test_methods_are_compared_on_the_instances_that_both_ran(recorder, monkeypatch):
    readme = importlib.import_module("readme")
    met = {"GA": [[3, 1, 9], [5, 1, 9]], "pymoo GA": [[1, 1], [1, 3]]}  # [functions][instances], of 4 targets
    methods = {name: {"5": {"met": rows}} for name, rows in met.items()}
    monkeypatch.setattr(readme, "load", lambda name: {"methods": methods, "targets": 4})
    row = readme.differences("quality_bbob").splitlines()[-1]
    # Instance 1: (3 + 5 - 1 - 1) / 2 / 4; instance 2: (1 + 1 - 1 - 3) / 2 / 4; resampled, from one to the other.
    assert row == "| GA - pymoo GA | +0.250 (-0.250 to +0.750) |"
