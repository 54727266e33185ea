"""The simple predictions beside a search, against scikit-learn in the same folds."""

import jax
import numpy as np
import pytest
from sklearn import datasets, metrics
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

import jaxsearch as js
from jaxsearch.evaluators import simple_models
from jaxsearch.evaluators.baselines import Baseline, baselines
from jaxsearch.evaluators.metrics import metrics as ours

KEY = jax.random.key(5)


def table(classes):
    x, y = datasets.load_diabetes(return_X_y=True)
    x, y = x[:120].astype(np.float32), y[:120]
    return x, np.digitize(y, [90, 160]).astype(np.int32) if classes else y.astype(np.float32)


def training(metric, x, y, **options):
    model = js.models.MLP(x.shape[1], 3 if y.dtype == np.int32 else 1, max_layers=1, max_width=8)
    return js.Training(model, (x, y), metric, **({"folds": 3} | options))


def test_a_linear_model_is_that_of_scikit_learn_in_the_folds_of_the_search():
    (x, y), (x_test, y_test) = ((part[:100] for part in table(True)), (part[100:] for part in table(True)))
    x[::9, 2] = np.nan
    evaluator = training("error", x, y)
    found = baselines(evaluator, KEY, (x_test, y_test), ["low", "middle", "high"])
    fold = np.asarray(jax.jit(lambda training: training.init(KEY, {}, 1).fold)(evaluator))

    def error(rows, new, targets):
        scaler = StandardScaler().fit(x[rows])
        scaled, unseen = (np.nan_to_num(scaler.transform(part), nan=0.0) for part in (x[rows], new))
        return 1 - LogisticRegression(max_iter=1000).fit(scaled, y[rows]).score(unseen, targets)

    expected = [error(fold != k, x[fold == k], y[fold == k]) for k in range(3)]
    assert found["linear"].folds == pytest.approx(expected, abs=1e-6)
    assert found["linear"].cross_validation == pytest.approx(np.mean(expected), abs=1e-6)
    assert found["linear"].test == pytest.approx(error(np.full(100, True), x_test, y_test), abs=1e-6)
    assert found["linear"].what == "logistic regression"
    most = np.bincount(y).argmax()
    assert found["constant"].what == f"always {['low', 'middle', 'high'][most]!r}"
    assert found["constant"].folds == pytest.approx([np.mean(y[fold == k] != most) for k in range(3)])
    assert found["constant"].test == pytest.approx(np.mean(y_test != most))


@pytest.mark.parametrize(
    ("metric", "what"),
    [
        ("mae", "the median 3"),
        ("rmse", "the mean 4"),
        ("r2", "the mean 4"),
    ],
)
def test_the_constant_of_a_regression_is_the_one_that_is_best(metric, what):
    y = np.float32([1, 2, 3, 4, 10] * 4)
    evaluator = training(metric, np.ones((20, 2), np.float32), y, folds=1)
    found = baselines(evaluator, KEY)["constant"]
    assert found.what == what
    assert found.test is None
    value, fold = float(what.split()[-1]), np.asarray(evaluator.init(KEY, {}, 1).fold)
    trained, held_out = y[fold > 0], y[fold == 0]
    guess = np.median(trained) if metric == "mae" else np.mean(trained)
    assert abs(guess - value) < 1
    losses = {
        "mae": np.mean(np.abs(held_out - guess)),
        "rmse": np.mean((held_out - guess) ** 2) ** 0.5,
        "r2": metrics.r2_score(held_out, np.full(len(held_out), guess)),
    }
    assert found.folds == pytest.approx([losses[metric]], rel=1e-5)


def test_rows_and_classes_have_the_weights_of_training():
    x, y = table(True)
    weights = np.where(y == 2, 1, 9.0)
    balanced = baselines(training("balanced_error", x, y, class_weights="balanced"), KEY, (x, y))
    theirs = LogisticRegression(class_weight="balanced", max_iter=1000).fit(StandardScaler().fit_transform(x), y)
    guess = theirs.predict(StandardScaler().fit_transform(x))
    assert balanced["linear"].test == pytest.approx(1 - metrics.balanced_accuracy_score(y, guess), abs=1e-6)
    assert balanced["constant"].cross_validation == pytest.approx(2 / 3)
    x, y = table(False)
    weighted = baselines(training("mse", x, y, weights=weights), KEY, (x, y))
    scaler = StandardScaler().fit(x, sample_weight=weights)
    theirs = Ridge().fit(scaler.transform(x), y, weights / weights.mean()).predict(scaler.transform(x))
    assert weighted["linear"].test == pytest.approx(np.mean((y - theirs) ** 2), rel=1e-4)
    assert weighted["constant"].what == f"the mean {np.average(y, weights=weights):.4g}"
    medians = simple_models.medians(np.array([[1.0, 1, 1, 1], [1, 5, 1, 0]]), np.array([4.0, 1, 2, 3]))
    np.testing.assert_allclose(medians, [2.5, 1])


def test_probabilities_of_a_constant_are_the_shares_of_the_classes():
    x, y = table(True)
    entropy = baselines(training("cross_entropy", x, y), KEY, (x, y))["constant"]
    shares = np.bincount(y) / len(y)
    assert entropy.what == "the shares of the classes"
    assert entropy.test == pytest.approx(-np.sum(shares * np.log(shares)), rel=1e-5)
    assert baselines(training("auc", x, y), KEY)["constant"].folds == pytest.approx([0.5] * 3)


def test_what_cannot_be_computed_is_said_in_a_line(monkeypatch, recwarn):
    x, y = table(True)
    one_class = np.int32(y == 2)
    evaluator = training("error", x, one_class, groups=one_class, folds=2)  # each fold trains on one class
    linear = baselines(evaluator, KEY)["linear"]
    assert linear.cross_validation is linear.test is None
    assert linear.note.startswith("not known: ")
    assert linear.facts()["folds"] == []
    # Of a fold without the second class the area under the curve is unknown.
    constant = baselines(training("auc", x, one_class, groups=np.arange(120), folds=120), KEY)["constant"]
    assert constant.note == "not known: its auc is not finite"
    monkeypatch.setattr(simple_models, "MOST_ITERATIONS", 1)
    slow = baselines(training("error", x, y, folds=1), KEY)["linear"]
    assert slow.note == "not converged after 1 iterations"
    assert 0 < slow.cross_validation < 1
    assert not recwarn.list


def test_a_network_of_your_own_has_no_baseline():
    network = js.models.Network(lambda k, p: 0.0, lambda k, p, s, b: s, lambda p, s, b: 0.0)
    with pytest.raises(ValueError, match="Baselines need a metric; a Network of your own"):
        baselines(js.Training(network, table(True), folds=2), KEY)


def test_where_a_baseline_is_not_beaten():
    error, auc = ours["error"], ours["auc"]
    assert Baseline("x", 0.3, [0.3], 0.3).not_beaten(error, 0.2, 0.3) == ["test"]
    assert Baseline("x", 0.3, [0.3], 0.3).not_beaten(error, 0.3 + 1e-9, 0.2) == ["validation"]
    assert Baseline("x", 0.7, [0.7], None).not_beaten(auc, 0.6, 0.6) == ["validation"]
    assert Baseline("x", 0.7, [0.7], 0.8).not_beaten(auc, 0.9, 0.9) == []
    assert Baseline("x").not_beaten(auc, 0.1, 0.1) == []
