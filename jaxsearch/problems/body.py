"""The rows of a text file: which of its lines they are, before anything in them is read."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxsearch.problems.headers import count
from jaxsearch.problems.lines import Lines, lines
from jaxsearch.problems.separators import Layout


class Body(NamedTuple):
    """A text and its records, the first of which is the header.

    data: the text; what is no row is an empty line. rows: `[n]` the records that are rows. above: lines of the file
    above the text. width: the number of columns. notes: a line for each choice.
    """

    path: Path
    data: bytes
    lines: Lines
    rows: np.ndarray
    above: int
    width: int
    notes: list[str]

    def refuse_wide(self, record: int) -> None:
        """Raises ValueError for a record that has more fields than the header."""
        remedy = "Correct the line, put quotes around fields with the separator in them, or give --separator."
        if np.all(self.lines.widths[self.rows] == self.width + 1):
            remedy = "Add a name to the header for every column; numbers with a decimal comma need quotes."
        line = self.lines.number(self.data, record) + self.above
        raise ValueError(
            f"Every line of {self.path} must have one field per column; line {line} has "
            f"{self.lines.widths[record]} fields, the header {self.width}. {remedy}"
        )


def body(found: Layout, path: Path) -> Body:
    """Finds the rows of a text; where there is one column, an empty line is a row, except at the end.

    Raises:
        ValueError: for a quote that never closes.
    """
    notes, data, width = [], found.data, len(found.header)
    data = data if data.endswith(b"\n") else data + b"\n"
    if width == 1 and len(kept := data.rstrip(b"\n\t ") + b"\n") < len(data):
        data = kept
        notes.append("empty lines at the end are no rows")
    counted = lines(data, found.separator, found.quote)
    if counted.open_quote:
        line = counted.open_quote + found.lines
        raise ValueError(f"Every quote in {path} must close; one that opens in line {line} does not. Correct it.")
    comments = np.zeros(len(counted.ends), bool)
    if found.comments and width > 1:
        comments[1:] = (counted.first(data) == ord("#"))[1:] & (counted.widths != width)[1:]
    if comments.any():
        notes.append(f"left out {count(int(np.sum(comments)), 'line')} of comments (#) among the rows")
    notes += _other_lines(counted, comments, data, width, found.lines)
    if width > 1:  # the fast reader knows no other lines to leave out than empty ones
        data, changed = counted.emptied(data, comments | (counted.widths == 0))
        counted = lines(data, found.separator, found.quote) if changed else counted
    is_row = (counted.widths > 0) | (width == 1)
    rows = np.flatnonzero(is_row[1:]) + 1
    return Body(path, data, counted, rows, found.lines, width, notes)


def _other_lines(counted: Lines, comments: np.ndarray, data: bytes, width: int, above: int) -> list[str]:
    """Notes on empty lines, but not those at the end, and on lines that are too short."""
    notes, widths = [], np.where(comments, -1, counted.widths)[1:]
    last = int(np.max(np.flatnonzero(widths > 0), initial=-1))
    if empty := int(np.sum(widths[: last + 1] == 0)):
        lines_ = count(empty, "empty line")
        notes.append(f"{lines_} counted as rows without a value" if width == 1 else f"left out {lines_}")
    if len(short := np.flatnonzero((widths > 0) & (widths < width))):
        line = counted.number(data, int(short[0]) + 1) + above
        notes.append(
            f"{count(len(short), 'line')} with fewer fields than the header, the first is line {line} with "
            f"{widths[short[0]]} of {width}; what is not there is missing"
        )
    return notes
