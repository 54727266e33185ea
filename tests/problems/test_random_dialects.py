"""One table in random dialects: the same features as from a plain file, or one line that says what is in doubt.

Set JAXSEARCH_FUZZ_EXAMPLES to thousands for the long mode.
"""

import datetime
import json
import os
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from jaxsearch.problems.datasets import load, load_rows

EXAMPLES = int(os.environ.get("JAXSEARCH_FUZZ_EXAMPLES", "0")) or 120
LINE = re.compile(r"(Unknown [^\n]+[.?])|([^\n]+; [^\n]+\. [^\n]+[.])")
NAMES = ["a", "größe", "b (kg)", "x y", "a,b", "p;q", "%", "#", "it's", 'the "b"', "1", "NA"]
WORDS = ["red", "blue", "Zürich", "a b", "p,q", "x;y", "it's", 'say "hi"', "#1", "a|b", "1 kg", "-", "e"]
MISSING = ["", "NA", "?", "None", "NaN", "n/a", "#N/A", "null"]
MARKS = ["-", ".", "--"]
DATES = st.dates(datetime.date(1950, 1, 1), datetime.date(2050, 1, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dialects")


def number(value, decimals, style):
    """A number as text: its decimals, and the marks of the style."""
    digits = f"{abs(value):{',' if style['thousands'] else ''}.{decimals}f}"
    whole, _, fraction = digits.partition(".")
    whole = whole.replace(",", style["thousands"])
    sign = style["minus"] if value < 0 else ""
    return sign + whole + (style["decimal"] + fraction if fraction else "")


def columns_of(draw, count):
    """For each column its kind and its values, None where one is missing."""
    columns = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["whole", "whole", "fixed", "fixed", "words", "dates"]))
        size = draw(st.sampled_from([1, 9, 999, 99_999, 9_999_999]))
        values = {
            "whole": st.integers(-size, size),
            "fixed": st.floats(-size, size, allow_subnormal=False),
            "words": st.sampled_from(WORDS),
            "dates": DATES,
        }[kind]
        column = draw(st.lists(values, min_size=count, max_size=count))
        holes = draw(st.sampled_from([0, 0, 1, 2]))
        for place in draw(st.lists(st.integers(0, count - 1), max_size=holes)):
            column[place] = None
        columns.append((kind, draw(st.integers(1, 4)) if kind == "fixed" else 0, column))
    return columns


def cell(value, kind, decimals, style):
    if value is None:
        marks = style["mark"] if kind in ("whole", "fixed") else ""
        return marks or style["missing"]
    return number(value, decimals, style) if kind in ("whole", "fixed") else str(value)


def written(names, columns, style):
    """The text of a table in a style."""
    separator, quote = style["separator"], style["quote"]

    def field(text, is_name=False):
        must = re.search(r"[\s,;|\"']", text) or (not text.strip() and separator == " ") or "#" in text
        if style["quoting"] == "all" or must or (is_name and style["quoting"] == "names"):
            text = quote + text.replace(quote, 2 * quote) + quote
        return " " * style["pad"] + text + " " * style["pad"] if separator != " " else text

    cells = [[cell(value, *about, style) for value in column] for *about, column in columns]
    rows = [[field(name, True) for name in names], *([field(text) for text in row] for row in zip(*cells, strict=True))]
    gap = separator * (style["pad"] + 1) if separator == " " else separator
    lines = [gap.join(row) for row in rows]
    lines = [lines[0] + style["tail"][0] * (separator != " "), *(line + style["tail"][1] for line in lines[1:])]
    text = style["above"].replace("SEP", separator) + "\n".join(lines) + style["below"]
    return text.replace("\n", style["end"]).encode(style["encoding"])


PLAIN = {
    "separator": ",", "quote": '"', "quoting": "few", "decimal": ".", "thousands": "", "minus": "-", "missing": "",
    "mark": "", "pad": 0, "tail": ("", ""), "above": "", "below": "\n", "end": "\n", "encoding": "utf-8",
}  # fmt: skip


def style_of(draw):
    """A style of writing; mostly several of its parts are not the plain ones."""
    decimal = draw(st.sampled_from(".,"))
    style = {
        "separator": draw(st.sampled_from([",", ";", "\t", "|", " "])),
        "quote": draw(st.sampled_from('""\'')),
        "quoting": draw(st.sampled_from(["few", "few", "all", "names"])),
        "decimal": decimal,
        "thousands": draw(st.sampled_from(["", "", ".,".replace(decimal, ""), " ", "'", "\N{NO-BREAK SPACE}"])),
        "minus": draw(st.sampled_from("--\N{MINUS SIGN}")),
        "missing": draw(st.sampled_from(MISSING)),
        "mark": draw(st.sampled_from(["", *MARKS])),
        "pad": draw(st.sampled_from([0, 0, 1, 3])),
        "above": draw(st.sampled_from(["", "", "", "# by me\n", "Report 2024\n", "\n", "sep=SEP\n"])),
        "below": draw(st.sampled_from(["\n", "", "\n\n"])),
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
    }
    tail = style["separator"] if style["separator"] != " " else ""
    style["tail"] = draw(st.sampled_from([("", ""), ("", ""), ("", tail), (tail, tail)]))
    if style["encoding"] == "cp1252":
        style["minus"] = "-"
    return style


def attempt(call):
    """What a call gives, and the message if it refuses."""
    found, message = None, ""
    try:
        found = call()
    except ValueError as error:
        message = str(error)
    assert not message or LINE.fullmatch(message), message
    return found, message


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_same_table_in_another_dialect(folder, data):
    draw = data.draw
    count = draw(st.sampled_from([4, 6, 25]))
    columns = columns_of(draw, count)
    labels = [("no", "yes")[index % 2] for index in range(count)]
    names = draw(st.lists(st.sampled_from(NAMES), min_size=len(columns), max_size=len(columns), unique=True))
    table = [*columns, ("words", 0, labels)]
    style = style_of(draw)
    plain, other = folder / "plain.csv", folder / "other.csv"
    plain.write_bytes(written([*names, "y"], table, PLAIN))
    other.write_bytes(written([*names, "y"], table, style))
    expected, refusal = attempt(lambda: load(plain, "y"))
    if expected is None:
        event("the plain file is refused: " + refusal[:20])
        return
    found, refusal = attempt(lambda: load(other, "y"))
    event("refused: " + refusal[:20] if refusal else "read")
    if found is None:
        return
    np.testing.assert_array_equal(found.x, expected.x, err_msg=other.read_bytes().decode(style["encoding"]))
    assert found.columns == expected.columns
    assert (found.classes, list(found.y)) == (expected.classes, list(expected.y))
    about = json.loads(json.dumps([found.columns, found.reading]))
    rows, _ = attempt(lambda: load_rows(other, *about))
    np.testing.assert_array_equal(rows.x, expected.x)
