"""What columns count as, for the rows of training and for new rows."""

import datetime
import itertools
import json
import shlex

import numpy as np
import pandas
import pytest

from jaxsearch.problems.datasets import load, load_rows
from jaxsearch.problems.labelled import UnusableTableError

Y = np.random.default_rng(1).permutation(["no", "yes"] * 30).tolist()
A = np.random.default_rng(0).normal(size=60).round(3)


@pytest.fixture
def csv(tmp_path):
    """Writes columns as a file, with y and a number beside them, and gives its path."""

    def write(columns, name="t.csv"):
        frame = pandas.DataFrame({"a": A, "y": Y} | columns)
        path = tmp_path / name
        frame.to_csv(path, index=False)
        return path

    return write


def kinds(table):
    return {name: about["kind"] for name, about in table.columns.items()}


def again(source, table):
    """The same rows once more, by the description of the columns as it is after a journey through JSON."""
    return load_rows(source, json.loads(json.dumps(table.columns)))


@pytest.mark.parametrize("value", ["1", "x", "True", "2020-01-31"])
def test_one_value_or_missing_is_a_flag(csv, value):
    path = csv({"discharged": [value if label == "yes" else None for label in Y]})
    table = load(path, "y")
    assert kinds(table) == {"a": "number", "discharged": "flag"}
    np.testing.assert_array_equal(table.x[:, 1], table.y)
    assert "'discharged' may tell the answer: whether it is missing decides 'y'; --drop discharged" in table.notes[0]
    np.testing.assert_array_equal(again(path, table).x, table.x)
    assert load(csv({"discharged": value}), "y").columns["discharged"]["kind"] != "flag"


def test_a_feature_says_what_is_missing():
    some = np.arange(60) % 4 == 0
    frame = pandas.DataFrame({"b": np.where(some, np.nan, A), "c": np.where(some, np.nan, -A), "y": Y})
    frame["few"] = [np.nan] * 4 + list(A[4:])
    frame["many"] = list(A[:4]) + [np.nan] * 56
    table = load(frame, "y")
    names = [name for about in table.columns.values() for name in about["features"]]
    assert names == ["b", "b is missing", "c", "few", "many"], "b and c are missing together"
    np.testing.assert_array_equal(table.x[:, 1], some)
    np.testing.assert_array_equal(again(frame[:9], table).x, table.x[:9])
    values = np.where(np.arange(600) < 5, np.nan, np.arange(600) % 7)
    assert load(pandas.DataFrame({"b": values, "y": Y * 10}), "y").x.shape == (600, 1), "5 of 600 rows are too few"


def test_a_row_number_is_left_out():
    frame = pandas.DataFrame({"id": np.arange(60), "year": np.arange(60) + 1960, "a": A, "y": Y})
    table = load(frame, "y")
    assert kinds(table) == {"id": "left out", "year": "number", "a": "number"}
    assert table.x.shape == (60, 2)
    row_number, left_out = table.notes
    assert row_number == "'year' looks like a row number; --drop year unless it says something about new rows"
    assert left_out == "left out what looks like row numbers: 'id'; --drop id, or keep one by --number"
    assert again(frame.drop(columns="id"), table).x.shape == (60, 2), "new rows do not need it"
    assert load(frame, "y", number=["id"]).x.shape == (60, 3)
    assert load(frame[["id", "y"]], "y").x.shape == (60, 1), "it stays where it is all there is"
    assert kinds(load(frame[:19], "y"))["id"] == "number", "few rows may be so by chance"
    assert kinds(load(frame.assign(id=[3, *range(1, 60)]), "y"))["id"] == "number"


def test_names_are_left_out(csv):
    path = csv({"id": [f"u{i:05}" for i in range(60)], "name": ["Ann", "Bob", *(f"N {i}" for i in range(58))]})
    table = load(path, "y")
    assert kinds(table) == {"a": "number", "id": "left out", "name": "left out"}
    expected = "left out what looks like names, a text of its own in most rows: 'id', 'name'; --drop id --drop name"
    assert table.notes == [f"{expected}, or keep one by --categorical"]
    with pytest.raises(UnusableTableError, match="'t' needs a column that tells something; all are left out"):
        load(path, "y", drop=["a"])


def test_rare_categories_go_together():
    city = [f"c{i}" for i in range(25)] + ["p"] * 60 + ["q"] * 15
    frame = pandas.DataFrame({"city": city, "y": ["no", "yes"] * 50})
    table = load(frame, "y")
    assert table.columns["city"] == {
        "kind": "category",
        "features": ["city=p", "city=q", "city=..."],
        "categories": ["p", "q"],
        "rest": True,
    }
    assert table.notes == ["25 rare values of 'city' count as one, beside 2 others"]
    np.testing.assert_array_equal(table.x.sum(axis=0), [60, 15, 25])
    new = again(pandas.DataFrame({"city": ["p", "new", None, "c3"]}), table)
    np.testing.assert_array_equal(new.x, [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 1]])
    assert new.notes == []


def test_a_column_has_at_most_a_hundred_categories():
    frame = pandas.DataFrame({"city": [f"c{i // 3}" for i in range(600)], "y": ["no", "yes"] * 300})
    assert load(frame, "y").x.shape == (600, 100)
    assert load(frame[:300], "y").x.shape == (300, 100)
    assert "rest" in load(frame, "y").columns["city"]
    assert "rest" not in load(frame[:300], "y").columns["city"]


def test_blanks_around_values_do_not_count(csv):
    path = csv({"city": ["Paris", " Paris", "paris ", "PARIS", "Rome", "\tRome"] * 10})
    table = load(path, "y")
    assert table.columns["city"]["categories"] == ["PARIS", "Paris", "Rome", "paris"]
    words = "'PARIS', 'Paris', 'paris'; write them alike"
    assert table.notes == [f"'city' has values that differ in case only, and stay apart: {words}"]
    np.testing.assert_array_equal(again(path, table).x, table.x)
    frame = pandas.DataFrame({"a": A, "y": ["yes", "yes ", "YES", "no", "NO", " no"] * 10})
    table = load(frame, "y")
    assert table.classes == ["NO", "YES", "no", "yes"]
    assert table.notes == [
        "'y' has values that differ in case only, and stay apart: 'NO', 'no' and 1 more such; write them alike"
    ]


CODES = np.array([3, 0, 1, 4, 5, 2] * 10)


def test_the_user_says_what_is_categorical(csv):
    parity = {"y": np.where(CODES % 2, "yes", "no"), "code": CODES}
    path = csv(parity)
    (note,) = load(path, "y").notes
    assert note.endswith(
        "--drop code if it is not known when you predict, or --categorical code if its numbers are codes"
    )
    table = load(path, "y", categorical=["code"])
    assert table.columns["code"]["categories"] == list("012345")
    np.testing.assert_array_equal(table.x[:, 1:].argmax(axis=1), CODES)
    np.testing.assert_array_equal(again(path, table).x, table.x)
    frame = pandas.DataFrame({"a": A} | parity | {"code": CODES.astype(float)})
    np.testing.assert_array_equal(load(frame, "y", categorical=["code"]).x[:, 1:], table.x[:, 1:])
    np.testing.assert_array_equal(again(frame, table).x, table.x, err_msg="1 and 1.0 are the same")
    with pytest.raises(ValueError, match="Unknown column 'cod'. Did you mean code"):
        load(path, "y", categorical=["cod"])
    with pytest.raises(ValueError, match="'code' is named twice among target, group, dropped, categorical and number"):
        load(path, "y", categorical=["code"], number=["code"])


def test_leading_zeros(csv):
    path = csv({"zip": [f"{i % 6:05}" for i in range(60)], "y": ["01", "02"] * 30})
    table = load(path, "y", categorical=["zip"])
    assert table.classes == ["01", "02"]
    assert table.columns["zip"]["categories"] == [f"{i:05}" for i in range(6)]
    np.testing.assert_array_equal(again(path, table).x, table.x)
    assert any("leading zeros" in note and "'zip'" in note for note in load(path, "y").notes)
    # A target has no such way.
    assert not any("'zip'" in note for note in load(path, "zip", "regression").notes)


def test_the_user_says_what_are_numbers(csv):
    path = csv({"size": [*map(str, range(100, 159)), "low"]})
    message = "'size' has 59 numbers and words such as 'low'. Count words as missing: --number size, or leave out"
    with pytest.raises(UnusableTableError, match=message):
        load(path, "y")
    table = load(path, "y", number=["size"])
    assert table.notes == ["words in 'size' count as missing: 'low'"]
    np.testing.assert_array_equal(table.x[:, 1], [*range(100, 159), np.nan])
    np.testing.assert_array_equal(again(path, table).x, table.x)
    with pytest.raises(UnusableTableError, match="'size' has '<5'. Correct it, or count it as missing: --missing '<5'"):
        load(csv({"size": [*range(100, 159), "<5"]}), "y", number=["size"])
    with pytest.raises(UnusableTableError, match="--number needs a column of numbers; 'b' has 'u', 'v'. Leave that"):
        load(csv({"b": ["u", "v"] * 30}), "y", number=["b"])


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["<5", "<9"], "count them as missing: --missing '<5' --missing '<9', or leave out"),
        (["<5", "low"], "count it as missing: --missing '<5' --number size, or leave out"),
        ([f"<{i}" for i in range(6)], "such as '<0'. Correct them, or leave out"),
    ],
)
def test_what_helps_against_words_among_numbers_does(csv, words, remedy):
    path = csv({"size": [*range(200, 260 - len(words)), *words]})
    with pytest.raises(UnusableTableError, match=remedy) as error:
        load(path, "y")
    options = shlex.split(str(error.value).split("missing: ")[-1].split(", or leave out")[0])
    typed = {
        name: [two for one, two in itertools.pairwise(options) if one == f"--{name}"] for name in ("missing", "number")
    }
    if typed["missing"]:
        table = load(path, "y", **typed)
        assert table.columns["size"]["kind"] == "number"
        np.testing.assert_array_equal(load_rows(path, table.columns, table.reading).x, table.x)


def test_ordered_categories_keep_their_order(tmp_path):
    levels = ["low", "mid", "high"]
    frame = pandas.DataFrame({"level": pandas.Categorical(levels * 20, levels, ordered=True), "a": A, "y": Y})
    frame.loc[:5, "level"] = None
    table = load(frame, "y")
    assert table.columns["level"]["features"] == ["level", "level is missing"]
    np.testing.assert_array_equal(table.x[6:9, 0], [0, 1, 2])
    np.testing.assert_array_equal(table.x[:6, :2], [[np.nan, 1]] * 6)
    frame.to_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(load(tmp_path / "t.parquet", "y").x, table.x)
    frame.to_csv(tmp_path / "t.csv")
    np.testing.assert_array_equal(again(tmp_path / "t.csv", table).x, table.x)
    new = again(pandas.DataFrame({"level": ["high", "none"], "a": 0}), table)
    np.testing.assert_array_equal(new.x[:, :2], [[2, 0], [np.nan, 1]])
    assert new.notes == ["values that training had not count as missing: 'none' in 'level'"]


def test_categories_that_are_numbers_stay_categories_in_parquet(tmp_path):
    codes = pandas.Series([3, 1, 7] * 20)
    some = codes.mask(codes.index < 9).astype("Int64").astype("category")
    frame = pandas.DataFrame({"c": some, "r": pandas.Categorical(codes, ordered=True), "y": Y})
    frame.to_parquet(tmp_path / "t.parquet")
    expected, table = load(frame, "y"), load(tmp_path / "t.parquet", "y")
    assert kinds(table) == {"c": "category", "r": "ordered category"}
    assert table.columns == expected.columns
    np.testing.assert_array_equal(table.x, expected.x)
    assert table.notes[0] == "the categories of 'r' are numbers, and count in the order of these"


def test_all_columns_that_cannot_be_used_are_named_at_once():
    bad = {"a b": [[1], [2]] * 30, "c": [[3]] * 60, "$d": [None] * 60, "e": [1e300] * 60}
    frame = pandas.DataFrame({"name": [f"u{i}" for i in range(60)], **bad, "a": A, "y": Y})
    with pytest.raises(UnusableTableError) as caught:
        load(frame, "y")
    message = str(caught.value)
    assert message.startswith("4 columns cannot be used. A column holds numbers, text or dates; 'a b', 'c' has")
    assert message.endswith("Or leave them out: --drop 'a b' --drop c --drop '$d' --drop e.")
    assert ["left out what looks like names" in note for note in caught.value.notes] == [True]
    assert load(frame, "y", drop=list(bad)).x.shape == (60, 1)
    with pytest.raises(UnusableTableError, match="the target 'y' has 1 value.* 4 columns cannot be used"):
        load(frame.assign(y=1), "y")


@pytest.mark.parametrize(
    ("values", "y", "how"),
    [
        (np.exp(A), A, "its order is that of"),
        (A, np.where(A > 0, "yes", "no"), "a limit in it decides"),
        (np.where(A > 0, "p", "q"), np.where(A > 0, "yes", "no"), "each of its values has one value of"),
        (np.where(A > 0, A, np.nan), np.where(A > 0, "yes", "no"), "whether it is missing decides"),
    ],
)
def test_what_decides_the_target_is_noted(values, y, how):
    frame = pandas.DataFrame({"leak": values, "b": A[::-1], "y": y})
    assert load(frame, "y").notes[0].startswith(f"'leak' may tell the answer: {how} 'y'; --drop leak")
    assert load(frame.assign(y=np.roll(y, 1)), "y").notes == []
    assert load(frame[:8], "y").notes == [], "by chance"


def test_no_false_alarms():
    """Many columns of noise, and one that is useful but no more."""
    random = np.random.default_rng(0)
    noise = {f"n{i}": random.normal(size=200) for i in range(100)}
    few = {f"f{i}": random.integers(0, 3, 200) for i in range(100)}
    text = {f"t{i}": random.choice(list("abcdefgh"), 200) for i in range(100)}
    y = random.normal(size=200)
    frame = pandas.DataFrame({**noise, **few, **text, "useful": y + random.normal(size=200) / 10, "y": y})
    assert load(frame, "y").notes == []
    assert load(frame.assign(y=np.where(y > 0, "yes", "no")), "y").notes == []


def test_counts_are_said_to_count_as_classes():
    frame = pandas.DataFrame({"a": A, "y": [3, 4, 5] * 20})
    table = load(frame, "y")
    assert table.task == "classification"
    assert table.notes == ["whole numbers in 'y' count as 3 classes; --task regression if they are amounts"]
    assert load(frame, "y", "classification").notes == []
    assert load(frame.assign(y=[0, 1] * 30), "y").notes == []
    with pytest.raises(ValueError, match="60 of 60 rows have their own in 'y'. Use --task regression"):
        load(frame.assign(y=range(60)), "y", "classification")


def test_rare_classes():
    frame = pandas.DataFrame({"a": A, "y": ["r", "s"] + ["p", "q"] * 25 + ["t"] * 8})
    note = "'y' has classes of fewer than 8 rows: 'r', 's'; --rare-classes drop or merge"
    assert load(frame, "y").notes == [note]
    dropped = load(frame, "y", rare_classes="drop")
    assert dropped.classes == ["p", "q", "t"]
    np.testing.assert_array_equal(dropped.x[:, 0], A[2:].astype(np.float32))
    assert dropped.notes == ["left out 2 rows of 2 classes of 'y' with fewer than 8 rows: 'r', 's'"]
    with pytest.raises(UnusableTableError, match="the rare classes of 'y' have 2 together. Use --rare-classes drop"):
        load(frame, "y", rare_classes="merge")
    merged = load(frame, "y", rare_classes="merge", least_class_rows=9)
    assert merged.classes == ["p", "q", "other"]
    np.testing.assert_array_equal(np.bincount(merged.y), [25, 25, 10])
    with pytest.raises(UnusableTableError, match="'y' has 0 of 60 rows"):
        load(frame, "y", rare_classes="drop", least_class_rows=60)


def test_none_is_a_label(csv):
    table = load(csv({"y": ["None", "mild", "severe"] * 20}), "y")
    assert table.classes == ["None", "mild", "severe"]
    assert any("'None' in 'y' is a class" in note for note in table.notes)


def test_types_are_decided_by_the_rows_with_a_target(csv):
    path = csv({"b": A})
    path.write_text(path.read_text() + "Total,,\n")
    table = load(path, "y")
    assert kinds(table) == {"a": "number", "b": "number"}
    assert table.notes == ["left out 1 rows without a value of 'y'"]


def test_words_for_missing_in_new_rows(csv):
    path = csv({"city": ["p", "q", "NA"] * 20, "d": ["2020-01-01", "2021-02-03", "NA"] * 20})
    table = load(path, "y")
    rows = again(path, table)
    np.testing.assert_array_equal(rows.x, table.x)
    assert not any("training had not" in note for note in rows.notes)


def test_columns_as_version_0_1_described_them():
    rows = load_rows(
        pandas.DataFrame({"size": [1, 2], "color": ["red", "new"]}), {"size": [], "color": ["blue", "red"]}
    )
    np.testing.assert_array_equal(rows.x, [[1, 0, 1], [2, 0, 0]])
    for other in ({"size": 3}, {"size": {"kind": "cloud"}}, {"size": {"kind": "number", "shape": 3}}):
        with pytest.raises(
            ValueError, match="The columns of a model must be as this version describes them; got others"
        ):
            load_rows(pandas.DataFrame({"size": [1]}), other)


DAYS = pandas.Series(pandas.date_range("2020-01-01", periods=60, freq="5D"))
FORMATS = {
    "ISO": "%Y-%m-%d",
    "slashes": "%Y/%m/%d",
    "German": "%d.%m.%Y",
    "US": "%m/%d/%Y",
    "UK": "%d/%m/%Y",
    "short year": "%d-%m-%y",
    "short month": "%d-%b-%y",
    "SAS": "%d%b%Y",
    "words": "%B %d, %Y",
    "time": "%Y-%m-%dT%H:%M:%SZ",
    "am and pm": "%m/%d/%Y %I:%M %p",
    "weekday": "%a, %d %b %Y %H:%M:%S +0100",
    "digits": "%Y%m%d",
    "decimal comma": "%Y-%m-%d %H:%M:%S,%f",
}


@pytest.mark.parametrize("name", FORMATS)
def test_dates_in_text(csv, name):
    texts = DAYS.dt.strftime(FORMATS[name])
    path = csv({"d": texts})
    table = load(path, "y")
    assert table.columns["d"]["features"] == ["d month", "d weekday", "d days"], "the year does not vary"
    expected = np.stack([DAYS.dt.month, DAYS.dt.day_of_week, np.arange(60) * 5], axis=1)
    np.testing.assert_array_equal(table.x[:, 1:], expected)
    assert any("'d' counts as dates" in note for note in table.notes)
    np.testing.assert_array_equal(again(path, table).x, table.x)
    frame = pandas.DataFrame({"a": A, "d": DAYS, "y": Y})
    np.testing.assert_array_equal(again(frame, table).x, table.x)
    np.testing.assert_array_equal(load(frame, "y").x, table.x)


@pytest.mark.parametrize("text", ["%b %Y", "%B %y", "%Y-%m", "%m/%Y", "%Y-%b"])
def test_months_have_no_weekday(csv, text):
    months = pandas.Series(pandas.date_range("2020-01-01", periods=60, freq="MS"))
    table = load(csv({"d": months.dt.strftime(text)}), "y")
    assert table.columns["d"]["features"] == ["d year", "d month", "d days"]
    np.testing.assert_array_equal(table.x[:3, 1:], [[2020, 1, 0], [2020, 2, 31], [2020, 3, 60]])


def test_quarters(csv):
    for texts in (["2020Q1", "2020Q3", "2021Q2"], ["Q1 2020", "Q3 2020", "Q2 2021"]):
        table = load(csv({"d": texts * 20}), "y")
        np.testing.assert_array_equal(table.x[:3, 1:3], [[2020, 1], [2020, 7], [2021, 4]])


@pytest.mark.parametrize(
    ("texts", "months", "note"),
    [
        (["1/2/2020", "3/4/2021"], [1, 3], "with the month first, such as '1/2/2020'; none of them tells"),
        (["1.2.2020", "3.4.2021"], [2, 4], "with the day first, such as '1.2.2020'; none of them tells"),
        (["1/2/2020", "13/4/2021"], [2, 4], "with the day first, such as '1/2/2020'"),
        (["1.2.2020", "3.14.2021"], [1, 3], "with the month first, such as '1.2.2020'"),
        (["1/1/2020", "1/2/2020", "1/3/2020"], [1, 2, 3], "with the day first, such as '1/1/2020'"),
    ],
)
def test_the_order_of_day_and_month(csv, texts, months, note):
    table = load(csv({"d": texts * (60 // len(texts))}), "y")
    month = table.columns["d"]["features"].index("d month") + 1
    np.testing.assert_array_equal(table.x[: len(texts), month], months)
    assert any(f"'d' counts as dates {note}" in found for found in table.notes)


def test_words_among_dates_are_missing(csv):
    path = csv({"d": ["unknown", *DAYS[1:6].dt.strftime("%d.%m.%Y")] * 10})
    table = load(path, "y")
    assert "words among the dates of 'd' count as missing: 'unknown'" in table.notes
    assert table.columns["d"]["features"][-1] == "d is missing"
    np.testing.assert_array_equal(np.isnan(table.x[:6, 1]), [True] + [False] * 5)
    rows = again(path, table)
    np.testing.assert_array_equal(rows.x, table.x)
    assert rows.notes == ["values that training had not count as missing: 'unknown' in 'd'"]
    assert kinds(load(csv({"d": ["unknown", "2020-01-31", "later"] * 20}), "y"))["d"] == "category", "too many words"


def test_text_that_is_no_date(csv):
    for texts in (["1.2.3", "1.2.4"], ["32.1.2020", "1.13.2020"], ["march on", "mayor 20"], ["10-20-30", "40-50-60"]):
        assert kinds(load(csv({"d": texts * 30}), "y"))["d"] == "category"
    assert kinds(load(csv({"d": [20200131, 20200228, 20200345, 20200411, 20200501] * 12}), "y"))["d"] == "number"


def test_dates_with_the_day_and_the_month_first(csv):
    message = "'d' has dates with the day first, '13/1/2020', and with the month first, '1/13/2020'. Write them as"
    with pytest.raises(UnusableTableError, match=message):
        load(csv({"d": ["13/1/2020", "1/13/2020"] * 30}), "y")


def test_dates_of_every_type_of_frame(tmp_path):
    expected = load(pandas.DataFrame({"d": DAYS, "a": A, "y": Y}), "y").x
    for days in (
        DAYS.dt.date,
        DAYS.dt.tz_localize("Europe/Berlin"),
        DAYS.dt.tz_localize("Europe/Berlin").astype(object),
        DAYS.dt.to_period("D"),
        DAYS.astype("datetime64[s]"),
        DAYS.astype("category"),
        DAYS.astype(object),
    ):
        frame = pandas.DataFrame({"d": days, "a": A, "y": Y})
        np.testing.assert_array_equal(load(frame, "y").x, expected, err_msg=str(days.dtype))
    frame.to_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(load(tmp_path / "t.parquet", "y").x, expected)


def test_durations_and_times_of_day(csv, tmp_path):
    spans = pandas.Series(pandas.to_timedelta(np.arange(60) * 6 - 24, unit="h"))
    times = [datetime.time(i % 24, 30) for i in range(60)]
    frame = pandas.DataFrame({"a": A, "y": Y, "s": spans, "t": times})
    table = load(frame, "y")
    np.testing.assert_array_equal(table.x[:, 1:], np.stack([np.arange(60) / 4 - 1, np.arange(60) % 24 + 0.5], axis=1))
    path = csv({"s": spans, "t": times})
    np.testing.assert_array_equal(load(path, "y").x, table.x)
    np.testing.assert_array_equal(again(path, table).x, table.x)
    hours = load(csv({"t": ["12:15 am", "1:45 PM"] * 30}), "y")
    np.testing.assert_array_equal(hours.x[:2, 1], [0.25, 13.75])
