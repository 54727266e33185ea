"""`jaxsearch check`, and what `jaxsearch run` says of a table before it begins."""

import numpy as np
import pandas
import pytest

A = np.random.default_rng(0).normal(size=60).round(3)
Y = np.random.default_rng(1).permutation(["no", "yes"] * 30)
GROUP = {"g": np.arange(60) % 10}
COUNTS = [3, *range(9), *range(9), *[5, 6] * 20, 12]


def cells(out):
    """The rows of the table in the output, without its frame."""
    lines = [line for line in out.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


@pytest.fixture
def table(tmp_path):
    def write(**columns):
        pandas.DataFrame({"a": A} | columns).to_csv(tmp_path / "t.csv", index=False)

    return write


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


def test_every_column_is_shown(jaxsearch, table):
    city = [["Rome", "Oslo", " Rome"][i % 3] for i in range(60)]
    flag = np.where(A > 1, "x", None)
    days = pandas.date_range("2020-01-31", periods=60).strftime("%d.%m.%Y")
    ages = np.where(np.arange(60) < 9, np.nan, np.arange(60) % 7)
    table(row=range(60), city=city, flag=flag, day=days, age=ages, name=[f"n{i}" for i in range(60)], z=A, y=Y, **GROUP)
    code, out, err = jaxsearch("check", "t.csv", "--target", "y", "--group", "g", "--drop", "z")
    assert (code, err) == (0, "")
    assert "t: 60 rows, 9 features, classification" in out
    assert cells(out) == [
        ["y", "target", "", "", "no 30, yes 30", "2 classes"],
        ["g", "group", "", "", "10 groups", ""],
        ["a", "number", "1", "", f"{A.min():g} to {A.max():g}", ""],
        ["row", "left out", "", "", "0, 1, 2, 57 more", "it counts the rows"],
        ["city", "category", "2", "", "Rome 40, Oslo 20", ""],
        ["flag", "flag", "1", str(np.sum(A <= 1)), f"x {np.sum(A > 1)}", ""],
        ["day", "date", "3", "", "2020-01-31 to 2020-03-30", "day first in the text"],
        ["age", "number", "2", "9", "0 to 6", "missing is a feature"],
        ["name", "left out", "", "", "n0, n1, n2, 57 more", "most of its rows have a text of their own, as with names"],
        ["z", "dropped", "", "", "", "dropped by the user"],
    ]
    assert "note: left out what looks like row numbers: 'row'; --drop row, or keep one by --number" in out
    assert out.endswith("The table can be used.\n")


def test_all_problems_at_once(jaxsearch, table):
    table(b=None, c=[*range(59), "low"], name=[f"n{i}" for i in range(60)], y="yes")
    for command in ("check", "run"):
        code, out, err = jaxsearch(command, "t.csv", "--target", "y")
        assert code == 2
        *notes, error = [line for line in (out + err).splitlines() if line.startswith(("note", "Error"))]
        assert error.startswith("Error: Classification needs two classes or more; the target 'y' has 1 value.")
        assert error.endswith("Or leave them out: --drop b --drop c.")
        assert any("left out what looks like names" in note for note in notes)
    _, out, _ = jaxsearch("check", "t.csv", "--target", "y")
    assert [row[1] for row in cells(out)] == ["target", "number", "unusable", "unusable", "left out"]


def test_other_sources(jaxsearch, tmp_path):
    code, out, _ = jaxsearch("check", "iris")
    assert code == 0
    assert cells(out)[:2] == [
        ["target", "target", "", "", "setosa 50, versicolor 50, virginica 50", "classification"],
        ["sepal length (cm)", "number", "1", "", "4.3 to 7.9", ""],
    ]
    np.savez(tmp_path / "t.npz", x=np.arange(48.0).reshape(4, 2, 6), y=[0, 1, 0, 1])
    code, out, _ = jaxsearch("check", "t.npz")
    assert code == 0
    assert cells(out)[1] == ["pixel_0_0", "number", "1", "", "0 to 36", ""]
    pandas.DataFrame({"a": A, "b": A, "y": Y}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "t.toml").write_text('data = "t.csv"\ntarget = "y"\ndrop = ["b"]\nbudget = 3')
    code, out, _ = jaxsearch("check", "t.toml")
    assert code == 0
    assert [row[1] for row in cells(out)] == ["target", "number", "dropped"]


@pytest.mark.parametrize(
    ("y", "options", "remedy"),
    [
        (["r"] + ["p"] * 29 + ["q"] * 30, [], "Leave rare classes out by --rare-classes drop, or put them together by"),
        (["r"] * 4 + ["p"] * 26 + ["q"] * 30, [], "Use --folds 3 or fewer, or leave rare classes out by"),
        (COUNTS, [], "or use --task regression if they are amounts, or add rows"),
        (
            COUNTS,
            ["--task", "classification"],
            "--rare-classes merge, or add rows",
        ),
        (A, ["--folds", 50], "the table has 48 of 60 rows after the test split. Use --folds 48 or fewer, or add rows"),
    ],
)
def test_too_few_rows_for_the_folds(jaxsearch, table, y, options, remedy):
    table(y=y)
    if "--folds" not in options:
        code, out, _ = jaxsearch("check", "t.csv", "--target", "y", *options)
        assert code == 0
        assert "The table can be used, but a run stops so far: 5 folds need 5 training rows" in out
    code, _, err = jaxsearch("run", "t.csv", "--target", "y", *options)
    assert code == 2
    assert remedy in err.splitlines()[-1]
    if len(err.splitlines()) > 1:
        assert err.startswith("note: ")
