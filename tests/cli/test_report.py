"""What the page of a run says beside the figures: its commands and its verdict."""

import shlex

import click
import numpy as np
import pytest

from jaxsearch.cli import evaluation, report
from jaxsearch.cli.main import cli
from jaxsearch.cli.options import Options
from jaxsearch.evaluators.metrics import metrics
from jaxsearch.problems.datasets import load


def typed(line):
    """The options that a shell would hand over for this line."""
    program, name, *arguments = shlex.split(line)
    assert program == "jaxsearch"
    context = click.Context(cli)
    command = cli.get_command(context, name)
    found = dict(command.make_context(name, list(arguments), parent=context).params)
    found.pop("resume")
    return Options(**found)


@pytest.mark.parametrize(
    "line",
    [
        "jaxsearch run iris",
        "jaxsearch run 'a b'\"'\"'s.csv' --target 'x y' --drop a --drop '$c' --metric auc --stop-at 0.9 --seed 7",
        "jaxsearch run t.csv --target y --categorical zip --folds 1 --test-share 0.1 --time-limit 60 --epochs 3",
    ],
)
def test_the_command_of_the_page_repeats_the_run(line):
    options = typed(line)
    assert typed(shlex.join(report.repeated(options))) == options


def best(score, test, constant):
    baseline = {"what": "always 'a'", "cross_validation": constant, "folds": [], "test": constant, "note": None}
    known = {"score": score, "test_score": test, "folds": [score] * 3, "spread": 0.01, "architecture": "a network"}
    return known | {"baselines": {"constant": baseline}}


def test_the_head_of_the_page_warns_of_a_network_that_is_no_better_than_a_constant():
    good = report._told(best(0.9, 0.8, 0.5), metrics["auc"], None)
    assert good["warnings"] == []
    assert [(tile.name, tile.value) for tile in good["tiles"]] == [
        ("Cross-validation auc", "0.9"),
        ("Test auc", "0.8"),
        ("Test auc of always 'a'", "0.5"),
    ]
    assert "a test auc of 0.8" in good["lead"]
    (warning,) = report._told(best(0.9, 0.4, 0.5), metrics["auc"], None)["warnings"]
    assert "no better than always 'a' in test" in warning


def test_a_run_without_baselines_has_a_page():
    known = best(0.1, 0.1, 0.5)
    del known["baselines"]
    assert len(report._told(known, metrics["error"], None)["tiles"]) == 2


def test_columns_are_counted_with_their_missing_values(tmp_path):
    rows = ["size,color,empty,answer", *(f"{'' if i % 4 else i},{'rgb'[i % 3]},,{'ny'[i % 2]}" for i in range(24))]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    table = load(tmp_path / "t.csv", "answer", drop=("empty",))
    found = {one["name"]: one for one in evaluation._columns(table)}
    assert found["size"]["missing"] == 0.75
    assert (found["color"]["features"], found["color"]["missing"]) == (3, 0.0)
    assert "category of 3 values" in found["color"]["counts_as"]
    places = np.concatenate(evaluation._features(table))
    np.testing.assert_array_equal(places, np.arange(table.x.shape[1]))
