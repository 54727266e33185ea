"""Files as people have them: the usable ones run, the others get one line and exit code 2."""

import json

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet
import pytest

from jaxsearch.models import portable
from jaxsearch.problems.datasets import load_rows

TINY = "--strategy random_search --budget 2 --folds 2 --epochs 1 --max-layers 1 --max-width 8 --out r".split()
ROWS = "".join(f"{i},{i % 2}\n" for i in range(20))
TEXT = {
    "nothing": ("", "with a header line"),
    "no rows": ("a,y\n", "needs rows"),
    "half UTF-8": ("größe,ä,y\n".encode() + b"\xff,1,1\n", "byte 0xff in line 2 is not, though other lines are"),
    "binary": (bytes(range(256)), "bad.csv must be text; it has bytes such as NUL"),
    "an open quote": ('a,y\n1,0\n"2,1\n', "must close; one that opens in line 3 does not"),
    "long rows": ("a,y\n1,0,3\n2,1,4\n", "line 2 has 3 fields, the header 2. Add a name to the header for every"),
    "a longer row": ("a,y\n1,0\n\n2,1,4\n", "line 4 has 3 fields, the header 2. Correct the line"),
    "no header": ("1.5,0\n2.5,1\n", "must have the names of its columns; it has numbers: '1.5 0'"),
    "the same name twice": ("a,a,y\n1,2,0\n3,4,1\n", "Column names must differ; 'a'"),
    "an index": (",a,y\n0,1,0\n1,2,1\n", "column 1 has none, as an index. Name it, or drop it: --drop ''"),
    "no such target": ("a,yy\n" + ROWS, "Unknown column 'y'. Did you mean yy"),
    "an empty column": (
        "a,b,y\n,1,0\n,2,1\n",
        "Every column needs values; 'a' has none. Fill it in, or leave out: --drop a.",
    ),
    "infinities": ("a,y\ninf,0\n1,1\n", "'a' has infinite or larger values"),
    "beyond float32": ("a,y\n1e39,0\n1,1\n", "'a' has infinite or larger values"),
    "dates of two orders": (
        "a,y\n13/2/2020,0\n2/13/2020,1\n",
        "'a' has dates with the day first, '13/2/2020', and with the month first, '2/13/2020'. Write them as",
    ),
    "words among numbers": (
        "a,y\nlow,0\n" + "".join(f"{i},{i % 2}\n" for i in range(150)),
        "'a' has 150 numbers and words such as 'low'. Count words as missing: --number a, or leave out: --drop a.",
    ),
    "one class": ("a,y\n1,0\n2,0\n", "two classes or more; the target 'y' has 1 value"),
    "no target anywhere": ("a,y\n1,\n2,\n", "needs rows"),
    "a rare class": ("a,y\n" + ROWS + "1,7\n", "class '7' has 0 of 1 rows after the test split"),
    "one row": ("a,y\n1,0\n", "two classes or more"),
}


def complain(jaxsearch, tmp_path, name, message, *options):
    code, _, err = jaxsearch("run", name, *options)
    assert code == 2
    assert message in err
    *notes, error = err.splitlines()
    assert error.startswith("Error: ")
    assert all(note.startswith("note: ") for note in notes)
    assert [path.name for path in tmp_path.iterdir()] == [name], "something was left behind"


@pytest.mark.parametrize("case", TEXT)
def test_bad_text(jaxsearch, tmp_path, case):
    content, message = TEXT[case]
    (tmp_path / "bad.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    complain(jaxsearch, tmp_path, "bad.csv", message, "--target", "y")


PARQUET = {
    "lists": (
        {"a": [[1], [2]], "y": [0, 1]},
        "'a' has values of type list. Give every number in them a column, or leave out: --drop a.",
    ),
    "bytes": (
        {"a": [b"x", b"y"], "y": [0, 1]},
        "'a' has values of type bytes. Decode them to text, or leave out: --drop a.",
    ),
    "times in the target": (
        {"a": [0, 1], "y": np.array([0, 1], "datetime64[s]")},
        "A target holds numbers or text; 'y' has '1970-01-01 00:00:00', a date",
    ),
    "an empty column": ({"a": pyarrow.nulls(2), "b": [1, 2], "y": [0, 1]}, "'a' has none. Fill it in"),
}


@pytest.mark.parametrize("case", PARQUET)
def test_bad_parquet(jaxsearch, tmp_path, case):
    columns, message = PARQUET[case]
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "bad.parquet")
    complain(jaxsearch, tmp_path, "bad.parquet", message, "--target", "y")


def test_half_a_file(jaxsearch, tmp_path):
    path = tmp_path / "bad.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": [1, 2], "y": [0, 1]}), path)
    path.write_bytes(path.read_bytes()[:-20])
    complain(jaxsearch, tmp_path, "bad.parquet", "must be a Parquet file", "--target", "y")


NPZ = {
    "no targets": ({"x": np.zeros((4, 2))}, "Unknown array 'y'. Use one of x"),
    "objects": ({"x": np.array([{}]), "y": np.zeros(1)}, "without pickled objects"),
    "a vector": ({"x": np.zeros(4), "y": np.zeros(4)}, "its shape is (4,). Reshape it"),
    "other rows": ({"x": np.zeros((4, 2)), "y": np.zeros(3)}, "'y' must be [4], an entry per row of x"),
    "text": ({"x": np.array([["a"]]), "y": np.zeros(1)}, "x must hold numbers"),
}


@pytest.mark.parametrize("case", NPZ)
def test_bad_npz(jaxsearch, tmp_path, case):
    arrays, message = NPZ[case]
    np.savez(tmp_path / "bad.npz", allow_pickle=True, **arrays)
    complain(jaxsearch, tmp_path, "bad.npz", message)


def test_other_files(jaxsearch, tmp_path):
    (tmp_path / "bad.ods").write_text("a,y\n" + ROWS)
    known = ".csv, .tsv, .tab, .txt, .xlsx, .xlsm, .parquet, .pq, .npz"
    complain(jaxsearch, tmp_path, "bad.ods", f"must end in {known}", "--target", "y")
    (tmp_path / "bad.ods").unlink()
    (tmp_path / "folder.csv").mkdir()
    complain(jaxsearch, tmp_path, "folder.csv", "there is no file folder.csv", "--target", "y")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--group", "g"], "Every row needs a group; 1 rows have no 'g'"),
        (["--group", "few", "--folds", 2], "need 2 groups of rows or more; there are 1"),
        (["--group", "y"], "Target, group and dropped columns must differ"),
        (["--group", "gg"], "Unknown column 'gg'"),
        (["--drop", "y"], "Target, group and dropped columns must differ"),
    ],
)
def test_bad_groups(jaxsearch, tmp_path, options, message):
    rows = [f"{i},{i % 2},{i % 5 or ''},{i % 2}" for i in range(1, 6)] + [f"{i},{i % 2},1,{i % 2}" for i in range(30)]
    (tmp_path / "bad.csv").write_text("\n".join(["a,y,g,few", *rows]))
    complain(jaxsearch, tmp_path, "bad.csv", message, "--target", "y", *options)


def test_a_parquet_file_with_groups_and_its_network_on_new_rows(jaxsearch, tmp_path):
    random = np.random.default_rng(0)
    frame = pandas.DataFrame({"size": random.normal(size=60), "color": random.choice(["red", "blue", None], 60)})
    frame["answer"] = np.where(frame["size"] > 0, "yes", "no")
    frame["patient"] = [f"patient {i // 4}" for i in range(60)]
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    code, out, err = jaxsearch("run", "t.parquet", "--target", "answer", "--group", "patient", *TINY)
    assert (code, err) == (0, "")
    assert "60 rows, 3 features, 2 classes; 12 rows are kept for the test" in out
    assert json.loads((tmp_path / "r" / "best.json").read_text())["group"] == "patient"
    model = portable.load(tmp_path / "r" / "model.npz")
    frame.drop(columns=["answer", "patient"]).to_csv(tmp_path / "new.csv", index=False)
    rows = load_rows(tmp_path / "new.csv", model.about["columns"])
    color = frame["color"].to_numpy()
    expected = np.column_stack([frame["size"], color == "blue", color == "red"]).astype(np.float32)
    np.testing.assert_array_equal(rows.x, expected)
    assert model.predict(rows.x).shape == (60, 2)


def test_images_in_an_npz_file(jaxsearch, tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "images.npz", x=random.integers(0, 255, (40, 3, 3), np.uint8), y=np.arange(40) % 2)
    code, out, err = jaxsearch("run", "images.npz", *TINY)
    assert (code, err) == (0, "")
    assert "40 rows, 9 features, 2 classes" in out


def test_options_say_how_a_file_is_written(jaxsearch, tmp_path):
    rows = "".join(f"{i},5~{i % 2}~{'no' if i % 2 else '?'}\n" for i in range(20))
    (tmp_path / "bad.csv").write_bytes(("größe~a~y\n" + rows).encode("cp850"))
    options = ["--separator", "~", "--decimal", ",", "--encoding", "cp850", "--target", "y"]
    complain(jaxsearch, tmp_path, "bad.csv", "the target 'y' has 1 value", *options, "--missing", "?")
    complain(
        jaxsearch, tmp_path, "bad.csv", "Unknown column 'groesse'. Did you mean größe", *options, "--drop", "groesse"
    )
