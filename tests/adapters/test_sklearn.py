import pickle
import subprocess
import sys

import jax
import numpy as np
import pandas
import pytest
from sklearn import datasets
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import jaxsearch as js
from jaxsearch.adapters.sklearn import JaxSearchClassifier, JaxSearchCV, JaxSearchRegressor
from jaxsearch.adapters.sklearn_arguments import key_of
from jaxsearch.evaluators import defaults

# Every shape of data is another program, and the checks have dozens of them.
TINY = {
    "strategy": "random_search",
    "max_evaluations": 2,
    "folds": 1,
    "epochs": 3,
    "max_layers": 1,
    "max_width": 8,
    "random_state": 0,
}
FEW = {"max_evaluations": 4, "cv": 2, "random_state": 0, "error_score": "raise"}
CHECKED = [
    JaxSearchClassifier(**TINY),
    JaxSearchRegressor(**TINY),
    JaxSearchCV(Ridge(), {"alpha": js.Float(0.1, 1.0)}, **FEW),
    JaxSearchCV(LogisticRegression(), {"C": js.Float(0.1, 1.0)}, **FEW),
]


def expected_failures(estimator):
    """As of scikit-learn's own that split the rows within `fit`: HistGradientBoosting, TunedThresholdClassifierCV, and
    MLPClassifier with early_stopping. Rows of weight 0 are removed before."""
    if isinstance(estimator, JaxSearchCV):
        return {}
    reason = "sample_weight is not equivalent to repeating samples: other rows are held out of more rows"
    return {"check_sample_weight_equivalence_on_dense_data": reason}


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")  # in scikit-learn, of NaN in y
@parametrize_with_checks(CHECKED, expected_failed_checks=expected_failures)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def frame():
    x, y = datasets.load_iris(return_X_y=True, as_frame=True)
    return x, y.map(dict(enumerate(["setosa", "versicolor", "virginica"])))


SMALL = {**TINY, "epochs": 8, "max_evaluations": 4}


@pytest.fixture(scope="module")
def classifier():
    return JaxSearchClassifier(**SMALL).fit(*frame())


def test_a_classifier_of_a_table_with_names(classifier):
    x, y = frame()
    assert classifier.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert classifier.feature_names_in_.tolist() == x.columns.tolist()
    assert classifier.score(x, y) > 0.8  # guessing: 0.33
    assert set(classifier.best_params_) == {"learning_rate", "weight_decay", "dropout", "layers", "activation"}
    assert classifier.best_score_ == classifier.best_loss_
    assert classifier.best_loss_ == pytest.approx(np.min(classifier.trials_["loss"]))
    assert len(pandas.DataFrame(classifier.trials_)) == 4
    probability = classifier.predict_proba(x)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_array_equal(classifier.classes_[probability.argmax(axis=1)], classifier.predict(x))
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(x), probability)
    x = x.mask(x > 6)  # what is missing is taken for the mean
    assert np.all(np.isfinite(classifier.predict_proba(x)))


def test_the_same_random_state_is_the_same_network(classifier, compilations):
    x, y = frame()
    compilations()
    again = clone(classifier).set_params(random_state=np.random.RandomState(0))
    again.fit(x, y)
    assert compilations() == 0
    np.testing.assert_array_equal(again.predict_proba(x), classifier.predict_proba(x))
    assert again.best_params_ == classifier.best_params_
    assert len({int(jax.random.bits(key_of(state))) for state in (0, 1, again.random_state, None)}) == 4


def test_rows_without_weight_are_as_good_as_not_there(classifier):
    x, y = frame()
    weights = np.repeat([2.0, 0.0], [150, 30])
    more = clone(classifier).fit(pandas.concat([x, 9 * x[:30]]), [*y, *["no such flower"] * 30], sample_weight=weights)
    assert more.classes_.tolist() == classifier.classes_.tolist()
    np.testing.assert_array_equal(more.predict_proba(x), classifier.predict_proba(x))


def test_classes_have_the_weights_that_are_asked_for(classifier, monkeypatch):
    """What training gets; the labels are in alphabetical order."""
    seen = []

    def note(*_, **options):
        seen.append(options["class_weights"])
        raise ZeroDivisionError

    monkeypatch.setattr(defaults, "training", note)
    for change in (
        {},
        {"metric": "Balanced Accuracy"},
        {"metric": "balanced_error", "class_weight": "none"},
        {"class_weight": "balanced"},
        {"class_weight": {"virginica": 3}},
    ):
        with pytest.raises(ZeroDivisionError):
            clone(classifier).set_params(**change).fit(*frame())
    assert seen == [None, "balanced", None, "balanced", (1.0, 1.0, 3.0)]


def test_a_regressor_of_large_numbers():
    """Differences that float32 cannot see, in the columns and in the target."""
    rng = np.random.default_rng(0)
    x = 1.7e9 + rng.integers(0, 60, (80, 1)).astype(float)
    y = 1e9 + x[:, 0] - 1.7e9
    found = JaxSearchRegressor(**{**TINY, "epochs": 8}).fit(x, y)
    assert found.score(x, y) > 0.7
    assert found.best_loss_ < np.std(y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": "rmse"}, "The metric rmse does not fit classification. Use one of error, balanced_error"),
        ({"strategy": "pso2"}, "Unknown strategy 'pso2'. Did you mean pso"),
        ({"strategy": "pbt"}, "pbt needs members that go on .* Use auto, random_search"),
        ({"strategy": "de", "max_evaluations": 3}, "DE needs a budget of at least 4; got 3"),
        ({"metric": "f1 weighted"}, "Unknown metric 'f1 weighted'. Did you mean f1"),
        ({"class_weight": "balance"}, "Unknown class weight 'balance'. Did you mean balanced"),
        ({"class_weight": {"rose": 2.0}}, "class_weight must be by labels of y; there is no 'rose'"),
        ({"class_weight": {"setosa": -1}}, "numbers above 0"),
        ({"max_evaluations": 0}, "max_evaluations must be an integer of at least 1; got 0"),
        ({"max_width": 2.5}, "max_width must be an integer of at least 1; got 2.5"),
        ({"folds": 200}, "200 folds need as many rows; the data have 150. Use fewer folds"),
        ({"time_limit": 0}, "time_limit must be more than 0 seconds"),
    ],
)
def test_arguments_of_a_network_are_checked(change, message):
    with pytest.raises(ValueError, match=message):
        JaxSearchClassifier(**{**TINY, **change}).fit(*frame())


SVM = {
    "svc__C": js.Float(1e-2, 1e2, log=True),
    "svc__kernel": js.Switch(
        linear={}, rbf={"svc__gamma": js.Float(1e-3, 1, log=True)}, poly={"svc__degree": js.Int(2, 3)}
    ),
}


def test_a_search_over_a_pipeline_with_branches():
    x, y = frame()
    found = JaxSearchCV(make_pipeline(StandardScaler(), SVC()), SVM, "random_search", **{**FEW, "max_evaluations": 19})
    found.fit(x, y)
    inside = {"linear": set(), "rbf": {"svc__gamma"}, "poly": {"svc__degree"}}
    results = found.cv_results_
    assert len(results["params"]) == 19  # no multiple of the population
    for params in results["params"]:
        assert set(params) == {"svc__C", "svc__kernel"} | inside[params["svc__kernel"]]
        assert type(params["svc__C"]) is float
    assert {params["svc__kernel"] for params in results["params"]} == set(inside)
    masked = results["param_svc__gamma"].mask
    np.testing.assert_array_equal(masked, [params["svc__kernel"] != "rbf" for params in results["params"]])
    assert found.best_score_ == results["mean_test_score"].max()
    assert found.score(x, y) > 0.9
    assert found.feature_names_in_.tolist() == x.columns.tolist()
    theirs = RandomizedSearchCV(SVC(), {"C": [1.0, 2.0], "gamma": [1.0]}, n_iter=1, cv=2).fit(x, y).cv_results_
    ours = {name.replace("svc__", "") for name in results} - {"param_kernel", "param_degree"}
    assert ours == set(theirs)
    again = clone(found).fit(x, y)
    assert again.cv_results_["params"] == results["params"]


def test_a_finite_space_is_searched_once_and_with_the_same_folds():
    x, y = frame()
    space = {"C": js.Choice(0.01, 1, 100.0), "kernel": js.Choice("rbf", "linear")}
    folds = KFold(3, shuffle=True, random_state=np.random.RandomState(0))  # others each time
    found = JaxSearchCV(
        SVC(), space, "ga", cv=folds, max_evaluations=40, random_state=1, scoring=["accuracy"], refit="accuracy"
    )
    results = found.fit(x, y).cv_results_
    assert len({str(params) for params in results["params"]}) == len(results["params"]) == 6
    assert found.best_score_ == max(results["mean_test_accuracy"])
    scores = cross_val_score(
        SVC(**found.best_params_), x, y, cv=KFold(3, shuffle=True, random_state=np.random.RandomState(0))
    )
    assert found.best_score_ == pytest.approx(scores.mean())


def test_a_strategy_learns_from_the_scores():
    x, y = datasets.load_diabetes(return_X_y=True)
    space = {"alpha": js.Float(1e-6, 1e6, log=True)}
    best = {}
    for strategy in ("random_search", js.PSO(population_size=4)):
        found = JaxSearchCV(Ridge(), space, strategy, max_evaluations=40, random_state=0, cv=3).fit(x, y)
        best[str(strategy)[:6]] = np.mean(found.cv_results_["mean_test_score"][20:])
    assert best["PSO(po"] > best["random"]


class Sometimes(Ridge):
    """Fails for most values."""

    def fit(self, X, y):  # noqa: N803
        if self.alpha > 0.3:
            raise ArithmeticError("alpha is too large")
        return super().fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite:UserWarning")
def test_candidates_may_fail():
    x, y = datasets.load_diabetes(return_X_y=True)
    found = JaxSearchCV(Sometimes(), {"alpha": js.Float(0, 1)}, js.TPE(), max_evaluations=12, random_state=0, cv=2)
    assert found.fit(x, y).best_params_["alpha"] <= 0.3
    assert 1 <= len(found.cv_results_["params"]) < 12  # a generation is one candidate
    found.set_params(space={"alpha": js.Float(0.5, 1)}, max_evaluations=3)
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        found.fit(x, y)


ALPHA = {"alpha": js.Float(0.1, 1.0)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": [1]}, r"A space must be a dict of dimensions; got \[1\]. Write"),
        ({"space": {"alpha": [1, 2]}}, r"needs a Float, Int, Choice or Switch; 'alpha' has \[1, 2\]. Use Choice"),
        ({"space": {**ALPHA, "solver": js.Switch(svd=ALPHA)}}, "in a branch or outside of it; alpha does both"),
        ({"space": {"solver": js.Switch(svd=js.Float(0, 1))}}, "A space must be a dict of dimensions; got Float"),
        ({"space": {}}, "A space must be a dict of dimensions; got {}. Write"),
        ({"max_evaluations": 0}, "max_evaluations must be an integer of at least 1; got 0"),
        ({"strategy": js.GA}, "A strategy needs the methods init, ask and tell; got <class"),
        ({"strategy": "gradient_search"}, "gradient_search needs gradients, of which there are none here. Use auto"),
        ({"scoring": ["r2"], "refit": False}, "one of several scores; got refit=False. Name it, e.g. refit='accuracy'"),
        ({"scoring": lambda *_: {"a": 0.0}, "refit": False}, "one of several scores; got refit=False"),
        ({"space": {"alfa": js.Float(0, 1)}}, "Invalid parameter 'alfa' for estimator Ridge"),
    ],
)
def test_arguments_of_a_search_are_checked(change, message):
    x, y = datasets.load_diabetes(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        JaxSearchCV(Ridge(), ALPHA, max_evaluations=2).set_params(**change).fit(x, y)


def test_without_scikit_learn_one_line_names_the_extra():
    code = "import sys; sys.modules['sklearn'] = None; import jaxsearch.adapters.sklearn"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = run.stderr.splitlines()[-1]
    assert last == "ImportError: These estimators need scikit-learn. Install it: pip install 'jaxsearch[sklearn]'"
