"""The command, as a person types it."""

import csv
import json
import subprocess
import sys
from html import escape

import numpy as np
import pytest
from sklearn import datasets

import jaxsearch as js
from jaxsearch.cli import run
from jaxsearch.models import portable

SMALL = ["--budget", "8", "--folds", "2", "--epochs", "2", "--max-layers", "1", "--max-width", "8"]


@pytest.fixture
def table(tmp_path):
    """A CSV file of two classes, one text column and one rare class."""
    rng = np.random.default_rng(0)
    path = tmp_path / "table.csv"
    rows = [f"{x:.3f},{'ab'[i % 2]},{'yes' if x > 0 else 'no'},{i}" for i, x in enumerate(rng.normal(size=60))]
    rows[0] = rows[0].replace(",no,", ",rare,").replace(",yes,", ",rare,")
    path.write_text("\n".join(["size,color,answer,number", *rows]) + "\n")
    return path


def trials(directory):
    return list(csv.DictReader((directory / "trials.csv").read_text().splitlines()))


def test_a_run_reports_and_writes(jaxsearch, tmp_path):
    code, out, err = jaxsearch("run", "iris", *SMALL, "--epochs", "30", "--out", "result")
    assert (code, err) == (0, "")
    for part in ("Leaderboard", "8 candidates in", "none failed", "Best network: 1 hidden layer of", "over 2 folds"):
        assert part in out
    assert "Test error:" in out
    files = ["best.json", "checkpoint", "evaluation.json", "events.jsonl", "model.npz", "report.html", "run.json"]
    files.append("trials.csv")
    assert sorted(path.name for path in (tmp_path / "result").iterdir()) == files
    assert [path.name for path in tmp_path.iterdir()] == ["result"]
    rows = trials(tmp_path / "result")
    best = json.loads((tmp_path / "result" / "best.json").read_text())
    assert len(rows) == 8 == best["num_evaluations"]
    for row in rows:
        number = [row["curve_epochs[0]"], row["curve_epochs[1]"], row["curve_epochs[2]"]].index(row["epochs"])
        assert float(row["error"]) == float(row[f"curve[{number}]"])
        assert float(row["error"]) == pytest.approx((float(row["folds[0]"]) + float(row["folds[1]"])) / 2, abs=1e-6)
    adjusted = [float(row["adjusted_error"]) for row in rows]
    assert best["trial"] == adjusted.index(min(adjusted)), "the first of equals is the one that is saved and tested"
    assert float(rows[best["trial"]]["learning_rate"]) == best["params"]["learning_rate"]
    assert best["score"] == pytest.approx(float(rows[best["trial"]]["error"]))
    assert best["score"] == pytest.approx(np.mean(best["folds"]), abs=1e-6)
    assert best["epochs"] == int(rows[best["trial"]]["epochs"])
    assert f"trained for {best['epochs']} epochs" in out
    assert {row["status"] for row in rows} == {"ok"}
    for kind, name in (("constant", "always '"), ("linear", "logistic regression")):
        baseline = best["baselines"][kind]
        assert baseline["what"].startswith(name)
        assert baseline["cross_validation"] == pytest.approx(np.mean(baseline["folds"]), abs=1e-6)
        assert f"Baseline, {baseline['what']}: validation error {baseline['cross_validation']:.4f}, test error" in out
        assert escape(baseline["what"]) in (tmp_path / "result" / "report.html").read_text()
    model = portable.load(tmp_path / "result" / "model.npz")
    x, y = datasets.load_iris(return_X_y=True)
    assert np.mean(model.predict(x).argmax(1) == y) > 0.7
    assert model.about["classes"] == ["setosa", "versicolor", "virginica"]
    found = json.loads((tmp_path / "result" / "evaluation.json").read_text())
    assert found["scores"]["error"] == pytest.approx(best["test_score"])
    assert sum(rows for _, _, rows in found["classification"]["confusion"]) == found["data"]["test_rows"] == 30
    wrong = sum(rows for true, predicted, rows in found["classification"]["confusion"] if true != predicted)
    assert wrong / 30 == pytest.approx(best["test_score"])
    assert [one["rows"] for one in found["data"]["classes"]] == [50, 50, 50]
    columns = found["importance"]["columns"]
    assert [one["name"] for one in columns] == [one["name"] for one in found["data"]["columns"]]
    assert max(np.mean(one["increases"]) for one in columns) > 0.1, "without its columns the network is worse"
    page = (tmp_path / "result" / "report.html").read_text()
    for part in (
        "Recall per class",
        "after 30 epochs, which 4 of 8 trials reached",
        "Importance of the columns",
        f"jaxsearch predict {tmp_path / 'result'} new",
        "of always",
    ):
        assert part in page
    assert "--resume" not in page, "it has ended"


def test_a_network_that_is_no_better_than_a_constant_gets_a_warning(jaxsearch, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    lines = [f"{x:.3f},{'no' if i % 5 else 'yes'}" for i, x in enumerate(rng.normal(size=60))]
    (tmp_path / "noise.csv").write_text("\n".join(["x,y", *lines]) + "\n")
    code, out, err = jaxsearch("run", "noise.csv", "--target", "y", *SMALL, "--out", "r")
    assert (code, err) == (0, "")
    assert "warning: the best network is no better than always 'no' in validation and test; the columns may" in out
    assert "warning: the best network is no better than logistic regression in validation and test; prefer" in out

    def fail(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(run, "baselines", fail)
    code, out, err = jaxsearch("run", "noise.csv", "--target", "y", *SMALL, "--out", "s")
    assert (code, err) == (0, "The baselines could not be computed: no room\n")
    assert json.loads((tmp_path / "s" / "best.json").read_text())["baselines"] == {}


def test_the_same_seed_gives_the_same_trials(jaxsearch, tmp_path):
    for name in "ab":
        assert jaxsearch("run", "iris", *SMALL, "--seed", "3", "--out", name)[0] == 0
    for name in ("trials.csv", "best.json", "evaluation.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert jaxsearch("report", "a", "b") == (0, "Wrote comparison.html\n", "")
    page = (tmp_path / "comparison.html").read_text()
    assert "None: the runs were asked for the same." in page
    assert "test score of a constant" in page
    assert "cannot be compared" not in page
    settings = tmp_path / "b" / "run.json"
    settings.write_text(settings.read_text().replace('"data": "iris"', '"data": "wine"'))
    assert jaxsearch("report", "a", "b", "--out", "both.html")[0] == 0
    assert "as they are: the runs differ in data (iris, wine)" in (tmp_path / "both.html").read_text()
    for arguments, message in ((["a", "a"], "must differ"), (["a", "--out", "no/r.html"], "that is there")):
        code, _, err = jaxsearch("report", *arguments)
        assert (code, err.count("\n")) == (2, 1)
        assert message in err
    (tmp_path / "a" / "evaluation.json").write_text('{"data": 3}')
    for runs in (["a"], ["a", "b"]):
        code, _, err = jaxsearch("report", *runs)
        assert (code, err.count("\n")) == (2, 1)
        assert "evaluation.json is not as a run writes it" in err


def test_the_target_stops_it_early_and_says_so(jaxsearch, tmp_path):
    code, out, _ = jaxsearch("run", "iris", *SMALL, "--budget", "60", "--stop-at", "0.9", "--out", "r")
    assert code == 0
    assert "Stopped early: error" in out
    assert "meets the target 0.9" in out
    assert len(trials(tmp_path / "r")) < 60


def test_a_regression_table_from_csv(jaxsearch, tmp_path):
    frame = datasets.load_diabetes(as_frame=True).frame
    frame.to_csv(tmp_path / "diabetes.csv", index=False)
    options = ["--task", "regression", "--strategy", "pso", "--metric", "R2 score", "--stop-at", "0.2"]
    code, out, err = jaxsearch(
        "run", "diabetes.csv", "--target", "target", *options, *SMALL, "--epochs", "30", "--out", "r"
    )
    assert (code, err) == (0, "")
    best = json.loads((tmp_path / "r" / "best.json").read_text())
    assert 0.2 < best["score"] < 0.7
    assert 0 < best["test_score"] < 0.8
    assert "PSO over networks" in out
    assert best["metric"] == "r2"
    scores = [float(row["r2"]) for row in trials(tmp_path / "r")]
    assert max(scores) == pytest.approx(best["score"])
    assert js.events(tmp_path / "r" / "events.jsonl")[-2]["best_score"] == pytest.approx(best["score"])
    assert f"best r2 {best['score']:.4g}" in jaxsearch("status", "r")[1]


@pytest.mark.parametrize("strategy", ["random_search", "LocalSearch", "Pso", "ga"])
def test_strategies_by_any_spelling(jaxsearch, strategy):
    assert jaxsearch("run", "iris", *SMALL, "--strategy", strategy, "--out", "r")[0] == 0


def test_an_automatic_strategy_says_what_it_is_and_why(jaxsearch, tmp_path):
    code, out, _ = jaxsearch("run", "iris", *SMALL, "--strategy", "auto", "--out", "r")
    assert code == 0
    best = json.loads((tmp_path / "r" / "best.json").read_text())
    assert best["strategy"] == "tpe"
    assert best["reason"] == "TPE, since 8 evaluations in 4 generations are few."
    assert "TPE over networks" in out
    assert f"\nauto: {best['reason']}\n" in out
    assert jaxsearch("run", "--resume", "r")[0] == 0
    assert json.loads((tmp_path / "r" / "best.json").read_text()) == best


def test_a_budget_below_the_default_population(jaxsearch):
    assert jaxsearch("run", "iris", *SMALL, "--strategy", "de", "--budget", 6, "--out", "r")[0] == 0
    code, _, err = jaxsearch("run", "iris", *SMALL, "--strategy", "de", "--budget", 3, "--out", "s")
    assert code != 0
    assert "DE needs a budget of at least 4; got 3." in err


def test_text_columns_and_dropped_ones(jaxsearch, table):
    table.write_text(table.read_text().replace(",rare,", ",yes,"))
    code, out, _ = jaxsearch("run", table, "--target", "answer", "--drop", "number", *SMALL, "--out", "r")
    assert code == 0
    assert "60 rows, 3 features, 2 classes" in out


def test_failed_evaluations_are_counted_and_a_run_of_nothing_else_ends_normally(jaxsearch, tmp_path):
    path = tmp_path / "huge.csv"
    path.write_text("x,y\n" + "".join(f"{i}e37,{i * 1e36}\n" for i in range(1, 31)))
    arguments = ["run", path, "--target", "y", "--task", "regression", "--metric", "mse", *SMALL]
    code, _, err = jaxsearch(*arguments, "--out", "r")
    assert code == 1
    assert "all 8 evaluations failed" in err
    assert not (tmp_path / "r" / "best.json").exists()


BAD = [
    (["run", "none.csv", "--target", "y"], "there is no file none.csv"),
    (["run", "digit"], "Did you mean digits"),
    (["run", "TABLE"], "A table needs a target"),
    (["run", "TABLE", "--target", "anser"], "Unknown column 'anser'. Did you mean answer"),
    (["run", "TABLE", "--target", "answer", "--task", "regression"], "Regression needs numbers"),
    (["run", "TABLE", "--target", "answer"], "class 'rare' has"),
    (["run", "TABLE", "--target", "answer", "--task", "clustering"], "classification"),
    (["run", "iris", "--target", "x"], "are for files; iris is built in"),
    (["run", "iris", "--budget", "-5"], "--budget must be at least 1; got -5"),
    (["run", "iris", "--budget", "many"], "not a valid integer"),
    (["run", "iris", "--strategy", "gaa"], "Unknown strategy 'gaa'. Did you mean ga"),
    (["run", "iris", "--strategy", "gradient_search"], "needs gradients"),
    (["run", "iris", "--strategy", "pbt"], "needs members that go on"),
    (["run", "iris", "--metric", "eror"], "Unknown metric 'eror'. Did you mean error"),
    (["run", "iris", "--metric", "rmse"], "does not fit classification. Use one of error"),
    (["run", "iris", "--folds", "0"], "--folds must be at least 1"),
    (["run", "iris", "--folds", "60"], "60 folds need 60 training rows of every class"),
    (["run", "iris", "--epochs", "0"], "--epochs must be at least 1"),
    (["run", "iris", "--test-share", "1.5"], "--test-share must lie between 0 and 1"),
    (["run", "iris", "--time-limit", "-1"], "--time-limit must be more than 0"),
    (["run", "iris", "--out", "TABLE"], "must be a new or empty directory"),
    (["run", "iris", "--seed", "9" * 25], "--seed must be below 2**32"),
    (["run", "iris", "--stop-at", "nan"], "--stop-at must be a finite number"),
    (["run", "iris", "--out", "."], "must be a new or empty directory"),
    (["run", "iris", "--nonsense"], "No such option"),
    (["fly"], "No such command"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_gets_one_line_and_exit_code_2(jaxsearch, table, tmp_path, arguments, message):
    arguments = [str(table) if argument == "TABLE" else argument for argument in arguments]
    code, _, err = jaxsearch(*arguments)
    assert code == 2
    *notes, error = err.splitlines()
    assert message in error
    assert error.startswith("Error: ")
    assert all(note.startswith("note: ") for note in notes)
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"], "something was left behind"


def test_without_a_command_it_helps(jaxsearch):
    code, out, err = jaxsearch()
    assert (code, err) == (0, "")
    assert "Usage: jaxsearch" in out
    assert "\n  run " in out


def test_list_names_everything(jaxsearch):
    code, out, _ = jaxsearch("list")
    assert code == 0
    for name in ("ga", "pso", "local_search", "mlp", "balanced_error", "r2", "digits", "diabetes", "mnist1d"):
        assert f"  {name} " in out


def test_the_installed_command_answers():
    done = subprocess.run(
        [sys.executable, "-m", "jaxsearch.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("jaxsearch, version ")
