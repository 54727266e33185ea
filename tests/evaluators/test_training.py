import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pandas
import pytest
from sklearn import datasets
from sklearn import metrics as reference
from sklearn.preprocessing import StandardScaler

import jaxsearch as js
from jaxsearch.evaluators import defaults, lessons, parameters, scaling, splits
from jaxsearch.evaluators.metrics import metric_named, metrics


def iris():
    x, y = datasets.load_iris(return_X_y=True)
    return x.astype(np.float32), y


def evaluate(evaluator, space, count=6):
    x = jax.random.uniform(jax.random.key(0), (count, js.domain(space).size))

    @jax.jit
    def run(evaluator, space):
        state = evaluator.init(jax.random.key(1), space, count)
        return evaluator.evaluate(jax.random.key(2), state, space, js.Candidates(x))[0]

    return run(evaluator, space)


MODEL = js.models.MLP(4, 3, max_layers=2, max_width=16)
PLAIN = evaluate(js.Training(MODEL, iris(), folds=3, epochs=40), MODEL.space())


def test_it_learns_and_reports_every_fold():
    assert PLAIN.aux["folds"].shape == (6, 3)
    np.testing.assert_allclose(PLAIN.loss, PLAIN.aux["folds"].mean(1), rtol=1e-5)
    assert float(PLAIN.loss.min()) < 0.15  # guessing: 0.67


def test_models_beyond_a_limit_are_not_trained_and_cannot_win():
    """A violation is the share of the excess, and no failure."""
    space, seen = MODEL.space(), []
    limited = js.Training(MODEL, iris(), folds=2, epochs=4, max_parameters=90)
    key = jax.random.key(3)
    found = js.search(limited, space, js.RandomSearch(12), key=key, max_evaluations=12, callback=seen.append)
    candidates, results = seen[0].candidates, seen[0].results
    decode = jax.jit(jax.vmap(lambda x: MODEL.num_parameters(MODEL.complete(space, js.decode(space, x)))))
    sizes = np.asarray(decode(candidates.x))
    assert 0 < np.sum(sizes <= 90) < 12
    np.testing.assert_allclose(results.violation, sizes / 90 - 1, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(results.aux["epochs"], np.where(sizes <= 90, 4, 0))
    np.testing.assert_array_equal(np.isfinite(results.loss), sizes <= 90)
    assert int(found.num_failed) == 0
    assert float(found.loss) == np.min(results.loss)
    halved = evaluate(js.Halving(js.Training(MODEL, iris(), folds=2, epochs=4, max_flops=1), num_rungs=2), space)
    assert np.all(halved.violation > 0)
    assert not np.any(halved.aux["epochs"])


def test_smaller_models_read_the_numbers_of_a_choice():
    wide = js.models.MLP(4, 3, max_layers=2, max_width=48)
    space = {"width": js.Choice(4, 48), "layers": js.Choice(1, 2)}
    arguments = {"data": iris(), "folds": 2, "epochs": 3, "metric": "cross_entropy"}
    plain = evaluate(js.Training(wide, **arguments), space)
    smaller = evaluate(js.Training(wide, **arguments, chunk_size=1, smaller=wide.smaller()), space)
    np.testing.assert_allclose(smaller.loss, plain.loss, rtol=1e-3, atol=1e-4)


def test_integer_data_are_welcome():
    x, y = iris()
    regression = js.models.MLP(4, 1, max_layers=1, max_width=8)
    evaluator = js.Training(regression, (np.round(x).astype(int), y), metric="mse", folds=2, epochs=2)
    assert np.all(np.isfinite(evaluate(evaluator, {"learning_rate": js.Float(1e-3, 1e-2)}).loss))


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"learning_rat": js.Float(0, 1)}, "Unknown parameter 'learning_rat'. Did you mean learning_rate"),
        ({"width": js.Int(8, 256)}, "width may be at most 16"),
        ({"layers": js.Choice(1, 5)}, "layers may be at most 2"),
        ({"activation": js.Int(0, 2)}, "activation must be a Choice of relu, tanh, silu; got Int"),
        ({"learning_rate": js.Choice("low", "high")}, "learning_rate must be a single number.* at least 0; got Choice"),
        ({"weight_decay": js.Choice(-0.1, 0.1)}, "weight_decay must be a single number"),
        ({"momentum": js.Choice(0.9, 1.0)}, "momentum must be a single number.* at least 0 and below 1; got"),
        ({"label_smoothing": [js.Float(0, 0.1)]}, "label_smoothing must be a single number"),
        ({"epochs": js.Choice("few", "many")}, "epochs must be an Int with low >= 1"),
        ({"epochs": js.Float(1, 9)}, "epochs must be an Int"),
        ({"batch_size": js.Choice("small", "large")}, "batch_size must be an Int"),
    ],
)
def test_the_space_must_belong_to_the_model(space, message):
    with pytest.raises(ValueError, match=message):
        js.Training(MODEL, iris()).init(jax.random.key(0), space, 3)


@pytest.mark.parametrize("wrap", [lambda training: training, js.Halving, lambda t: js.Continued(js.Sharded(t))])
def test_bounds_are_checked_while_they_are_numbers(wrap):
    evaluator, space = wrap(js.Training(MODEL, iris())), {"dropout": js.Float(0, 50)}
    for run in (js.minimize, js.search):
        with pytest.raises(ValueError, match="dropout must be a single number.* below 1; got Float\\(low=0, high=50"):
            run(evaluator, space, "auto", key=jax.random.key(0), num_generations=1)


def test_hold_out_and_training_error():
    held_out = evaluate(js.Training(MODEL, iris(), folds=1, validation_share=0.4, epochs=8), MODEL.space())
    assert held_out.aux["folds"].shape == (6, 1)
    on_training = evaluate(
        js.Training(MODEL, iris(), folds=3, epochs=100, metric="cross_entropy", measure="training"), MODEL.space()
    )
    on_validation = evaluate(js.Training(MODEL, iris(), folds=3, epochs=100, metric="cross_entropy"), MODEL.space())
    assert float(on_training.loss.mean()) < float(on_validation.loss.mean())


def test_a_diverged_member_fails_and_leaves_its_neighbours_alone():
    space = {"learning_rate": js.Float(1e-3, 1e38, log=True), "activation": js.Choice("relu")}
    evaluator = js.Training(MODEL, iris(), folds=2, epochs=4)

    @jax.jit
    def run(x):
        state = evaluator.init(jax.random.key(1), space, 3)
        return evaluator.evaluate(jax.random.key(2), state, space, js.Candidates(x))[0].loss

    tame = run(jnp.array([[0.5, 0.02], [0.5, 0.04], [0.5, 0.03]]))
    wild = run(jnp.array([[0.5, 0.02], [0.5, 1.0], [0.5, 0.03]]))
    assert np.all(np.isfinite(tame))
    assert np.isnan(wild[1])
    np.testing.assert_array_equal(wild[jnp.array([0, 2])], tame[jnp.array([0, 2])])


def test_regression_in_the_unit_of_the_target():
    x, y = datasets.load_diabetes(return_X_y=True)
    model = js.models.MLP(10, 1, max_layers=1, max_width=16)
    data = (x.astype(np.float32), y.astype(np.float32))
    rmse = evaluate(js.Training(model, data, folds=3, epochs=20, metric="rmse"), model.space())
    r2 = evaluate(js.Training(model, data, folds=3, epochs=20, metric="r2"), model.space())
    assert 45 < float(rmse.loss.min()) < 70  # the target's standard deviation is 77
    assert 0.35 < metrics["r2"].score(float(r2.loss.min())) < 0.6


def test_folds_are_stratified_and_cover_every_row_once():
    y = np.repeat([0, 1, 2], [50, 7, 4])
    fold = np.asarray(splits.folds(jax.random.key(0), y, 5))
    assert np.ptp(np.bincount(fold, minlength=5)) <= 1
    for label in range(3):
        assert np.ptp(np.bincount(fold[y == label], minlength=5)) <= 1
    assert np.any(fold != np.asarray(splits.folds(jax.random.key(1), y, 5)))


@pytest.mark.parametrize("count", [1, 12, 30])
def test_hold_out_takes_every_class_in_its_share(count):
    y = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [30, 20, 11]))
    held_out = np.asarray(splits.hold_out(jax.random.key(0), y, count)) == 0
    assert held_out.sum() == count
    for label in range(3):
        assert abs(held_out[y == label].sum() - count * np.mean(y == label)) <= 1


@pytest.mark.parametrize("weighted", [False, True])
def test_scaler_agrees_with_scikit_learn_and_knows_missing_values(weighted):
    x = np.random.default_rng(0).normal(5, 3, size=(50, 3)).astype(np.float32)
    x[::7, 1] = np.nan
    x[:, 2] = 4.0
    rows = (np.arange(50) < 40) * (weights := np.linspace(0.5, 3, 50) if weighted else np.ones(50))
    scaler = scaling.fit(jnp.asarray(x), jnp.asarray(rows if weighted else rows > 0))
    found = np.asarray(scaler.transform(jnp.asarray(x)))
    expected = StandardScaler().fit(x[rows > 0], sample_weight=weights[rows > 0]).transform(x)
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[:, 1], np.nan_to_num(expected[:, 1]), rtol=1e-4, atol=1e-5)
    assert np.all(found[:, 2] == 0)
    np.testing.assert_allclose(scaler.inverse(scaler.transform(x))[:, 0], x[:, 0], rtol=1e-4)


def test_metrics_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    logits, y = rng.normal(size=(60, 4)), rng.integers(0, 3, 60)
    weights = (np.arange(60) < 45) * rng.uniform(0.5, 2, 60)
    use = weights > 0
    weighted = {"sample_weight": weights[use]}
    guess = logits.argmax(1)[use]
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)

    def found(name, outputs, targets):
        arrays = (jnp.asarray(part) for part in (outputs, targets, weights))
        return metrics[name].score(float(metrics[name].loss(*arrays)))

    assert found("error", logits, y) == pytest.approx(1 - reference.accuracy_score(y[use], guess, **weighted), rel=1e-5)
    recalls = reference.recall_score(y[use], guess, average=None, labels=[0, 1, 2], zero_division=0, **weighted)
    assert found("balanced_error", logits, y) == pytest.approx(1 - recalls.mean(), rel=1e-5)
    assert found("balanced_accuracy", logits, y) == pytest.approx(recalls.mean(), rel=1e-5)
    assert found("accuracy", logits, y) == pytest.approx(reference.accuracy_score(y[use], guess, **weighted), rel=1e-5)
    f1 = reference.f1_score(y[use], guess, average="macro", zero_division=0, **weighted)
    assert found("f1", logits, y) == pytest.approx(f1, rel=1e-5)
    entropy = reference.log_loss(y[use], probability[use], labels=[0, 1, 2, 3], **weighted)
    assert found("cross_entropy", logits, y) == pytest.approx(entropy, rel=1e-5)
    ties = np.round(logits)  # of the probabilities, among rows of two classes
    two, halves = np.stack([0 * ties[:, 0], ties[:, 0]], axis=1), (y > 0).astype(int)
    theirs = reference.roc_auc_score(halves[use], two[use, 1], **weighted)
    assert found("auc", two, halves) == pytest.approx(theirs, rel=1e-5)
    each = [reference.roc_auc_score(y[use] == label, probability[use, label], **weighted) for label in range(3)]
    assert found("auc", logits, y) == pytest.approx(np.mean(each), rel=1e-5)
    assert np.isnan(found("auc", logits, np.zeros_like(y)))
    a, b = rng.normal(size=60), rng.normal(size=60)
    b[50] = np.nan  # a row that does not count
    for name, theirs in (
        ("mse", reference.mean_squared_error(b[use], a[use], **weighted)),
        ("rmse", reference.mean_squared_error(b[use], a[use], **weighted) ** 0.5),
        ("mae", reference.mean_absolute_error(b[use], a[use], **weighted)),
        ("r2", reference.r2_score(b[use], a[use], **weighted)),
    ):
        assert found(name, a, b) == pytest.approx(theirs, rel=1e-4)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("accuracy", "accuracy"),
        ("Balanced Accuracy", "balanced_accuracy"),
        ("F1", "f1"),
        ("f1_macro", "f1"),
        ("logloss", "cross_entropy"),
        ("log-loss", "cross_entropy"),
        ("neg_log_loss", "cross_entropy"),
        ("ROC_AUC", "auc"),
        ("roc_auc_score", "auc"),
        ("mean squared error", "mse"),
        ("neg_mean_squared_error", "mse"),
        ("root_mean_squared_error", "rmse"),
        ("neg_root_mean_squared_error", "rmse"),
        ("mean_absolute_error", "mae"),
        ("R2_score", "r2"),
        (" AUC ", "auc"),
    ],
)
def test_metrics_by_the_names_that_people_know(written, name):
    assert metric_named(written) is metrics[name]


def test_every_way_to_name_a_metric_is_the_same():
    assert js.Training(MODEL, iris(), metric="Log Loss").metric == "cross_entropy"
    meant = {"f1_weighted": "f1", "balanced_acuracy": "balanced_accuracy", "log_los": "cross_entropy"}
    for unknown, known in meant.items():
        with pytest.raises(ValueError, match=f"^Unknown metric '{unknown}'. Did you mean .*{known}"):
            metric_named(unknown)
    with pytest.raises(ValueError, match="^Unknown metric 'colour'. Use one of error, balanced_error, "):
        metric_named("colour")


def test_weights_of_classes():
    rows, y = jnp.asarray([[1.0, 1, 2, 0]]), jnp.array([0, 1, 1, 0])
    np.testing.assert_allclose(lessons.weighed(y, rows, (3.0, 0.5), 2), [[3, 0.5, 1, 0]])
    np.testing.assert_allclose(lessons.weighed(y, rows, "balanced", 2), [[2, 2 / 3, 4 / 3, 0]], rtol=1e-6)
    np.testing.assert_allclose(lessons.weighed(y, rows, None, 0), rows)
    assert defaults.class_weights_for(metrics["balanced_error"], None) == "balanced"
    assert defaults.class_weights_for(metrics["balanced_accuracy"], "none") is None
    assert defaults.class_weights_for(metrics["error"], None) is None
    assert defaults.class_weights_for(metrics["error"], "balanced") == "balanced"


def test_choices_of_numbers_stand_for_themselves():
    space = {"batch_size": js.Choice(48, 96), "learning_rate": js.Choice(0.1, 0.01), "kind": js.Choice("a", 1)}
    values = parameters.numbers(space, dict.fromkeys(space, jnp.array(1)))
    assert {name: float(value) for name, value in values.items()} == pytest.approx(
        {"batch_size": 96, "learning_rate": 0.01, "kind": 1}
    )
    rates = {"learning_rate": js.Choice(*np.logspace(-3, -1, 3)), "batch_size": js.Choice(*np.array([8, 12]))}
    values = parameters.numbers(rates, dict.fromkeys(rates, jnp.array(1)))
    assert {name: float(value) for name, value in values.items()} == pytest.approx(
        {"learning_rate": 0.01, "batch_size": 12}
    )
    assert parameters.micro_batch(rates, 64, 1000) == 4
    assert parameters.micro_batch(space, 64, 1000) == 48
    assert parameters.micro_batch(space, 64, 30) == 30
    assert parameters.micro_batch({"batch_size": js.Int(16, 64, log=True)}, 64, 1000) == 16
    assert parameters.micro_batch({}, 64, 1000) == 64
    for bad in (js.Float(1, 2), js.Choice("a"), js.Int(0, 4), 32):
        with pytest.raises(ValueError, match="batch_size must be"):
            parameters.check_space(MODEL, {"batch_size": bad})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": "eror"}, "Unknown metric 'eror'. Did you mean error"),
        ({"metric": "mse"}, "needs a model with one output"),
        ({"folds": 0}, "folds must be"),
        ({"folds": 1000}, "folds need as many rows"),
        ({"epochs": 1.5}, "epochs must be"),
        ({"validation_share": 1.0}, "validation_share must be"),
        ({"measure": "test"}, "Unknown measure"),
        ({"max_parameters": 0}, "max_parameters must be above 0"),
        ({"metric": "mse", "class_weights": "balanced"}, "class_weights are for classes; the metric mse has none"),
        ({"class_weights": (1.0, 0.0, 2.0)}, "must be 'balanced' or a tuple of numbers above 0; got \\(1.0, 0.0, 2.0"),
        ({"class_weights": (1.0, 2.0)}, "one for each of 3 classes; got 2"),
        ({"chunk_size": 0}, "chunk_size must be an integer of at least 1; got 0"),
        ({"groups": np.zeros(149, int)}, "one entry for each of 150 rows; got shape \\(149,\\)"),
        ({"groups": [0, 1] * 75}, "must be arrays; got a list. Use numpy.asarray"),
        ({"weights": np.ones((150, 1))}, "weights must have one entry for each of 150 rows; got shape \\(150, 1\\)"),
        ({"weights": np.arange(150)}, "Weights must be numbers above 0; 1 are not. Leave rows of weight 0 out"),
        ({"data": (pandas.DataFrame(iris()[0]), iris()[1])}, "must be arrays; got a DataFrame. Use numpy.asarray"),
        ({"data": (iris()[0], iris()[1].tolist())}, "must be arrays; got a list"),
        ({"data": (np.diag([np.inf] * 4), np.arange(4) % 3), "folds": 2}, "x must be finite, or NaN .*; 4 are not"),
        ({"data": (iris()[0].astype(object), iris()[1])}, "x must hold numbers; its dtype is object"),
        (
            {"model": js.models.MLP(4, 1), "metric": "mse", "data": (iris()[0], np.append(np.ones(149), np.nan))},
            "y must be finite; 1 are not",
        ),
        ({"data": (np.zeros((9, 3), np.float32), np.zeros(9, int))}, "takes rows of shape \\(4,\\); x has \\(3,\\)"),
        ({"data": (np.zeros((9, 4), np.float32), np.zeros(8, int))}, "got shapes"),
        ({"data": (np.zeros((9, 4), np.float32), np.full(9, 3))}, "y has 3 .. 3"),
        ({"data": (jnp.zeros((9, 4)), jnp.full(9, 7))}, "y has 7 .. 7"),
        ({"data": (np.zeros((9, 4), np.float32), np.zeros(9))}, "needs integer classes"),
    ],
)
def test_mistakes_are_told_when_made(change, message):
    with pytest.raises(ValueError, match=message):
        js.Training(**{"model": MODEL, "data": iris(), **change})


def test_the_space_must_be_a_dict():
    with pytest.raises(ValueError, match="dict of dimensions by name"):
        js.Training(MODEL, iris()).init(jax.random.key(0), [js.Float(0, 1)], 3)


@pytest.mark.parametrize("folds", [1, 3])
def test_groups_stay_together(folds):
    x, y = iris()
    groups = np.random.default_rng(0).integers(0, 12, len(y)) ** 2
    evaluator = js.Training(MODEL, (x, y), folds=folds, epochs=2, groups=groups, validation_share=0.3)
    fold = np.asarray(jax.jit(lambda e: e.init(jax.random.key(0), MODEL.space(), 1).fold)(evaluator))
    assert all(len(np.unique(fold[groups == group])) == 1 for group in np.unique(groups))
    assert evaluator.num_held_out >= np.bincount(fold)[:folds].max()
    assert np.all(np.isfinite(evaluate(evaluator, MODEL.space()).loss))


def test_balanced_classes_weigh_the_same():
    classes, rows = jnp.array([0, 0, 0, 1, 2, 2]), jnp.array([[True] * 6, [True] * 3 + [False] + [True] * 2])
    weights = lessons.balanced(classes, rows, 4)
    np.testing.assert_allclose(weights, [[2 / 3, 2, 1, 0], [2.5 / 3, 0, 1.25, 0]])
    rng = np.random.default_rng(0)
    y = (rng.random(300) < 0.08).astype(np.int32)
    x = (rng.normal(size=(300, 4)) + y[:, None]).astype(np.float32)
    model = js.models.MLP(4, 2, max_layers=1, max_width=8)
    plain, balanced = (
        evaluate(js.Training(model, (x, y), "balanced_error", folds=2, class_weights=weights), model.space()).loss
        for weights in (None, "balanced")
    )
    assert float(balanced.mean()) < float(plain.mean()) - 0.03


@pytest.mark.parametrize(("metric", "balance"), [("cross_entropy", "balanced"), ("mse", None)])
def test_a_weight_of_two_is_a_row_twice(metric, balance):
    """Where a batch is all rows, so that its order does not matter."""
    x, y = (part[::5] for part in iris())
    model = js.models.MLP(4, 3 if balance else 1, max_layers=1, max_width=8)
    weights, space = 1 + np.arange(30) % 3, {"learning_rate": js.Choice(0.05)}

    def outputs(rows, weights):
        data = x[rows], y[rows] if balance else x[rows, 3]
        training = js.Training(model, data, metric, 2, 9, 99, class_weights=balance, weights=weights)
        return js.fit(training, jax.random.key(0), space, {"learning_rate": np.int32(0)}).predict(x)

    weighted, plain = outputs(np.arange(30), weights), outputs(np.arange(30), None)
    np.testing.assert_allclose(weighted, outputs(np.repeat(np.arange(30), weights), None), rtol=1e-3, atol=1e-4)
    assert np.max(np.abs(plain - weighted)) > 0.01
    np.testing.assert_allclose(outputs(np.arange(30), np.full(30, 7)), plain, rtol=1e-3, atol=1e-4)


def test_rows_held_out_have_their_weights():
    """A network that learns nothing is right or wrong about the one row of a fold that counts."""
    space = {"learning_rate": js.Choice(0.0), "dropout": js.Float(0, 0.5)}
    training = js.Training(MODEL, iris(), folds=2, epochs=1)
    fold = jax.jit(lambda training: training.init(jax.random.key(1), space, 1).fold)(training)
    weights = np.where(np.isin(np.arange(150), [np.argmax(fold == 0), np.argmax(fold == 1)]), 1e9, 1)
    found = evaluate(dataclasses.replace(training, weights=weights), space, count=2).aux["folds"]
    np.testing.assert_allclose(found, np.round(found), atol=1e-4)
