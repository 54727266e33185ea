"""Tables in text files: CSV in its dialects."""

import io
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxsearch.problems.cells import MARKS, Reading, Wishes, evidence, is_text, judged, sampled
from jaxsearch.problems.encodings import packed_suffix, read_text, reading
from jaxsearch.problems.headers import BLANKS, is_number
from jaxsearch.problems.lines import Lines, has_leading_zeros, lines
from jaxsearch.problems.packages import optional
from jaxsearch.problems.separators import Layout, layout

MOST_EXTRA = 1000  # fields beyond the header that may be empty


def read_delimited(
    path: Path,
    wishes: Wishes,
    names: Sequence[str],
    separator: str | None = None,
    encoding: str | None = None,
) -> Reading:
    """The table of a text file; see `files.read_frame`.

    The beginning tells the layout, the words for missing values and the decimal mark; with these the fast reader of
    pandas reads all of it. What is text then, though it may be numbers in another form, is judged by its values; what
    became numbers although other columns say that their decimal mark is another is read once more as text.
    """
    text = read_text(path, encoding)
    suffix = (path.with_suffix("") if packed_suffix(path) else path).suffix.lower()
    found = layout(text.data, suffix, names, separator, wishes.decimal, path)
    _check_header(found, names, path)
    return _Table(path, found, wishes, text.notes + found.notes).reading()


def _check_header(found: Layout, names: Collection[str], path: Path) -> None:
    """A first line of numbers is a row, not the names of columns, unless these are what the user calls them."""
    if not set(names) <= set(found.header) and any(is_number(name) for name in found.header):
        line = (found.separator.join(found.header))[:60].replace("\t", " ")
        raise ValueError(
            f"The first line of {path} must have the names of its columns; it has numbers: {line!r}. "
            "Add a line of names."
        )


class _Table:
    """A text file that is being read: its records are counted, and its columns have numbers for names."""

    def __init__(self, path: Path, found: Layout, wishes: Wishes, notes: list[str]):
        self.path, self.layout, self.wishes, self.notes = path, found, wishes, notes
        self.names = list(found.header)
        data = found.data if found.data.endswith(b"\n") else found.data + b"\n"
        if len(self.names) == 1:  # an empty line is a row, except at the end
            kept = data.rstrip(b"\n\t ") + b"\n"
            if len(kept) < len(data):
                notes.append("empty lines at the end are no rows")
            data = kept
        counted = lines(data, found.separator, found.quote)
        if counted.open_quote:
            line = counted.open_quote + found.lines
            raise ValueError(f"Every quote in {path} must close; one that opens in line {line} does not. Correct it.")
        self.data, self.lines = self._without_remarks(data, counted)
        body = self.lines.widths[1:]
        self.rows = np.arange(1, len(body) + 1) if len(self.names) == 1 else np.flatnonzero(body) + 1
        self._note_lines(body)
        self.sample = sampled(found.sample, self.names, wishes)
        # The words that the fast reader takes for a missing value, by column.
        self.words = {
            place: [str(word) for word in cell.distinct[cell.words]]
            for place, cell in self.sample.items()
            if self.names[place] not in (*wishes.text, wishes.target)
        }

    def reading(self) -> Reading:
        """Reads all of it."""
        marks = {self.wishes.decimal} if self.wishes.decimal else evidence(self.sample)
        decimal = "," if marks == {","} else "."
        proven = {place for place, cell in self.sample.items() if cell.found and cell.found.evidence == decimal}
        spelled = (*self.wishes.text, self.wishes.target, *self.wishes.drop)
        as_text = {place for place, name in enumerate(self.names) if name in spelled}
        raw = self._named(self._without_extra(self._read(as_text, decimal)))
        while True:
            seen = {decimal} if any(_is_float(raw[place]) for place in proven & set(raw)) else set()
            names = [self.names[place] for place in raw]
            commas = [self.names[place] for place in raw if decimal == "," and _is_float(raw[place])]
            judgement = judged(raw, names, self.wishes, seen, self._words_by_name(raw), commas)
            doubted = self._doubted(raw, judgement, proven, decimal) - as_text
            if not doubted:
                break
            for place in doubted:
                self.words[place] = []
            as_text |= doubted
            again = self._read(as_text, decimal, sorted(doubted))
            raw = raw.copy(deep=False)
            for place in doubted:
                raw[place] = again[place]
        frame = judgement.frame.set_axis(names, axis=1)
        return judgement._replace(frame=frame, notes=self.notes + judgement.notes)

    def _without_remarks(self, data: bytes, counted: Lines) -> tuple[bytes, Lines]:
        """Comments and blanks alone in a line become empty lines, as the fast reader knows these only."""
        if len(self.names) == 1:
            return data, counted
        text = np.frombuffer(data, np.uint8)
        starts = np.concatenate([[0], counted.ends[:-1]])
        remarks = (counted.widths == 0) & (counted.ends - starts > 1)
        if self.layout.comments:
            remarks |= (text[starts] == ord("#")) & (counted.widths != len(self.names))
        remarks[0] = False
        if not np.any(remarks):
            return data, counted
        if comments := int(np.sum(remarks & (counted.widths > 0))):
            self.notes.append(f"left out {comments} lines of comments (#) among the rows")
        parts, begin = [], 0
        for record in np.flatnonzero(remarks):
            parts += [data[begin : starts[record]], b"\n"]
            begin = counted.ends[record]
        data = b"".join([*parts, data[begin:]])
        return data, lines(data, self.layout.separator, self.layout.quote)

    def _note_lines(self, body: np.ndarray) -> None:
        width = len(self.names)
        if width == 1:
            if empty := int(np.sum(body == 0)):
                self.notes.append(f"{empty} empty lines count as rows without a value")
            return
        if empty := int(np.sum(body[: self.rows[-1] if len(self.rows) else 0] == 0)):
            self.notes.append(f"left out {empty} empty lines")
        if np.any(short := (body > 0) & (body < width)):
            first = int(np.flatnonzero(short)[0])
            self.notes.append(
                f"{int(np.sum(short))} lines have fewer fields than the header, the first is line "
                f"{self._line(first + 1)} with {body[first]} of {width}; what they lack is missing"
            )

    def _line(self, record: int) -> int:
        return self.lines.number(self.data, record) + self.layout.lines

    def _read(self, as_text: Collection[int], decimal: str, only: Sequence[int] | None = None) -> Any:
        """The columns by the fast reader of pandas; those of `as_text`, and beyond the header, as text."""
        pandas = optional("pandas")
        width = max(int(self.lines.widths.max()), len(self.names))
        if width > len(self.names) + MOST_EXTRA:
            self._refuse_wide(int(np.argmax(self.lines.widths)))
        places = range(width)
        if not len(self.rows):
            return pandas.DataFrame({place: pandas.Series([], dtype="str") for place in places})
        body = io.BytesIO(memoryview(self.data)[self.lines.ends[0] :])
        with reading(self.path, "a table in text"):
            return pandas.read_csv(
                body,
                sep=self.layout.separator,
                quotechar=self.layout.quote,
                decimal=decimal,
                header=None,
                names=list(places),
                usecols=only,
                index_col=False,
                dtype=dict.fromkeys([*as_text, *places[len(self.names) :]], "str"),
                keep_default_na=False,
                na_values={place: ["", *self.wishes.missing, *self.words.get(place, [])] for place in places},
                skipinitialspace=True,
                skip_blank_lines=len(self.names) > 1,
                low_memory=False,
                dtype_backend="numpy_nullable",
            ).set_axis(range(len(self.rows)))  # another number of rows would be an error

    def _without_extra(self, raw: Any) -> Any:
        """The columns that have a name, if the fields beyond them are empty."""
        extra = raw.iloc[:, len(self.names) :]
        if extra.shape[1] == 0:
            return raw
        filled = extra.apply(lambda column: column.str.strip(BLANKS).fillna("") != "").any(axis=1).to_numpy()
        if np.any(filled):
            self._refuse_wide(int(self.rows[np.flatnonzero(filled)[0]]))
        self.notes.append("separators at the ends of lines are left out")
        return raw.iloc[:, : len(self.names)]

    def _refuse_wide(self, record: int) -> None:
        width, found = len(self.names), int(self.lines.widths[record])
        remedy = "Correct the line, put quotes around fields with the separator in them, or give --separator."
        if np.all(self.lines.widths[self.rows] == width + 1):
            remedy = "Add a name to the header for every column; numbers with a decimal comma need quotes."
        raise ValueError(
            f"Every line of {self.path} must have one field per column; line {self._line(record)} has {found} fields, "
            f"the header {width}. {remedy}"
        )

    def _named(self, raw: Any) -> Any:
        """The columns without those that have neither a name nor a value, as spreadsheets write them."""
        empty = [place for place in raw if not self.names[place] and raw[place].isna().all()]
        if empty and len(empty) < raw.shape[1]:
            self.notes.append(f"left out {len(empty)} columns without a name and without a value")
            return raw.drop(columns=empty)
        return raw

    def _words_by_name(self, raw: Any) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for place in raw:
            if self.names[place] not in self.wishes.drop:
                for word in self.words.get(place, []):
                    found.setdefault(word, []).append(self.names[place])
        return found

    def _doubted(self, raw: Any, judgement: Reading, proven: Collection[int], decimal: str) -> set[int]:
        """The columns that must be read as text: their words, marks or zeros may mean something else."""
        text = {place for place in raw if is_text(raw[place])}
        doubted = {place for place in text if MARKS & set(self.words.get(place, []))}
        if not self.wishes.decimal and judgement.decimals != {decimal}:
            doubted |= {place for place in raw if _is_float(raw[place])} - set(proven)
        whole = {place for place in raw if optional("pandas").api.types.is_integer_dtype(raw[place].dtype)}
        if whole and has_leading_zeros(self.data, self.layout.separator, self.layout.quote):
            doubted |= whole
        return doubted


def _is_float(column: Any) -> bool:
    return optional("pandas").api.types.is_float_dtype(column.dtype)
