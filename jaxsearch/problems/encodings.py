"""The text of a file: unpacked, decoded, and with one kind of line end."""

import bz2
import codecs
import contextlib
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

UNPACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
MARKS = {  # at the beginning of a file; the longer first, as one begins with another
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
OTHER_FILES = {
    b"PK\x03\x04": "a workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old workbook (XLS)",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "packed by gzip",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"SQLite format 3": "a database of SQLite",
}
SAMPLE = 1 << 16
CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))


class Text(NamedTuple):
    """data: UTF-8, lines that end in a line feed. notes: what was found out about the file."""

    data: bytes
    notes: list[str]


def packed_suffix(path: Path) -> str:
    """The suffix of `path` that says how it is packed, "" if it is not."""
    suffix = path.suffix.lower()
    return suffix if suffix in (*UNPACKERS, ".zip") else ""


def unpacked(path: Path) -> bytes:
    """The content of the file. Raises ValueError where it is packed and damaged."""
    data = path.read_bytes()
    suffix = packed_suffix(path)
    if not suffix:
        return data
    if suffix == ".zip":
        return _only_member(data, path)
    with reading(path, f"packed as its suffix {suffix} says"):
        return UNPACKERS[suffix](data)


def read_text(path: Path, encoding: str | None = None) -> Text:
    """The text of a file, packed or not.

    Without an encoding, a byte order mark decides; else it is UTF-8 if that is possible, and Windows'
    cp1252 if the bytes can be that, with a note.

    Raises:
        ValueError: if it is not text, or neither UTF-8 nor cp1252.
    """
    data = unpacked(path)
    marked = next((name for mark, name in MARKS.items() if data.startswith(mark)), "")
    for mark, what in OTHER_FILES.items():
        if data.startswith(mark):
            raise ValueError(f"{path} must be text; it is {what}. Give it the suffix of what it is, or convert it.")
    if not encoding and not marked:
        _check_text(data, path)
    name = encoding or marked or _encoding(data, path)
    try:
        text = data if name == "utf-8" and encoding is None else data.decode(name).encode()
    except LookupError:
        raise ValueError(
            f"--encoding must be one that Python knows; got {name!r}. Use e.g. utf-8, cp1252 or utf-16."
        ) from None
    except ValueError as error:
        why = " ".join(str(error).split())[:100].rstrip(".")
        raise ValueError(f"{path} must be text in {name}; it is not: {why}. Give another --encoding.") from None
    text = text.removeprefix(codecs.BOM_UTF8)
    _check_text(text, path)
    notes = []
    if encoding is None and name == "cp1252":
        line = data[: _first_strange(data)].count(b"\n") + 1
        notes.append(f"read as cp1252, since line {line} is not UTF-8; --encoding reads it otherwise")
    elif encoding is None and not name.startswith("utf-8"):
        notes.append(f"read as {name}, as its first bytes say")
    text = text.rstrip(b"\x1a")  # which ended a file in DOS
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return Text(text, notes)


def _check_text(data: bytes, path: Path) -> None:
    start = data[:SAMPLE]
    if b"\0" in data or len(start.translate(None, CONTROL)) < len(start):
        raise ValueError(
            f"{path} must be text; it has bytes such as NUL. Check the file, or give --encoding, e.g. utf-16-le."
        )


def _encoding(data: bytes, path: Path) -> str:
    """UTF-8 if the bytes can be that, else cp1252."""
    if data.isascii():
        return "utf-8"
    try:
        data.decode()
        return "utf-8"
    except UnicodeDecodeError as error:
        place = error.start
    line = data[:place].count(b"\n") + 1
    what = f"{path} must be UTF-8 text; byte {data[place]:#04x} in line {line} is not"
    text = data.decode(errors="replace")
    wrong = text.count("\N{REPLACEMENT CHARACTER}")
    if len(text) - len(text.encode("ascii", "ignore")) > 2 * wrong:  # most of what is not ASCII is UTF-8
        raise ValueError(f"{what}, though other lines are. Correct it, or give --encoding, e.g. cp1252.")
    try:
        data.decode("cp1252")
    except UnicodeDecodeError:
        raise ValueError(f"{what}, nor is it cp1252. Give its --encoding, e.g. latin-1 or cp1251.") from None
    return "cp1252"


def _first_strange(data: bytes) -> int:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _only_member(data: bytes, path: Path) -> bytes:
    with reading(path, "a ZIP archive"), zipfile.ZipFile(io.BytesIO(data)) as archive:
        inside = [name for name in archive.namelist() if not name.endswith("/")]
        members = [name for name in inside if not name.startswith(("__MACOSX", "."))]
        if len(members) == 1:
            return archive.read(members[0])
    raise ValueError(f"{path} must hold one table; it has {len(members)} files. Unpack it, and name one.")


@contextlib.contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turns whatever the libraries raise that read a file into one line that says what the file must be."""
    try:
        yield
    except Exception as error:  # a damaged file may raise anything in the libraries that read it
        reason = " ".join(str(error).split()).split(". ")[0][:200].rstrip(".") or type(error).__name__
        raise ValueError(f"{path} must be {what}; reading it failed: {reason}. Check the file.") from None
