"""The layout of a text file with fields: what separates them, and where the names of the columns are."""

import csv
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jaxsearch.problems.headers import (
    BLANKS,
    SEPARATORS,
    check_header,
    count,
    header_index,
    is_single_quoted,
    records,
    with_tabs,
    without_comments,
    without_sep_line,
)

OWN = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
SAMPLE = 1 << 16  # bytes
RECORDS = 500


class Layout(NamedTuple):
    """How the fields of a text are written.

    data: the text without comments, a sep= line and lines above the header. lines: how many of those
    there were. separator: one character, which blanks have become. quote: around fields.
    header: the names of the columns. sample: the first records below it. comments: whether there were
    some above the header. notes: a line for each choice. found: the separator in words, as it is in
    the file, "" if somebody said so.
    """

    data: bytes
    lines: int
    separator: str
    quote: str
    header: list[str]
    sample: list[list[str]]
    comments: bool
    notes: list[str]
    found: str


class _Candidate(NamedTuple):
    separator: str
    quote: str
    skipped: list[list[str]]
    header: list[str]
    sample: list[list[str]]
    has_names: bool
    regular: float

    @property
    def width(self) -> int:
        return len(self.header)


def layout(
    data: bytes, suffix: str, names: Sequence[str], separator: str | None, decimal: str | None, path: object
) -> Layout:
    """Finds the layout of a text.

    Args:
        data: the text, as `encodings.read_text` returns it.
        suffix: of the file, which suggests a separator.
        names: columns that the header must have, by which it is recognized.
        separator: if the user says so.
        decimal: the decimal mark, if the user says so; it separates nothing.
        path: of the file, for messages.

    Raises:
        ValueError: for a text without a header, or with two layouts that are equally good.
    """
    notes = []
    data, said = without_sep_line(data)
    separator, lines = separator or said, int(bool(said))
    data, skipped, hidden_header = without_comments(data, names)
    lines += skipped
    if skipped:
        notes.append(f"left out {count(skipped, 'line')} of comments (#) above the header")
    blank = len(data) - len(data.lstrip(b"\n"))
    data, lines = data[blank:], lines + blank
    if hidden_header:
        notes.append("the names of the columns stand in a line that begins with #")
    if not data.strip():
        raise ValueError(f"{path} must be a table with a header line; it is empty. Check the file.")
    own = OWN.get(suffix, "")
    wanted = [separator] if separator else list(SEPARATORS)
    candidates = _candidates(data, wanted, names)
    best = _best(candidates, own, names, path)
    if best.separator == decimal:  # it separates fields only if nothing else does
        others = [candidate for candidate in candidates if candidate.separator != decimal]
        other = _best(others, own, names, path) if others else best
        best = other if other.width > 1 and other.regular == 1 else best
    if best.regular < 1 and b'\\"' in data:
        doubled = data.replace(b'\\"', b'""')
        other = _best(_candidates(doubled, wanted, names), own, names, path)
        if other.regular == 1:
            best, data = other, doubled
            notes.append("quotes within fields have a backslash")
    if best.width > 1 and best.separator != (own or ",") and not separator:
        notes.append(f"fields are separated by {SEPARATORS[best.separator]}")
    if best.quote == "'":
        notes.append("fields are quoted by single quotes")
    if best.skipped:
        notes.append(f"left out {count(len(best.skipped), 'line')} above the header: {_shown(best.skipped[0])!r}")
    mark = best.separator
    if mark == " ":
        data, mark = with_tabs(data, best.quote), "\t"
    for _ in best.skipped:
        end = data.index(b"\n") + 1
        data, lines = data[end:], lines + 1
        empty = len(data) - len(data.lstrip(b"\n"))
        data, lines = data[empty:], lines + empty
    header = [name.strip(BLANKS) for name in best.header]
    check_header(header, names, path)
    words = "" if separator else SEPARATORS[best.separator]
    return Layout(data, lines, mark, best.quote, header, best.sample, bool(skipped or hidden_header), notes, words)


def _candidates(data: bytes, separators: Sequence[str], names: Sequence[str]) -> list[_Candidate]:
    found = [_candidate(data, mark, quote, names) for mark in separators for quote in "\"'"]
    return [candidate for candidate in found if candidate is not None]


def _candidate(data: bytes, separator: str, quote: str, names: Sequence[str]) -> _Candidate | None:
    """What the beginning of the text is with this separator, None if it is nothing."""
    head = data[:SAMPLE]
    if len(head) < len(data):
        head = head[: head.rfind(b"\n") + 1] or head
    if quote == "'" and b"'" not in head:
        return None
    if quote == "'" and not is_single_quoted(head, separator):
        return None
    mark = separator
    if separator == " ":
        head, mark = with_tabs(head, quote), "\t"
    try:
        found = records(head, mark, quote, RECORDS)
    except csv.Error:
        return None
    if len(found) > 1 and len(head) < len(data):
        found = found[:-1]
    if not found:
        return None
    start = header_index(found, names)
    header, sample = found[start], found[start + 1 :]
    wanted = set(names)
    has_names = wanted <= {name.strip(BLANKS) for name in header}
    regular = sum(_fits(row, len(header)) for row in sample) / max(len(sample), 1)
    return _Candidate(separator, quote, found[:start], header, sample, has_names, regular)


def _fits(row: list[str], width: int) -> bool:
    """Whether a row has as many fields as the header, apart from empty ones at its end."""
    return len(row) == width or (len(row) > width and not any(cell.strip(BLANKS) for cell in row[width:]))


def _best(candidates: list[_Candidate], own: str, names: Sequence[str], path: object) -> _Candidate:
    """The candidate that has the names and whose rows fit its header, as far as there is one."""
    if not candidates:
        raise ValueError(f"{path} must be a table with a header line; no line can be read as one. Check the file.")
    several = [candidate for candidate in candidates if candidate.width > 1]
    fitting = [candidate for candidate in several if candidate.regular == 1]
    named = [candidate for candidate in candidates if names and candidate.has_names]
    column = [candidate for candidate in named if candidate.width == 1 and candidate.regular == 1]
    pools = [[candidate for candidate in fitting if candidate in named], column, named, fitting]
    pool = next(filter(None, pools), [])
    if not pool:
        alone = [candidate for candidate in candidates if candidate.width == 1]
        return max(several or alone, key=lambda found: (found.regular, found.separator == own))
    if pool is column or pool is named:
        return max(pool, key=lambda found: (found.regular, found.separator == own))
    # Words are separated by blanks in files of every kind.
    pool = [candidate for candidate in pool if candidate.separator != " "] or pool
    pool = [candidate for candidate in pool if candidate.quote == "'"] or pool
    if len(pool) > 1:
        pure = [candidate for candidate in pool if not _contains(candidate, pool)]
        pool = pure if len(pure) == 1 else pool
    if len(pool) > 1:
        marks = [SEPARATORS.get(candidate.separator, repr(candidate.separator)) for candidate in pool]
        raise ValueError(
            f"The fields of {path} must have one separator; {' and '.join(marks)} fit equally well. "
            "Say which by --separator."
        )
    return pool[0]


def _contains(candidate: _Candidate, others: list[_Candidate]) -> bool:
    """Whether cells of the candidate hold the separator of another, so that they may be several fields."""
    marks = [other.separator for other in others if other.separator != candidate.separator]
    cells: Iterator[str] = (cell for row in [candidate.header, *candidate.sample[:20]] for cell in row)
    return any(mark in cell for cell in cells for mark in marks)


def _shown(record: list[str]) -> str:
    return " ".join(cell for cell in record if cell.strip())[:60]
