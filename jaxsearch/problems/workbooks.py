"""Tables in workbooks (XLSX): one sheet, whose cells have types of their own."""

import datetime
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jaxsearch.problems.cells import BLANKS, Hints, Reading, without_unnamed
from jaxsearch.problems.encodings import reading
from jaxsearch.problems.headers import PREAMBLE, check_header, count, header_index
from jaxsearch.problems.judgement import judged
from jaxsearch.problems.packages import optional

NUMBERS, MOMENTS = {int, float}, {datetime.datetime, datetime.date}


def read_workbook(path: Path, hints: Hints, names: Sequence[str]) -> Reading:
    """The table of a workbook; see `files.read_frame`.

    It is in the first sheet that has the names, or else in the first that is not empty; the header is found as in text
    files. Numbers, booleans and dates are what the cells are, if all cells of a column are that; else they are text.

    Raises:
        ValueError: for a file that is no workbook, and for formulas whose values were never computed.
    """
    with reading(path, "a workbook (XLSX)"):
        book = optional("openpyxl").load_workbook(path, read_only=True, data_only=True)
        heads = {
            sheet.title: list(_rows(sheet, PREAMBLE)) for sheet in book.worksheets if sheet.sheet_state == "visible"
        }
        filled = [title for title, rows in heads.items() if any(map(any, rows))]
        fitting = [title for title in filled if any(set(names) <= set(map(_text, row)) for row in heads[title])]
        title = next(iter(fitting or filled), "")
        rows = [list(row) for row in _rows(book[title])] if title else []
    if not title:
        raise ValueError(f"{path} must be a table with a header line; all of its sheets are empty. Check the file.")
    notes = []
    if len(filled) > 1:
        notes.append(f"read the sheet {title!r} of {len(filled)}; the others have to be files of their own")
    texts = [[_text(cell) for cell in row] for row in rows[:PREAMBLE]]
    places = [place for place, row in enumerate(texts) if any(row)]
    start = places[header_index([texts[place] for place in places], names)]
    if above := sum(place < start for place in places):
        notes.append(f"left out {count(above, 'line')} above the header")
    header = texts[start]
    check_header(header, names, path)
    below = [row for row in rows[start + 1 :] if any(map(_text, row))]
    _check_formulas(path, title, below)
    frame = optional("pandas").DataFrame(
        {place: _column([row[place] if place < len(row) else None for row in below]) for place in range(len(header))}
    )
    frame, unnamed = without_unnamed(frame, header)
    judgement = judged(frame, [header[place] for place in frame], hints)
    frame = judgement.frame.set_axis([header[place] for place in frame], axis=1)
    return judgement._replace(frame=frame, notes=notes + unnamed + judgement.notes)


def _rows(sheet: Any, most: int | None = None) -> Iterator[Sequence[Any]]:
    sheet.reset_dimensions()  # what programs write there is not always right
    return itertools.islice(sheet.iter_rows(values_only=True), most)


def _text(cell: Any) -> str:
    """A cell as it would stand in a text file."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime.datetime) and cell.time() == datetime.time():
        return str(cell.date())
    return str(cell).strip(BLANKS)


def _column(cells: list[Any]) -> Any:
    """The cells as a column of one type: numbers, booleans, dates, or else text."""
    pandas = optional("pandas")
    cells = [None if isinstance(cell, str) and not cell.strip(BLANKS) else cell for cell in cells]
    kinds = {type(cell) for cell in cells} - {type(None)}
    if kinds and kinds <= NUMBERS:
        return pandas.Series(cells, dtype="Int64" if kinds == {int} else "Float64")
    if kinds == {bool}:
        return pandas.Series(cells, dtype="boolean")
    if kinds and kinds <= MOMENTS:
        return pandas.to_datetime(pandas.Series(cells, dtype=object))
    return pandas.Series([None if cell is None else _text(cell) for cell in cells], dtype="string")


def _check_formulas(path: Path, title: str, rows: list[list[Any]]) -> None:
    """Raises ValueError if cells without a value have a formula: a program wrote it that computes nothing."""
    if all(cell is not None for row in rows for cell in row):
        return
    load = optional("openpyxl").load_workbook
    with reading(path, "a workbook (XLSX)"), path.open("rb") as file:
        values = load(file, read_only=True, data_only=True)[title]
        formulas = load(file, read_only=True)[title]
        empty = [
            (line, place)
            for line, (row, written) in enumerate(zip(_rows(values), _rows(formulas), strict=True), 1)
            for place, (cell, formula) in enumerate(zip(row, written, strict=True), 1)
            if cell is None and isinstance(formula, str) and formula.startswith("=")
        ]
    if empty:
        raise ValueError(
            f"The formulas of {path} must have values; row {empty[0][0]}, column {empty[0][1]} has none. "
            "Open it in a spreadsheet program, and save it."
        )
