"""Whatever a file has in it, loading gives a valid table or one line that says what to do."""

import csv
import datetime
import decimal
import io
import json
import re

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from jaxsearch.problems.datasets import load, load_rows

NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.booleans(),
)
TEXT = st.one_of(st.sampled_from(["a", "b", "", " ", "NA", "1", "?", "2020-01-02", "1e999", "True", "é"]), st.text())
DATES = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1))
KINDS = [
    st.integers(-3, 3),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    TEXT,
    st.sampled_from(["red", "blue"]),
    DATES,
    DATES.map(lambda date: date.date()),
    st.decimals(-(10**6), 10**6, places=2),
    st.binary(max_size=3),
    st.lists(st.integers(0, 3), max_size=2),
    st.fixed_dictionaries({"a": st.integers(0, 3)}),
    st.none(),
]
LINE = re.compile(r"(Unknown [^\n]+[.?])|([^\n]+; [^\n]+\. [^\n]+[.])")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def check(source, **options):
    """Loads the source; if it has a table, the table must be valid and its rows as good as new."""
    table, message = None, ""
    try:
        table = load(source, **options)
    except ValueError as error:
        message = str(error)
    if table is None:
        assert LINE.fullmatch(message), message
        return
    count = len(table.x)
    assert count > 0
    assert table.x.dtype == np.float32
    assert not np.any(np.isinf(table.x))
    assert table.y.shape == (count,)
    assert table.groups is None or (table.groups.shape, table.groups.dtype) == ((count,), np.int32)
    if table.task == "classification":
        assert table.y.dtype == np.int32
        assert sorted(set(table.y)) == list(range(len(table.classes)))
    else:
        assert table.y.dtype == np.float32
        assert np.all(np.isfinite(table.y))
    flat = table.flat().x
    assert flat.shape == (count, sum(len(about["features"]) for about in table.columns.values()))
    assert np.all(np.any(np.isfinite(flat), axis=0))
    assert all("\n" not in note for note in table.notes)
    if not any("left out" in note for note in table.notes):
        rows = load_rows(source, json.loads(json.dumps(table.columns)))
        np.testing.assert_array_equal(rows.x, flat)


def choices(names):
    """Arguments of `load` that mostly make sense."""
    name = st.sampled_from([*names, "y", "z"])
    return st.fixed_dictionaries(
        {"target": st.sampled_from(["y"] * 9) | name},
        optional={
            "task": st.sampled_from(["classification", "regression"]),
            "drop": st.lists(name, max_size=2),
            "group": name,
        },
    )


def names(data, *others):
    """Mostly different names, y among them."""
    first = data.draw(st.sampled_from(["y"] * 9 + ["z"]))
    name = st.sampled_from("abcde") | st.text(min_size=1, max_size=4)
    more = data.draw(st.lists(st.one_of(name, *others), min_size=1, max_size=4, unique_by=str))
    return data.draw(st.sampled_from([[first, *more]] * 9 + [["y", "y", *more], ["", first, *more]]))


def height(data):
    """Mostly a few rows, seldom one or none."""
    return data.draw(st.sampled_from([3, 4, 5, 8] * 3 + [0, 1]))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_csv(folder, data):
    header = names(data)
    kinds = [data.draw(st.sampled_from([*KINDS, NUMBERS | TEXT])) for _ in header]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=data.draw(st.sampled_from(",,,,,,,,,,,,,,,,,,;\t")))
    writer.writerow(header)
    for _ in range(height(data)):
        row = [data.draw(kind | st.none()) for kind in kinds]
        writer.writerow(row[: data.draw(st.sampled_from([len(row)] * 9 + [1]))])
    path = folder / data.draw(st.sampled_from(["t.csv"] * 9 + ["t.tsv"]))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig"] * 9 + ["utf-16", "latin-1"]))
    path.write_bytes(text.getvalue().encode(encoding, "replace"))
    check(path, **data.draw(choices(header)))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_parquet(folder, data):
    header, count, columns = names(data), height(data), []
    for _ in header:
        kind = data.draw(st.sampled_from(KINDS))
        missing = data.draw(st.sampled_from([kind, kind | st.none()]))
        column = pyarrow.array([data.draw(missing) for _ in range(count)])
        if pyarrow.types.is_string(column.type) and data.draw(st.booleans()):
            column = column.dictionary_encode()
        columns.append(column)
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(columns, header), folder / "t.parquet")
    check(folder / "t.parquet", **data.draw(choices(header)))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_data_frames(data):
    """Here a column may mix types, and a name may be anything."""
    anything = st.one_of(*KINDS, st.complex_numbers(), st.just(pandas.NA), st.just(pandas.NaT), st.just(10**400))
    header, count = names(data, st.integers(0, 3), st.tuples(st.integers(0, 3))), height(data)
    kinds = [data.draw(st.sampled_from([*KINDS, *KINDS, NUMBERS, anything])) for _ in header]
    columns = [pandas.Series([data.draw(kind) for _ in range(count)], dtype=object) for kind in kinds]
    columns = [column if data.draw(st.booleans()) else column.infer_objects() for column in columns]
    frame = pandas.concat(columns, axis=1)
    frame.columns = pandas.Index(header, tupleize_cols=False)
    check(frame, **data.draw(choices([str(name) for name in header])))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_npz(folder, data):
    count = height(data)
    plain = st.sampled_from(["f4", "f8", "i8", "u1", "?"])
    shape = (count, *data.draw(st.lists(st.sampled_from([1, 2, 3] * 3 + [0]), max_size=4)))
    found = {"x": data.draw(arrays.arrays(data.draw(plain | arrays.scalar_dtypes()), shape))}
    for name in data.draw(st.sampled_from(["yg", "yg", "yg", "y", "g", ""])):
        entries = data.draw(plain | plain | st.just("U1") | arrays.scalar_dtypes())
        found[name] = data.draw(arrays.arrays(entries, data.draw(st.sampled_from([count] * 9 + [(count, 1), 3]))))
    np.savez(folder / "t.npz", **found)
    options = {"target": st.sampled_from("yyygz"), "group": st.sampled_from("gggxz")}
    check(folder / "t.npz", **data.draw(st.fixed_dictionaries({}, optional=options)))


def valid(folder, name):
    frame = pandas.DataFrame({"a": [1.5, 2.5, 3.5], "b": ["u", "v", "u"], "y": [0, 1, 0]})
    path = folder / name
    if name.endswith("npz"):
        np.savez(path, x=np.arange(6.0).reshape(3, 2), y=np.array([0, 1, 0]))
    elif name.endswith("csv"):
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.npz"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_files(folder, name, data):
    path = valid(folder, name)
    assert len(load(path, "y").x) == 3
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), data.draw(st.integers(0, len(content)))]))])
    check(path, target="y")


def test_decimals_of_any_size():
    frame = pandas.DataFrame({"a": [decimal.Decimal("1e500"), decimal.Decimal(1)], "y": [0, 1]})
    check(frame, target="y")
