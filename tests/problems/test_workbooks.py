"""Workbooks: the table that is seen in a spreadsheet, or one line that says why not."""

import datetime

import numpy as np
import openpyxl
import pytest

from jaxsearch.problems.datasets import load, load_rows

ROWS = [["a", "b", "when", "y"], [0.5, "x", datetime.datetime(2020, 1, 31), "no"]]
ROWS += [[None, None, datetime.datetime(2020, 2, 1), "yes"], [2, "z", datetime.datetime(2021, 2, 1), "no"]]


@pytest.fixture
def write(tmp_path):
    def write(*sheets, hidden=()):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for index, rows in enumerate(sheets):
            sheet = book.create_sheet(f"S{index}")
            sheet.sheet_state = "hidden" if index in hidden else "visible"
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / "t.xlsx")
        return tmp_path / "t.xlsx"

    return write


def test_cells_keep_their_types(write):
    table = load(write(ROWS), "y", drop=["when"])
    np.testing.assert_array_equal(table.x, np.array([[0.5, 1, 0], [np.nan, 0, 0], [2, 0, 1]], np.float32))
    assert (table.name, table.classes, table.notes) == ("t", ["no", "yes"], [])
    assert load(write(ROWS), "y").columns["when"]["kind"] == "date"
    np.testing.assert_array_equal(load_rows(write(ROWS), table.columns).x, table.x)


def test_titles_and_empty_cells_around_a_table(write):
    rows = [[None], ["Report of 2024"], [None], *ROWS, [None, " "]]
    table = load(write(rows), "y", drop=["when"])
    np.testing.assert_array_equal(table.x, load(write(ROWS), "y", drop=["when"]).x)
    assert table.notes == ["left out 1 line above the header"]


def test_numbers_written_as_text_and_errors_are_as_in_text_files(write):
    rows = [["a", "b", "y"], ["0,5", "1", "01"], ["#N/A", "1.234,5", "02"], ["1,25", 7, "01"]]
    table = load(write(rows), "y")
    np.testing.assert_array_equal(table.x, np.array([[0.5, 1], [np.nan, 1234.5], [1.25, 7]], np.float32))
    assert table.classes == ["01", "02"]
    assert "'#N/A' counts as missing: 'a'" in table.notes
    assert "numbers have a decimal comma: 'a', 'b'" in table.notes


def test_the_sheet_with_the_names_is_read(write):
    path = write([["Notes"], ["by me"]], ROWS, [["hidden", "y"], [1, 0]], hidden=[2])
    assert load(path, "y").notes[0] == "read the sheet 'S1' of 2; the others have to be files of their own"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["a", "y"], ["=1+1", 0], [2, 1]], "must have values; row 2, column 1 has none. Open it in a spreadsheet"),
        ([[0.5, 1], [0.25, 0]], "must have the names of its columns; it has numbers: '0.5 1'. Add a line"),
        ([], "all of its sheets are empty. Check the file"),
    ],
)
def test_what_is_no_table(write, rows, message):
    with pytest.raises(ValueError, match=message.replace("+", ".")):
        load(write(rows), "y")


def test_other_files(tmp_path, write):
    (tmp_path / "text.xlsx").write_text("a,y\n1,0\n2,1\n")
    with pytest.raises(ValueError, match="must be a workbook .XLSX.; reading it failed: .* Check the file"):
        load(tmp_path / "text.xlsx", "y")
    with pytest.raises(ValueError, match="--encoding must go with text; .*t.xlsx is none. Leave it out"):
        load(write(ROWS), "y", encoding="cp1252")
