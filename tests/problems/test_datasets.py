import numpy as np
import pytest

from jaxsearch.problems.datasets import BUILT_IN, load_built_in, read_csv


@pytest.fixture
def csv(tmp_path):
    def write(text, name="table.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_sets(name):
    table = load_built_in(name)
    assert table.x.dtype == np.float32
    assert len(table.x) == len(table.y)
    assert len(table.columns) == table.x.shape[1]
    if table.classes:
        assert set(table.y) == set(range(len(table.classes)))


def test_numbers_text_and_missing_values(csv):
    table = read_csv(csv("size,color,flag,kind\n1,red,True,a\n,blue,False,b\n3,,True,a\n4,red,False,\n"), "kind")
    assert table.task == "classification"
    assert table.classes == ["a", "b"]
    assert table.columns == {"size": [], "color": ["blue", "red"], "flag": []}
    expected = [[1, 0, 1, 1], [np.nan, 1, 0, 0], [3, 0, 0, 1]]
    np.testing.assert_array_equal(table.x, np.array(expected, np.float32))
    np.testing.assert_array_equal(table.y, [0, 1, 0])
    assert table.notes == ["left out 1 rows without a value of kind"]


@pytest.mark.parametrize(
    ("target", "task", "expected"),
    [("few", None, "classification"), ("few", "regression", "regression"), ("real", None, "regression")],
)
def test_the_task_is_told_from_the_target(csv, target, task, expected):
    rows = "".join(f"{i % 3},{i + 0.5},{i}\n" for i in range(30))
    assert read_csv(csv("few,real,x\n" + rows), target, task).task == expected


def test_constant_columns_are_said(csv):
    assert "constant columns" in read_csv(csv("a,b,y\n1,2,0\n1,3,1\n"), "y").notes[0]


@pytest.mark.parametrize(
    ("text", "target", "task", "message"),
    [
        ("", "y", None, "CSV file with a header line"),
        ("a,y\n", "y", None, "must have rows"),
        ("y\n1\n2\n", "y", None, "at least one column beside y"),
        ("price,y\n1,2\n2,3\n", "prize", None, "Unknown column 'prize'. Did you mean price"),
        ("a,y\n1,x\n2,z\n", "y", "regression", "Regression needs numbers .* has text such as 'x'"),
        ("a,y\n,1\n,2\n", "y", None, "a has none. Leave it out: --drop 'a'"),
        ("a,y\ninf,1\n1,2\n", "y", None, "a has infinite values"),
        ("a,y\n1,5\n2,5\n", "y", "classification", "two classes or more; y has 1"),
        ("a,y\n1,inf\n2,5\n", "y", "regression", "finite targets"),
        ("a,y\n1,5\n2,5\n", "y", "regression", "target that varies"),
        ("a,y\n1,2,0.5\n3,4,0.7\n", "y", None, "more fields than its header"),
        ("a,y\n1e40,1\n1,2\n", "y", None, "in the range of float32"),
        ("a,y\n1,\n2,\n", "y", None, "needs rows"),
        ("a,y\n" + "".join(f"name{i},{i % 2}\n" for i in range(150)), "y", None, "at most 100 values; a has 150"),
        ('a,y\n"1,2\n3,4', "y", None, "must be a CSV file"),
    ],
)
def test_what_cannot_be_used_is_told(csv, text, target, task, message):
    with pytest.raises(ValueError, match=message):
        read_csv(csv(text), target, task)


def test_a_dropped_column_is_not_read(csv):
    path = csv("a,id,y\n1,,0\n2,,1\n")
    assert read_csv(path, "y", drop=("id",)).columns == {"a": []}
    with pytest.raises(ValueError, match="Unknown column 'ids'. Did you mean id"):
        read_csv(path, "y", drop=("ids",))


def test_a_missing_file(tmp_path):
    with pytest.raises(ValueError, match="there is no file"):
        read_csv(tmp_path / "none.csv", "y")
