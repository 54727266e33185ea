import csv

import numpy as np
import pytest

from jaxsearch.models import portable
from jaxsearch.problems import files

COLUMNS = {"size": [], "color": ["a", "b"]}


@pytest.fixture
def run(tmp_path):
    """A directory as a run leaves it: the classes no and yes by the sign of size, or its double."""

    def write(task):
        layer = (
            np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]) if task == "classification" else np.array([[1.0], [0], [0]])
        )
        about = {"task": task, "columns": COLUMNS, "classes": ["no", "yes"] if task == "classification" else None}
        target = None if task == "classification" else (0.0, 0.5)
        bias = np.zeros(layer.shape[1])
        (tmp_path / "run").mkdir()
        model = portable.PortableModel({"activation": "relu"}, [(layer, bias)], np.zeros(3), np.ones(3), target, about)
        portable.save(tmp_path / "run" / "model.npz", model)
        (tmp_path / "new.csv").write_text("color,other,size\na,1,2.5\nc,2,-1\n")

    return write


def test_classes_with_their_probabilities(jaxsearch, run):
    run("classification")
    code, out, err = jaxsearch("predict", "run", "new.csv")
    rows = list(csv.DictReader(out.splitlines()))
    assert code == 0
    assert err.count("\n") == 1
    assert "color" in err  # c was not there in training
    assert [row["class"] for row in rows] == ["yes", "no"]
    assert float(rows[0]["probability_yes"]) == pytest.approx(1 / (1 + np.exp(-2.5)), rel=1e-5)
    assert float(rows[1]["probability_yes"]) + float(rows[1]["probability_no"]) == pytest.approx(1, abs=1e-5)


def test_values_into_a_file_that_is_replaced(jaxsearch, run, tmp_path):
    run("regression")
    (tmp_path / "found.csv").write_text("old")
    code, out, _ = jaxsearch("predict", "run/model.npz", "new.csv", "--out", "found.csv")
    assert code == 0
    assert "Wrote 2 predictions" in out
    assert (tmp_path / "found.csv").read_text() == "prediction\n5.0\n-2.0\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found.csv", "new.csv", "run"]


def known(tmp_path, task, metric):
    """Makes the model one of the column answer, measured by a metric."""
    path = tmp_path / "run" / "model.npz"
    model = portable.load(path)
    portable.save(path, model._replace(about=model.about | {"target": "answer", "metric": metric}))


def test_the_score_is_told_where_the_target_is_there(jaxsearch, run, tmp_path):
    run("classification")
    known(tmp_path, "classification", "accuracy")
    rows = ["a,2.5,yes,007", "b,-1,no,008", "b,-1,yes,009", "a,3,,010", "a,1,never,011"]
    (tmp_path / "new.csv").write_text("\n".join(["color,size,answer,number", *rows]) + "\n")
    code, out, err = jaxsearch("predict", "run", "new.csv", "--id", "number")
    assert code == 0
    found = list(csv.DictReader(out.splitlines()))
    assert list(found[0]) == ["number", "answer", "probability_no", "probability_yes"]
    assert [row["number"] for row in found] == ["007", "008", "009", "010", "011"]
    assert [row["answer"] for row in found] == ["yes", "no", "no", "yes", "yes"]
    assert err.splitlines()[-2:] == [
        "note: rows without a score: training had no 'never' in 'answer'",
        "accuracy 0.6667 on 3 rows whose answer is known",
    ]
    (tmp_path / "new.csv").write_text("color,size\na,1\n")
    assert jaxsearch("predict", "run", "new.csv")[2] == ""
    code, _, err = jaxsearch("predict", "run", "new.csv", "--id", "number")
    assert (code, err.count("\n")) == (2, 1)
    assert "number" in err


def test_a_file_is_read_as_often_as_needed(jaxsearch, run, tmp_path, monkeypatch):
    run("classification")
    known(tmp_path, "classification", "accuracy")
    (tmp_path / "new.csv").write_text("color,size,code,answer\na,1,05,yes\nb,2,n/a,\n")
    read, calls = files.read_frame, []
    monkeypatch.setattr(files, "read_frame", lambda *args, **options: calls.append(args) or read(*args, **options))
    code, out, err = jaxsearch("predict", "run", "new.csv", "--id", "code")
    assert (code, [line.split(",")[0] for line in out.splitlines()]) == (0, ["code", "05", "n/a"])
    # Nothing is said about columns that the model does not use, nor of options that predict has not.
    assert err == "accuracy 1 on 1 rows whose answer is known\n"
    assert len(calls) == 2
    (tmp_path / "new.csv").write_text("color,size,code\na,01,05\nb,2,n/a\n")
    assert jaxsearch("predict", "run", "new.csv")[2] == "note: numbers lose leading zeros: 'size'\n"
    assert len(calls) == 3


def test_the_score_of_numbers(jaxsearch, run, tmp_path):
    run("regression")
    known(tmp_path, "regression", "mae")
    (tmp_path / "new.csv").write_text("color,size,answer\na,1,2.5\nb,2,3\nb,2,\n")
    code, out, err = jaxsearch("predict", "run", "new.csv", "--out", "found.csv")
    assert (code, err) == (0, "")
    assert out.splitlines() == ["Wrote 3 predictions to found.csv", "mae 0.75 on 2 rows whose answer is known"]
    assert (tmp_path / "found.csv").read_text() == "answer\n2.0\n4.0\n4.0\n"
    (tmp_path / "new.csv").write_text("color,size,answer\na,1,2.5\nb,2,3 kg\n")
    code, out, err = jaxsearch("predict", "run", "new.csv")
    assert (code, out) == (0, "answer\n2.0\n4.0\n")
    assert err.startswith(
        "note: no score: Words among numbers count as missing if they have no digit; 'answer' has '3 kg'"
    )


def test_a_score_needs_the_unit_of_training(jaxsearch, run, tmp_path):
    run("regression")
    known(tmp_path, "regression", "mae")
    path = tmp_path / "run" / "model.npz"
    model = portable.load(path)
    portable.save(path, model._replace(about=model.about | {"reading": {"signs": {"answer": "%"}}}))
    (tmp_path / "new.csv").write_text("color,size,answer\na,1,2.5%\nb,2,3%\n")
    assert jaxsearch("predict", "run", "new.csv")[2].endswith("mae 0.75 on 2 rows whose answer is known\n")
    (tmp_path / "new.csv").write_text("color,size,answer\na,1,.025\nb,2,.03\n")
    code, out, err = jaxsearch("predict", "run", "new.csv")
    assert (code, out.splitlines()[1:], err.count("\n")) == (0, ["2.0", "4.0"], 1)
    assert "no score: New rows must be written as those of training; 'answer' has the sign 'none' here" in err


def test_the_target_of_arrays(jaxsearch, run, tmp_path):
    run("classification")
    path = tmp_path / "run" / "model.npz"
    model = portable.load(path)
    about = {"columns": {f"x{i}": [] for i in range(3)}, "target": "y", "metric": "error", "classes": ["0", "1"]}
    portable.save(path, model._replace(about=model.about | about))
    x = np.array([[1.0, 0, 0], [-1, 0, 0], [2, 0, 0], [3, 0, 0]])
    np.savez(tmp_path / "new.npz", x=x, y=np.array([1, 0, 0, 1]), name=np.array(["a", "b", "c", "d"]))
    code, out, err = jaxsearch("predict", "run", "new.npz", "--id", "name")
    assert (code, err) == (0, "error 0.25 on 4 rows whose y is known\n")
    assert [line.split(",")[:2] for line in out.splitlines()] == [
        ["name", "y"],
        ["a", "1"],
        ["b", "0"],
        ["c", "1"],
        ["d", "1"],
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "new.csv"], "nowhere is not there"),
        (["run", "nowhere.csv"], "nowhere.csv"),
        (["new.csv", "new.csv"], "is not a model written by jaxsearch"),
        (["half.npz", "new.csv"], "is not a model written by jaxsearch"),
        (["bare.npz", "new.csv"], "does not tell what its rows are"),
        (["run", "digits"], "there is no file digits"),
        (["run", "short.csv"], "'size' is missing"),
        (["run", "new.csv", "--out", "no/where/found.csv"], "no/where"),
    ],
)
def test_bad_input_gets_one_line(jaxsearch, run, tmp_path, arguments, message):
    run("classification")
    (tmp_path / "short.csv").write_text("color\na\n")
    model = portable.load(tmp_path / "run" / "model.npz")
    portable.save(tmp_path / "bare.npz", model._replace(about={}))
    (tmp_path / "half.npz").write_bytes((tmp_path / "run" / "model.npz").read_bytes()[:300])
    code, _, err = jaxsearch("predict", *arguments)
    lines = [line for line in err.splitlines() if not line.startswith("note")]
    assert (code, len(lines)) == (2, 1)
    assert message in lines[0]


def test_new_rows_in_another_dialect(jaxsearch, run, tmp_path):
    run("regression")
    path = tmp_path / "run" / "model.npz"
    model = portable.load(path)
    portable.save(path, model._replace(about=model.about | {"reading": {"decimal": ",", "missing": ["-9"]}}))
    (tmp_path / "new.csv").write_bytes("größe~color~size\n1~a~-9\n2~b~1,250\n".encode("cp850"))
    options = ["--separator", "~", "--encoding", "cp850"]
    code, out, _ = jaxsearch("predict", "run", "new.csv", *options)
    assert (code, out) == (0, "prediction\n0.0\n2.5\n")
    code, out, _ = jaxsearch("predict", "run", "new.csv", *options, "--decimal", ".", "--missing", "1,250")
    assert (code, out) == (0, "prediction\n0.0\n0.0\n")
