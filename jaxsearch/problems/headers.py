"""The lines at the beginning of a text file: a separator, comments, titles, and the names of the columns."""

import collections
import csv
import re
from collections.abc import Sequence

SEPARATORS = {",": "','", ";": "';'", "\t": "tabs", "|": "'|'", " ": "blanks"}
BLANKS = " \t\n\v\f\r\N{NO-BREAK SPACE}\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"
PREAMBLE = 50  # lines
SEP_LINE = re.compile(rb'"?sep=([^\n"])"?[,;\t| ]*\n', re.IGNORECASE)
BLANK_RUNS = {quote: re.compile(rb"(Q(?:[^Q]|QQ)*Q)|[ 	]+".replace(b"Q", quote.encode())) for quote in "\"'"}
NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")


def count(number: int, noun: str) -> str:
    """The number and the noun, in its plural if need be."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def without_sep_line(data: bytes) -> tuple[bytes, str]:
    """The text below a first line such as `sep=;`, which Excel writes and reads, and what it says."""
    found = SEP_LINE.match(data)
    return (data[found.end() :], found[1].decode("latin-1")) if found else (data, "")


def without_comments(data: bytes, names: Sequence[str]) -> tuple[bytes, int, bool]:
    """The text below leading comments, their number, and whether the header was the last of them."""
    end, comments = 0, []
    while data[end : end + 1] == b"#" or (comments and data[end : end + 1] == b"\n"):
        stop = data.find(b"\n", end) + 1 or len(data)
        comments.append(data[end:stop])
        end = stop
    if not comments:
        return data, 0, False
    last = max(index for index, line in enumerate(comments) if line.strip())
    bare = comments[last].lstrip(b"#").strip(b" \t\n") + b"\n"
    below = data[end:].split(b"\n", 1)[0]
    for header in (comments[last], bare):
        if _is_header(header, below, names):
            return header + data[end:], last, header is bare
    return data[end:], len(comments), False


def _is_header(line: bytes, below: bytes, names: Sequence[str]) -> bool:
    """Whether a line that begins with the mark of comments, or did, has the names of columns.

    It has as many fields as the line below; all of the names that are known or, if none is, no number, in contrast to
    the line below.
    """
    for mark in SEPARATORS:
        text = line + below + b"\n"
        found = records(with_tabs(text) if mark == " " else text, "\t" if mark == " " else mark, '"')
        if len(found) != 2 or not len(found[0]) == len(found[1]) > 1:
            continue
        header, row = [name.strip(BLANKS) for name in found[0]], found[1]
        if header[0].startswith("#") and header[0] != "#" and header[0] not in names:
            continue
        if set(names) <= set(header) if names else any(map(is_number, row)) and not any(map(is_number, header)):
            return True
    return False


def with_tabs(data: bytes, quote: str = '"') -> bytes:
    """The text with a tab for every run of blanks outside quotes, none at the ends of lines."""
    text = BLANK_RUNS[quote].sub(lambda found: found[1] or b"\t", data)
    return re.sub(rb"(?m)^\t|\t$", b"", text)


def records(data: bytes, separator: str, quote: str, most: int | None = None) -> list[list[str]]:
    """The records of a text, without empty ones. Raises csv.Error where it has none, as in binary files."""
    lines = (line + "\n" for line in data.decode(errors="replace").split("\n"))
    reader = csv.reader(lines, delimiter=separator, quotechar=quote, skipinitialspace=True)
    found = []
    for record in reader:
        if any(cell.strip(BLANKS) for cell in record) or len(record) > 1:
            found.append(record)
        if most is not None and len(found) == most:
            break
    return found


def header_index(found: list[list[str]], names: Sequence[str]) -> int:
    """Which record is the header: the first with the names; else the first, below lines of one field."""
    if names:
        for index, record in enumerate(found[:PREAMBLE]):
            if set(names) <= {cell.strip(BLANKS) for cell in record}:
                return index
    usual = collections.Counter(map(len, found[-len(found) // 2 :])).most_common(1)[0][0]
    for index, record in enumerate(found[:PREAMBLE]):
        title = len(record) == 1 or (len(record) > 2 and record[0] and not any(record[1:]))
        if not title:
            is_header = len(record) == usual and all(record) and not any(map(is_number, record))
            return index if is_header else 0
    return 0


def is_number(cell: str) -> bool:
    """Whether a cell is a plain number, with either decimal mark."""
    return NUMBER.fullmatch(cell.strip(BLANKS)) is not None


def check_header(header: Sequence[str], names: Sequence[str], path: object) -> None:
    """A first line of numbers is a row, not the names of columns, unless these are what the user calls them."""
    if not set(names) <= set(header) and any(is_number(name) for name in header):
        line = " ".join(header)[:60]
        raise ValueError(
            f"The first line of {path} must have the names of its columns; it has numbers: {line!r}. "
            "Add a line of names."
        )


def is_single_quoted(head: bytes, separator: str) -> bool:
    """Whether fields are in single quotes: some, all that begin with one end with one, and none has double quotes."""
    begin = rb"(?:^|" + re.escape(separator.encode()) + rb") *"
    end = rb" *(?=$|" + re.escape(separator.encode()) + rb")"
    if re.search(rb"(?m)" + begin + rb'"', head):
        return False
    opened = len(re.findall(rb"(?m)" + begin + rb"'", head))
    closed = len(re.findall(rb"(?m)" + begin + rb"'(?:[^']|'')*'" + end, head))
    return 0 < opened == closed
