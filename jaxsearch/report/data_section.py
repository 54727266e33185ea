"""The part of a page about the data, from a run's evaluation.json.

What it holds is described where it is made, in `jaxsearch.cli.evaluation`.
"""

from collections.abc import Mapping
from html import escape
from typing import Any

from jaxsearch.report import document
from jaxsearch.report.predictions import SHARES

MOST_CLASSES = 30  # in a table
MOST_COLUMNS = 200
FEW_COLUMNS = 12  # whose table is open
RARE = 0.1  # share of the rows below which a class is called rare


def data_section(evaluation: Mapping[str, Any]) -> str:
    """What the data are: rows, columns, notes, and the balance of the classes or the target."""
    data = evaluation["data"]
    train, test = data["rows"] - data["test_rows"], data["test_rows"]
    facts = [
        ("rows", f"{data['rows']:,}: {train:,} for the search, {test:,} held out"),
        ("features", " x ".join(f"{size:,}" for size in data["shape"])),
        ("columns", f"{len(data['columns']):,}" if data["columns"] else None),
        ("target", data["target"]),
        ("target from", _target(data)),
        ("rows stay together by", data["group"]),
        ("left out by --drop", ", ".join(data["dropped"]) or None),
    ]
    known = [(name, value) for name, value in facts if value is not None]
    balance = _classes(data["classes"], data["rows"]) if "classes" in data else ""
    return document.section(
        "data",
        "Data",
        document.pairs(known),
        document.listed(data["notes"]),
        balance,
        _columns(data["columns"]),
    )


def _classes(classes: list[dict[str, Any]], rows: int) -> str:
    order = sorted(classes, key=lambda one: -one["rows"])[:MOST_CLASSES] if len(classes) > MOST_CLASSES else classes
    most = max(one["rows"] for one in classes)
    lines = [
        [
            escape(one["name"]),
            document.bar(one["rows"] / most, f"{one['rows']:,}"),
            f"{one['rows'] / rows:.1%}",
            f"{one['test_rows']:,}",
        ]
        for one in order
    ]
    rare = [one["name"] for one in classes if one["rows"] < RARE * rows]
    note = "How many rows each class has."
    if rare and len(classes) < 1 / RARE:
        names = ", ".join(rare[:5]) + (f" and {len(rare) - 5} more" if len(rare) > 5 else "")
        note += f" Below {RARE:.0%}: {names}; recall says more than the error of all rows."
    if len(order) < len(classes):
        note += f" The {len(order)} most frequent of {len(classes):,}."
    table = document.grid(["class", "rows", "share", "held out"], lines, [False, False, True, True], "Classes")
    return document.subheading("Classes", note) + table


def _target(data: Mapping[str, Any]) -> str | None:
    """Where the values of a regression's target lie."""
    if "target_quantiles" not in data:
        return None
    at = {share: document.short(value) for share, value in zip(SHARES, data["target_quantiles"], strict=True)}
    return f"{at[0.0]} to {at[1.0]}, half of the rows {at[0.25]} to {at[0.75]}"


def _columns(columns: list[dict[str, Any]]) -> str:
    if not columns:
        return ""
    lines = [
        [
            escape(one["name"]),
            escape(one["counts_as"]),
            f"{one['features']:,}",
            "" if one["missing"] is None else f"{one['missing']:.1%}" if one["missing"] else "none",
        ]
        for one in columns[:MOST_COLUMNS]
    ]
    more = f", the first {MOST_COLUMNS:,}" if len(columns) > MOST_COLUMNS else ""
    table = document.grid(["column", "counts as", "features", "missing"], lines, [False, False, True, True], "Columns")
    state = " open" if len(columns) <= 12 else ""
    return (
        f"<details{state}><summary>What each of the {len(columns):,} columns counts as{more}</summary>{table}</details>"
    )
