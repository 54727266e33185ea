"""Records of a text file counted: how many fields each line has, without reading what is in them."""

import csv
import itertools
from typing import NamedTuple

import numpy as np

BLOCK = 1 << 24  # bytes
FEED, ZERO = ord("\n"), ord("0")


class Lines(NamedTuple):
    """The records of a text, each of which ends with a line feed outside quotes.

    ends: `[n]`, the place behind each; widths: `[n]` its fields, 0 for one that is empty;
    open_quote: the line where a quote opens that never closes, 0 if there is none.
    """

    ends: np.ndarray
    widths: np.ndarray
    open_quote: int

    def number(self, data: bytes, record: int) -> int:
        """The line in which a record begins, counted from 1."""
        return data[: self.ends[record - 1] if record else 0].count(b"\n") + 1

    def first(self, data: bytes) -> np.ndarray:
        """The first byte of every record."""
        return np.frombuffer(data, np.uint8)[np.concatenate([[0], self.ends[:-1]])]

    def emptied(self, data: bytes, which: np.ndarray) -> tuple[bytes, bool]:
        """The text with nothing but a line feed for some records, and whether that is another text."""
        starts = np.concatenate([[0], self.ends[:-1]])
        chosen = np.flatnonzero(which & (self.ends - starts > 1))
        parts, begin = [], 0
        for record in chosen:
            parts += [data[begin : starts[record]], b"\n"]
            begin = self.ends[record]
        return (b"".join([*parts, data[begin:]]) if parts else data), bool(parts)


def lines(data: bytes, separator: str, quote: str) -> Lines:
    """Counts the fields of every record; `data` ends with a line feed."""
    found = _counted(data, separator, quote)
    return _exactly_counted(data, separator, quote) if found is None else _without_empty(data, found)


def _counted(data: bytes, separator: str, quote: str) -> Lines | None:
    """The records if every quote stands at the edge of a field, else None."""
    text, mark = np.frombuffer(data, np.uint8), ord(separator)
    edges = np.zeros(256, bool)
    edges[[mark, FEED, ord(quote), ord(" ")]] = True
    ends, widths, total, odd = [], [], 0, 0
    for begin in range(0, len(text), BLOCK):
        block = text[begin : begin + BLOCK]
        feeds, marks = np.flatnonzero(block == FEED), np.flatnonzero(block == mark)
        quotes = np.flatnonzero(block == ord(quote))
        if len(quotes) or odd:
            places, opens = quotes + begin, (np.arange(len(quotes)) + odd) % 2 == 0
            neighbours = np.where(opens, places - 1, np.minimum(places + 1, len(text) - 1))
            if not np.all(edges[text[np.maximum(neighbours, 0)]] | (neighbours < 0)):
                return None
            feeds = feeds[(np.searchsorted(quotes, feeds) + odd) % 2 == 0]
            marks = marks[(np.searchsorted(quotes, marks) + odd) % 2 == 0]
            odd = (odd + len(quotes)) % 2
        ends.append(feeds + begin + 1)
        widths.append(np.searchsorted(marks, feeds) + total)
        total += len(marks)
    if odd:
        return None
    counts = np.concatenate(widths)
    return Lines(np.concatenate(ends), np.diff(counts, prepend=0) + 1, 0)


def _without_empty(data: bytes, found: Lines) -> Lines:
    """The same with a width of 0 where a record is empty or has only blanks."""
    starts, first = np.concatenate([[0], found.ends[:-1]]), found.first(data)
    blank = (first == FEED) | (first == ord(" ")) | (first == ord("\t"))
    for record in np.flatnonzero((found.widths == 1) & blank):
        if not data[starts[record] : found.ends[record]].strip():
            found.widths[record] = 0
    return found


def _exactly_counted(data: bytes, separator: str, quote: str) -> Lines:
    """The records as the package csv finds them, which is slower; a quote within a field is a character as others."""
    text = [line + b"\n" for line in data.split(b"\n")[:-1]]
    places = np.cumsum([len(line) for line in text])
    # The last line is ours: where a quote is open, it becomes a part of the field.
    lines = itertools.chain((line.decode() for line in text), ["end\n"])
    reader = csv.reader(lines, delimiter=separator, quotechar=quote, skipinitialspace=True)
    ends, widths, begin = [], [], 1
    try:
        for record in reader:
            if reader.line_num > len(text):
                return Lines(np.array(ends, int), np.array(widths, int), 0 if record == ["end"] else begin)
            ends.append(places[reader.line_num - 1])
            widths.append(len(record) if len(record) > 1 or any(cell.strip() for cell in record) else 0)
            begin = reader.line_num + 1
    except csv.Error:  # a field of more than 128 KiB
        pass
    return Lines(np.array(ends, int), np.array(widths, int), begin)


def has_leading_zeros(data: bytes, separator: str, quote: str) -> bool:
    """Whether a field begins with 0 and another digit, perhaps."""
    text = np.frombuffer(data, np.uint8)
    edges = np.zeros(256, bool)
    edges[[ord(separator), FEED, ord(quote), ord(" ")]] = True
    for begin in range(1, len(text) - 1, BLOCK):
        zeros = np.flatnonzero(text[begin : begin + BLOCK] == ZERO) + begin
        zeros = zeros[(zeros < len(text) - 1)]
        if np.any(edges[text[zeros - 1]] & (text[zeros + 1] >= ZERO) & (text[zeros + 1] <= ZERO + 9)):
            return True
    return False
