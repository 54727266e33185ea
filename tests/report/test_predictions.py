import re

import numpy as np
import pytest
from archives import archive, evaluation

import jaxsearch as js
from jaxsearch import report
from jaxsearch.report import predictions
from jaxsearch.report.edges import at_edge
from jaxsearch.spaces import codec
from jaxsearch.spaces.describe import undescribe


def test_confusion_recall_and_precision_are_counts_of_rows():
    found = predictions.classification(np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 1, 2]), 4)
    assert found["confusion"] == [[0, 0, 1], [1, 0, 1], [1, 1, 2], [2, 1, 1]]
    assert found["recall"] == [1.0, pytest.approx(2 / 3), 0.0, None]
    assert found["precision"] == [0.5, pytest.approx(2 / 3), None, None]


def test_the_largest_residuals_are_among_those_shown():
    true = np.linspace(0, 1, 3000)
    predicted = true.copy()
    predicted[[7, 2000]] += [5, -4]
    found = predictions.regression(predicted, true)
    assert len(found["true"]) == len(found["predicted"]) == predictions.MOST_POINTS
    residuals = np.subtract(found["predicted"], found["true"])
    assert (residuals.max(), residuals.min()) == (pytest.approx(5, abs=1e-4), pytest.approx(-4, abs=1e-4))
    assert found["residual_quantiles"][0] == -4
    assert found["residual_quantiles"][3] == 0


def test_a_column_matters_by_what_its_exchange_costs_and_its_features_move_together():
    random = np.random.default_rng(0)
    x = np.zeros((400, 4))
    x[:, 0] = random.normal(size=400)
    x[np.arange(400), 1 + random.integers(2, size=400)] = 1  # a column of two categories
    x[:, 3] = random.normal(size=400)
    together = []

    def loss(rows):
        together.append(np.all(rows[:, 1] + rows[:, 2] == 1))
        return float(np.mean((rows[:, 0] - x[:, 0]) ** 2) + np.mean(np.abs(rows[:, 1] - x[:, 1])))

    features = [np.array([0]), np.array([1, 2]), np.array([3])]
    found = predictions.permutation_importance(loss, x, features, random, 6)
    assert found.shape == (3, 6)
    np.testing.assert_allclose(found[0], 2, atol=0.5)  # twice the variance
    np.testing.assert_allclose(found[1], 0.5, atol=0.1)  # half of the rows get another category
    np.testing.assert_array_equal(found[2], 0)
    assert all(together)
    assert len(set(found[0])) == 6


def test_the_ends_of_ranges_are_named_with_what_helps():
    space = {
        "layers": js.Int(1, 3),
        "rate": js.Float(1e-3, 1e-1, log=True),
        "decay": js.Float(1e-4, 1.0, log=True),
        "dropout": js.Float(0.0, 0.4),
        "units": js.Int(8, 128, log=True),
        "batch": js.Int(2, 90),
    }
    best = {
        "layers": 3,
        "rate": 0.0999,
        "decay": 0.01,
        "dropout": 0.0,
        "units": 8,
        "batch": 80,
    }
    x = np.asarray(codec.encode(space, undescribe(space, best)))
    trials = archive([1.0, 2.0], np.stack([x, np.full_like(x, 0.5)]))
    found = at_edge(trials, space, {"layers": "use more"})
    assert found == {
        "layers": "at the upper end of its range, 1 to 3: use more",
        "rate": "at the upper end of its range, 0.001 to 0.1: widen it",
        "units": "at the lower end of its range, 8 to 128: widen it",
    }
    assert at_edge(archive([np.inf]), space) == {}


def test_a_page_says_that_a_value_of_the_best_trial_is_at_the_end_of_its_range():
    space = {"rate": js.Float(0.1, 1.0)}
    html = report.page(archive([1.0], np.array([[0.999]])), space)
    assert "at the upper end of its range, 0.1 to 1: widen it" in html


def test_a_value_in_a_branch_that_was_not_taken_is_not_at_an_end():
    space = js.Switch(sgd={"momentum": js.Float(0.5, 0.99)}, adam={"b1": js.Float(0.8, 0.99)})
    x = np.array([[0.9, 0.001, 0.999]])
    assert list(at_edge(archive([1.0], x), space)) == ["value.adam.b1"]


ONE = {"rate": js.Float(0.1, 1.0)}


def test_what_a_run_evaluated_is_in_the_page():
    told = evaluation(["no", "maybe", "yes"], (0.6, 0.35, 0.05))
    html = report.page(archive([1.0], np.array([[0.5]])), ONE, evaluation=told)
    for text in (
        "Below 10%: yes; recall",
        ">Confusion<",
        "Importance of the columns",
        "10.0%",
        "<dt>left out by --drop</dt><dd>id</dd>",
        "200: 160 for the search, 40 held out",
        "constant columns say nothing",
    ):
        assert text in html
    recall = told["classification"]["recall"]
    assert f"<span class=value>{recall[0]:.0%}</span>" in html


@pytest.mark.parametrize("told", [{}, {"data": 3}, {**evaluation(["a", "b"], (0.5, 0.5)), "scores": None}])
def test_an_evaluation_that_no_run_wrote_is_one_line(told):
    with pytest.raises(ValueError, match=r"must be as a run writes it to evaluation.json; it is not"):
        report.page(archive([1.0], np.array([[0.5]])), ONE, evaluation=told)


def test_many_classes_are_a_list_of_confusions_and_images_have_no_importance():
    names = [f"class {i}" for i in range(40)]
    told = evaluation(names, [1 / 40] * 40)
    told["importance"] = {**told["importance"], "columns": [], "skipped": "images have pixels, not columns"}
    html = report.page(archive([1.0], np.array([[0.5]])), ONE, evaluation=told)
    assert "Most frequent confusions" in html
    assert "class=confusion" not in html
    assert "The 30 of 40 classes with the lowest recall." in html
    assert "No importance of the columns: images have pixels, not columns." in html


def test_a_regression_has_its_residuals_with_values_to_hover():
    random = np.random.default_rng(0)
    true = random.normal(size=30)
    told = evaluation(["a"], [1.0])
    del told["classification"], told["data"]["classes"]
    told["data"]["target_quantiles"] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    told["regression"] = predictions.regression(true + 0.1, true)
    html = report.page(archive([1.0], np.array([[0.5]])), ONE, evaluation=told)
    assert "0 to 6, half of the rows 2 to 4" in html
    tips = [text for group in re.findall(r'data-tips="([^"]*)"', html) for text in group.split("|")]
    assert len(tips) == 60  # two figures
    assert tips[0] == f"true {told['regression']['true'][0]:.5g}, predicted {told['regression']['predicted'][0]:.5g}"
