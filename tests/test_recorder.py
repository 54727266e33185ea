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


def test_paired_differences_are_surer_than_either_mean(recorder):
    luck, noise = np.random.default_rng(0).normal(size=(2, 15))
    one, other = luck + 0.1, luck + 0.01 * noise

    def width(values):
        low, high = recorder.interval(values)
        return high - low

    assert width(one - other) < 0.1 * min(width(one), width(other))
    low, high = recorder.interval(one - other)
    assert low <= np.mean(one - other) <= high
