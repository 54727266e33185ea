"""Tables in text files: CSV in its dialects."""

import io
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxsearch.problems.body import Body, body
from jaxsearch.problems.cells import MARKS, Hints, Reading, evidence, is_text, sampled, without_unnamed
from jaxsearch.problems.encodings import packed_suffix, read_text, reading
from jaxsearch.problems.headers import BLANKS
from jaxsearch.problems.judgement import judged
from jaxsearch.problems.lines import has_leading_zeros
from jaxsearch.problems.packages import optional
from jaxsearch.problems.separators import Layout, layout

MOST_EXTRA = 1000  # fields beyond the header that may be empty


def read_delimited(
    path: Path,
    hints: Hints,
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
    kind = (path.with_suffix("") if packed_suffix(path) else path).suffix.lower()
    found = layout(text.data, kind, names, separator, hints.decimal, path)
    judgement = _Table(found, body(found, path), hints).reading()
    return judgement._replace(notes=text.notes + judgement.notes, separator=found.found)


class _Table:
    """A text file that is being read: its records are counted, and its columns have numbers for names."""

    def __init__(self, found: Layout, rows: Body, hints: Hints):
        self.layout, self.body, self.names = found, rows, found.header
        self.hints = hints._replace(local=found.separator == ";")
        self.notes = found.notes + rows.notes
        self.sample = sampled(found.sample, self.names, hints)
        # The words that the fast reader takes for a missing value, by column.
        self.words = {
            place: [str(word) for word in cell.distinct[cell.words]]
            for place, cell in self.sample.items()
            if self.names[place] not in (*hints.text, hints.target)
        }

    def reading(self) -> Reading:
        """Reads all of it."""
        marks = {self.hints.decimal} if self.hints.decimal else evidence(self.sample)
        decimal = "," if marks == {","} else "."
        proven = {place for place, cell in self.sample.items() if cell.found and cell.found.evidence == decimal}
        spelled = (*self.hints.text, self.hints.target, *self.hints.drop)
        as_text = {place for place, name in enumerate(self.names) if name in spelled}
        raw, unnamed = without_unnamed(self._without_extra(self._read(as_text, decimal)), self.names)
        self.notes += unnamed
        while True:
            seen = {decimal} if any(_is_float(raw[place]) for place in proven & set(raw)) else set()
            names = [self.names[place] for place in raw]
            floats = [self.names[place] for place in raw if _is_float(raw[place])]
            commas = list(filter(self.hints.tells, floats)) if decimal == "," else []
            judgement = judged(raw, names, self.hints, seen, self._words_by_name(raw), commas)
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

    def _read(self, as_text: Collection[int], decimal: str, only: Sequence[int] | None = None) -> Any:
        """The columns by the fast reader of pandas; those of `as_text`, and beyond the header, as text."""
        pandas = optional("pandas")
        width = max(int(self.body.lines.widths.max()), len(self.names))
        if width > len(self.names) + MOST_EXTRA:
            self.body.refuse_wide(int(np.argmax(self.body.lines.widths)))
        places = range(width)
        if not len(self.body.rows):
            return pandas.DataFrame({place: pandas.Series([], dtype="string") for place in places})
        rows = io.BytesIO(memoryview(self.body.data)[self.body.lines.ends[0] :])
        with reading(self.body.path, "a table in text"):
            return pandas.read_csv(
                rows,
                sep=self.layout.separator,
                quotechar=self.layout.quote,
                decimal=decimal,
                header=None,
                names=list(places),
                usecols=only,
                index_col=False,
                dtype=dict.fromkeys([*as_text, *places[len(self.names) :]], "string"),
                keep_default_na=False,
                na_values={place: ["", *self.hints.missing, *self.words.get(place, [])] for place in places},
                skipinitialspace=True,
                skip_blank_lines=len(self.names) > 1,
                low_memory=False,
                dtype_backend="numpy_nullable",
            ).set_axis(range(len(self.body.rows)))  # another number of rows would be an error

    def _without_extra(self, raw: Any) -> Any:
        """The columns that have a name, if the fields beyond them are empty."""
        extra = raw.iloc[:, len(self.names) :]
        if extra.shape[1] == 0:
            return raw
        filled = extra.apply(lambda column: column.str.strip(BLANKS).fillna("") != "").any(axis=1).to_numpy()
        if np.any(filled):
            self.body.refuse_wide(int(self.body.rows[np.flatnonzero(filled)[0]]))
        self.notes.append("separators at the ends of lines are left out")
        return raw.iloc[:, : len(self.names)]

    def _words_by_name(self, raw: Any) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for place in raw:
            if self.hints.tells(self.names[place]):
                for word in self.words.get(place, []):
                    found.setdefault(word, []).append(self.names[place])
        return found

    def _doubted(self, raw: Any, judgement: Reading, proven: Collection[int], decimal: str) -> set[int]:
        """The columns that must be read as text: their words, marks or zeros may mean something else."""
        text = {place for place in raw if is_text(raw[place])}
        doubted = {place for place in text if MARKS & set(self.words.get(place, []))}
        if not self.hints.decimal and judgement.decimals != {decimal}:
            doubted |= {place for place in raw if _is_float(raw[place])} - set(proven)
        whole = {place for place in raw if optional("pandas").api.types.is_integer_dtype(raw[place].dtype)}
        if whole and has_leading_zeros(self.body.data, self.layout.separator, self.layout.quote):
            doubted |= whole
        return doubted


def _is_float(column: Any) -> bool:
    return optional("pandas").api.types.is_float_dtype(column.dtype)
