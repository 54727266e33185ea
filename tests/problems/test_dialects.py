"""Text files as people write them: the same table, or one line that says what is in doubt."""

import bz2
import gzip
import io
import json
import lzma
import re
import zipfile

import numpy as np
import pandas
import pytest

from jaxsearch.problems import files
from jaxsearch.problems.datasets import load, load_rows

X = np.array([[0.5, 1234], [-1.25, 56], [2, 7890]], np.float32)
PLAIN = "a,b,y\n0.5,1234,no\n-1.25,56,yes\n2,7890,no\n"


@pytest.fixture
def write(tmp_path):
    def write(content, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("folder/t.csv", content)
    return file.getvalue()


SAME = {
    "plain": (PLAIN, []),
    "semicolons": (PLAIN.replace(",", ";"), ["fields are separated by ';'"]),
    "tabs": (PLAIN.replace(",", "\t"), ["fields are separated by tabs"]),
    "pipes": (PLAIN.replace(",", "|"), ["fields are separated by '|'"]),
    "blanks": (PLAIN.replace(",", " "), ["fields are separated by blanks"]),
    "many blanks": (
        "  a     b     y\n0.5   1234  no  \n -1.25 56    yes\n 2     7890  no\n",
        ["fields are separated by blanks"],
    ),
    "sep line": ("sep=;\n" + PLAIN.replace(",", ";"), []),
    "sep line as ever": ("sep=,\n" + PLAIN, []),
    "decimal commas": (
        "a;b;y\n0,5;1234;no\n-1,25;56;yes\n2;7890;no\n",
        ["fields are separated by ';'", "numbers have a decimal comma: 'a'"],
    ),
    "quoted decimal commas": (
        'a,b,y\n"0,5",1234,no\n"-1,25",56,yes\n2,7890,no\n',
        ["numbers have a decimal comma: 'a'"],
    ),
    "thousands": (PLAIN.replace("1234", '"1,234"').replace("7890", '"7,890"'), ["',' separates thousands: 'b'"]),
    "blank thousands": (PLAIN.replace("1234", "1 234").replace("7890", "7\u202f890"), ["' ' separates thousands: 'b'"]),
    "Swiss thousands": ("a,b,y\n0.5,1'234,no\n-1.25,56,yes\n2,7\u2019890,no\n", ["\"'\" separates thousands: 'b'"]),
    "German": (
        "a;b;y\n0,5;1.234;no\n-1,25;56,0;yes\n2;7.890;no\n",
        ["fields are separated by ';'", "numbers have a decimal comma: 'a', 'b'", "'.' separates thousands: 'b'"],
    ),
    "percent": (
        PLAIN.replace("1234", "1234 %").replace("56", "56%").replace("7890", "7890%"),
        ["the sign % is left out: 'b'"],
    ),
    "dollars": (
        PLAIN.replace("1234", '"$1,234"').replace("56", "$56").replace("7890", "$ 7890"),
        ["',' separates thousands: 'b'", "the sign $ is left out: 'b'"],
    ),
    "parentheses": (PLAIN.replace("-1.25", "(1.25)"), ["numbers in parentheses are negative: 'a'"]),
    "a true minus": (PLAIN.replace("-", "\N{MINUS SIGN}"), []),
    "blanks around": (" a , b ,y \n 0.5 , 1234 , no \n-1.25\t,56 ,\tyes \n 2 ,  7890,no\n", []),
    "Windows": (PLAIN.replace("\n", "\r\n"), []),
    "old Macintosh": (PLAIN.replace("\n", "\r"), []),
    "no last line end": (PLAIN.rstrip(), []),
    "an end of DOS": (PLAIN + "\x1a", []),
    "empty lines": (PLAIN.replace("no\n", "no\n\n", 1) + "\n\n", ["left out 1 empty line"]),
    "UTF-8 with a mark": (PLAIN.encode("utf-8-sig"), []),
    "UTF-16": (PLAIN.encode("utf-16"), ["read as utf-16, as its first bytes say"]),
    "comments": ("# by me\n# 2024\n" + PLAIN, ["left out 2 lines of comments (#) above the header"]),
    "comments below": (
        "# by me\n" + PLAIN.replace("-1", "# the rest\n-1"),
        ["left out 1 line of comments (#) above the header", "left out 1 line of comments (#) among the rows"],
    ),
    "a header that is a comment": (
        "# by me\n# " + PLAIN,
        [
            "left out 1 line of comments (#) above the header",
            "the names of the columns stand in a line that begins with #",
        ],
    ),
    "titles": ("Report, all of it\n\n" + PLAIN, None),
    "titles of a spreadsheet": ("Report,,\n,,\n" + PLAIN, ["left out 2 lines above the header: 'Report'"]),
    "separators at the end": (
        PLAIN.replace("no", "no,").replace("yes", "yes,,"),
        ["separators at the ends of lines are left out"],
    ),
    "an empty column": (PLAIN.replace("\n", ",\n"), ["left out 1 column without a name and without a value"]),
    "quotes": ('"a","b","y"\n"0.5","1234","no"\n"-1.25","56","yes"\n"2","7890","no"\n', []),
    "single quotes": (
        "'a','b','y'\n'0.5','1234','no'\n'-1.25','56','yes'\n'2','7890','no'\n",
        ["fields are quoted by single quotes"],
    ),
    "a total": (PLAIN + "Total,9180,\n", ["left out 1 rows without a value of 'y'"]),
}


@pytest.mark.parametrize("case", SAME)
def test_dialects_give_the_same_table(write, case):
    content, notes = SAME[case]
    table = load(write(content), "y")
    np.testing.assert_array_equal(table.x, X)
    assert table.classes == ["no", "yes"]
    assert list(table.columns) == ["a", "b"]
    if notes is not None:
        assert table.notes == notes


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress), (".zip", zipped)]
)
def test_packed_files(write, suffix, pack):
    table = load(write(pack(PLAIN.encode()), "t.csv" + suffix), "y")
    np.testing.assert_array_equal(table.x, X)
    assert table.name == "t"
    with pytest.raises(ValueError, match="t.csv.* must be .*; reading it failed: .*Check the file"):
        load(write(pack(PLAIN.encode())[:25], "t.csv" + suffix), "y")


@pytest.mark.parametrize(
    ("cells", "expected", "note"),
    [
        ("? 1 2", [np.nan, 1, 2], "'?' counts as missing: 'a'"),
        ("1 NA 3 n/a", [1, np.nan, 3, np.nan], "'NA' counts as missing: 'a'"),
        ("1 - 2.5", [1, np.nan, 2.5], "'-' counts as missing: 'a'"),
        (". 1 2", [np.nan, 1, 2], "'.' counts as missing: 'a'"),
        ("None 1 2", [np.nan, 1, 2], "'None' counts as missing: 'a'"),
        ("#DIV/0! 1 2", [np.nan, 1, 2], "'#DIV/0!' counts as missing: 'a'"),
        ("01 02 10", [1, 2, 10], "numbers lose leading zeros; --categorical keeps them as words: 'a'"),
        ("1,23,456.5 7 8", [123456.5, 7, 8], "',' separates thousands: 'a'"),
        ("1.234.567 7 8", [1234567, 7, 8], "'.' separates thousands: 'a'"),
    ],
)
def test_cells_of_a_column_of_numbers(write, cells, expected, note):
    rows = [f'"{cell}",{index % 2}' for index, cell in enumerate(cells.split())]
    table = load(write("\n".join(["a,y", *rows])), "y")
    np.testing.assert_array_equal(table.x[:, 0], np.array(expected, np.float32))
    assert note in table.notes


def test_words_that_mean_something_stay(write):
    table = load(write("a,b,y\n+,low,None\n-,none,mild\n+,-,None\nNA,low,mild\n"), "y")
    assert table.classes == ["None", "mild"]
    assert [column["categories"] for column in table.columns.values()] == [["+", "-"], ["-", "low", "none"]]
    assert "'NA' counts as missing: 'a'" in table.notes
    assert "'None' in 'y' is a class; if it stands for missing, say so by --missing" in table.notes


def test_a_target_keeps_its_spelling(write):
    assert load(write("a,y\n1,01\n2,02\n3,01\n"), "y").classes == ["01", "02"]
    table = load(write("a,y\n1,1.0\n2,NA\n3,2.0\n"), "y", "regression")
    np.testing.assert_array_equal(table.y, [1, 2])
    assert "'NA' counts as missing: 'y'" in table.notes


def test_one_prediction_for_every_line(write):
    columns = load(write("x,y\n1,no\n2,yes\n"), "y").columns
    rows = load_rows(write("x\n1.0\n\n-1.0\n\n\n"), columns)
    np.testing.assert_array_equal(rows.x, [[1], [np.nan], [-1]])
    assert rows.notes == ["empty lines at the end are no rows", "1 empty line counted as rows without a value"]


REFUSED = {
    "a mark for decimals or thousands": (
        'a,y\n"1,234",no\n"56,789",yes\n',
        "'a' has '1,234', whose mark may be that of",
    ),
    "points between thousands": ("a,y\n1.234,no\n56,yes\n", "'a' has '1.234', whose mark may be"),
    "points where commas are usual": ("a;y\n1.234;no\n5.678;yes\n", "'a' has '1.234', whose mark may be"),
    "both marks": ('a,y\n"1,5",no\n2.5,yes\n', "'a' has '2.5' and '1,5', so that its decimal mark is a point and"),
    "some with a sign": ("a,y\n5%,no\n0.5,yes\n", "'a' has '5%' and '0.5'"),
    "a longer row": (PLAIN + "1,2,no,extra\n", "line 5 has 4 fields, the header 3. Correct the line"),
    "decimal commas without quotes": ("a,y\n1,5,no\n2,5,yes\n", "line 2 has 3 fields, the header 2. Add a name"),
    "an open quote": (PLAIN + '"1,2,no\n', "one that opens in line 5 does not"),
    "no header": ("0.5,1234,no\n-1.25,56,yes\n", "must have the names of its columns; it has numbers: '0.5 1234 no'"),
    "binary": (PLAIN.encode() + b"\0\1\2", "must be text; it has bytes such as NUL"),
    "a workbook": (b"PK\x03\x04\x14\x00\x06", "must be text; it is a workbook or a ZIP archive"),
    "neither": (b"a,y\n\x81,no\n", "byte 0x81 in line 2 is not, nor is it cp1252. Give its --encoding"),
    "damaged UTF-8": ("ä,ö,y\n".encode() + b"\xff,1,no\n", "byte 0xff in line 2 is not, though other lines are"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_in_doubt_is_refused(write, case):
    content, message = REFUSED[case]
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        load(write(content), "y")
    assert "\n" not in str(error.value)


def test_two_separators_that_fit_are_told_apart_by_the_names(write):
    path = write("a;b,c\n1;2,5\n3;4,6\n")
    with pytest.raises(ValueError, match="',' and ';' fit equally well. Say which by --separator"):
        files.read_frame(path)
    assert list(files.read_frame(path, names=["a"]).frame) == ["a", "b,c"]
    assert list(files.read_frame(path, names=["c"]).frame) == ["a;b", "c"]
    assert list(files.read_frame(path, separator=",").frame) == ["a;b", "c"]


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        ("a:b:y\n1:2:no\n3:4:yes\n", "y", "separated by ',', 1 column; if that is wrong, give --separator."),
        ("a b size y\n1 2 3 no\n3 4 5 yes\n", "size y", "separated by blanks, 4 columns; if that is wrong"),
        ("b;size:y\n1;3:no\n3;5:yes\n", "y", "separated by ';', 2 columns; if that is wrong"),
        ("b;size\n1;3\n3;5\n", "y", ""),
    ],
)
def test_a_column_that_is_not_there_may_come_of_the_separator(write, content, name, found):
    path = write(content)
    with pytest.raises(ValueError, match=f"Unknown column '{name}'") as unknown:
        load(path, name)
    with pytest.raises(ValueError, match=f"columns of training; '{name}' is missing") as missing:
        load_rows(path, {name: {"kind": "number", "features": [name]}})
    for error in (unknown, missing):
        assert found in str(error.value)
        assert bool(found) == ("Fields were read" in str(error.value))


def test_cp1252_is_found(write):
    path = write("größe,stadt,y\n1,köln,0\n2,münchen,1\n".encode("cp1252"))
    table = load(path, "y")
    assert list(table.columns) == ["größe", "stadt"]
    assert table.columns["stadt"]["categories"] == ["köln", "münchen"]
    assert table.notes == ["read as cp1252, since line 1 is not UTF-8; --encoding reads it otherwise"]


AMBIGUOUS = 'a,b,y\n"1,234",-9,no\n"56,700",x,yes\n"78,900",z,no\n'


@pytest.mark.parametrize(("decimal", "factor"), [(",", 1), (".", 1000)])
def test_the_decimal_mark_that_the_user_names(write, decimal, factor):
    table = load(write(AMBIGUOUS), "y", decimal=decimal)
    np.testing.assert_array_equal(table.x[:, 0], np.array([1.234, 56.7, 78.9]).astype(np.float32) * np.float32(factor))
    with pytest.raises(ValueError, match="'a' has '0.5', which has no decimal comma. Correct it, or --decimal"):
        load(write("a,y\n0.5,no\n1.25,yes\n"), "y", decimal=",")


def test_the_words_that_the_user_names(write):
    table = load(write(AMBIGUOUS + "7,-9.0,unknown\n"), "y", decimal=".", missing=["-9", "unknown"])
    assert table.columns["b"]["categories"] == ["x", "z"]
    assert table.classes == ["no", "yes"]
    assert table.reading == {"decimal": ".", "missing": ["-9", "unknown"], "signs": {}}
    numbers = load(write("a,y\n-9,no\n1.5,yes\n2.5,no\n-9.0,yes\n"), "y", missing=["-9"])
    np.testing.assert_array_equal(numbers.x[:, 0], [np.nan, 1.5, 2.5, np.nan])
    thousands = load(write('a,y\n-9,no\n"1,000.5",yes\n2.5,no\n-9.0,yes\n'), "y", missing=["-9"])
    np.testing.assert_array_equal(thousands.x[:, 0], [np.nan, 1000.5, 2.5, np.nan])
    frame = pandas.DataFrame({"a": [1.5, -9, 2], "b": ["x", "unknown", "z"], "y": ["no", "yes", "no"]})
    table = load(frame, "y", missing=["-9", "unknown"])
    np.testing.assert_array_equal(table.x, np.array([[1.5, 1, 0], [np.nan, 0, 0], [2, 0, 1]]))


def test_an_encoding_and_a_separator_that_the_user_names(write):
    path = write("größe#b#y\n1#2#0\n3#4#1\n".replace("#", "~").encode("cp850"))
    assert list(load(path, "y", separator="~", encoding="cp850").columns) == ["größe", "b"]
    for options, message in (
        ({"separator": "~", "encoding": "cp8500"}, "--encoding must be one that Python knows; got 'cp8500'"),
        ({"separator": "~~"}, "--separator must be one character between fields, .*; got '~~'. Leave it out"),
        ({"decimal": ";"}, "--decimal must be . or a comma; got ';'"),
    ):
        with pytest.raises(ValueError, match=message):
            load(path, "y", **options)
    with pytest.raises(ValueError, match="--separator and --encoding must go with text; A data frame is none"):
        load(pandas.DataFrame({"a": [1, 2], "y": [0, 1]}), "y", separator=";", encoding="utf-8")


def test_new_rows_are_read_as_those_of_training(write):
    table = load(write("a;rate;y\n0,5;12%;no\n-9;3%;yes\n1,25;7%;no\n"), "y", missing=["-9"])
    about = json.loads(json.dumps({"columns": table.columns, "reading": table.reading}))
    rows = load_rows(write('rate,a\n5%,"1,234"\n6%,-9\n'), about["columns"], about["reading"])
    np.testing.assert_array_equal(rows.x, np.array([[1.234, 5], [np.nan, 6]], np.float32))
    with pytest.raises(ValueError, match="'a' has '1,234', whose mark may be that of decimals or of thousands"):
        load_rows(write('rate,a\n5%,"1,234"\n'), about["columns"])
    with pytest.raises(ValueError, match="'rate' has the sign 'none' here and '%' there. Write it in the same unit"):
        load_rows(write("rate,a\n5,1\n"), about["columns"], about["reading"])


@pytest.mark.parametrize("value", ["1,5", "5%", "05", "1,200.5", "1.50", "1e3", "TRUE", "x"])
def test_new_rows_with_one_value_or_none_are_read_as_those_of_training(write, value):
    rows = [f"{value if i % 2 else ''};{i / 7:.3f};{'no' if i % 3 else 'yes'}" for i in range(30)]
    path = write("\n".join(["flag;b;y", *rows]) + "\n")
    table = load(path, "y")
    assert table.columns["flag"]["kind"] == "flag"
    np.testing.assert_array_equal(load_rows(path, table.columns, table.reading).x, table.x)


def test_a_new_row_may_miss_a_value_in_any_way(write):
    rows = "".join(f"{i * 7 % 30}%,{'-' if i % 5 == 0 else i},{'no' if i % 3 else 'yes'}\n" for i in range(30))
    table = load(write("rate,a,y\n" + rows), "y")
    for missing in ("", "-", "NA"):
        found = load_rows(write(f"rate,a\n{missing},{missing}\n", "new.csv"), table.columns, table.reading)
        np.testing.assert_array_equal(found.x, [[np.nan, np.nan, 1]])


def test_what_only_the_end_of_a_file_tells_holds_for_all_of_it(write):
    """The beginning, from which the dialect is told, has no word, mark or zero of those that come later."""
    rows = [f"{i},{i % 900}.125,{i % 9},{i % 7},{'yes' if i % 2 else 'no'}" for i in range(1, 3000)]
    last = ["5,1.5,?,007,no", "?,2.5,3,-,yes"]
    table = load(write("\n".join(["a,b,c,d,y", *rows, *last])), "y", number=["a"])
    np.testing.assert_array_equal(table.x[-2:, :4], [[5, 1.5, np.nan, 7], [np.nan, 2.5, 3, np.nan]])
    assert "'?' counts as missing: 'a', 'c'" in table.notes
    assert "'-' counts as missing: 'd'" in table.notes
    assert "numbers lose leading zeros; --categorical keeps them as words: 'd'" in table.notes
    points = [f"{1 + i % 900}.125;{i};{'yes' if i % 2 else 'no'}" for i in range(3000)]
    table = load(write("\n".join(["a;b;y", *points, "2.125;3,5;no"])), "y", number=["b"])
    assert table.x[0, 0] == 1125, "the last line says that a comma is the decimal mark"
