"""The part of a page about the network on held-out rows, from a run's evaluation.json.

What it holds is described where it is made, in `jaxsearch.cli.evaluation`.
"""

import functools
from collections.abc import Mapping
from html import escape
from typing import Any

from jaxsearch.report import document, outcome_figures
from jaxsearch.report.contents import HALF, NARROW_WIDTH, WHOLE, Figure, filled
from jaxsearch.report.predictions import SHARES

MOST_CLASSES = 30  # in a table
MOST_CELLS = 15  # classes of a confusion matrix; of more the most frequent confusions are listed
MOST_CONFUSIONS = 20
MOST_BARS = 20
LEVELS = 7  # of the colours of a confusion matrix


def held_out_section(evaluation: Mapping[str, Any]) -> str:
    """How well the network predicts the rows that it has not seen, and which columns it uses."""
    data = evaluation["data"]
    scores = [(name, score) for name, score in evaluation["scores"].items() if score is not None]
    parts: list[str] = []
    found: list[Figure] = []
    if "classification" in evaluation:
        parts = _confusion(evaluation["classification"], data["classes"])
    else:
        found += _residuals(evaluation["regression"])
        scores += _spread(evaluation["regression"]["residual_quantiles"])
    found += _importance(evaluation["importance"])
    skipped = evaluation["importance"]["skipped"]
    if skipped:
        parts.append(document.listed([f"No importance of the columns: {skipped}."]))
    parts.append(document.figures(filled(found), "h"))
    note = f"On {data['test_rows']:,} rows that neither the search nor the network has seen."
    return document.section("held-out", "Held-out rows", f"<p class=note>{note}</p>", document.pairs(scores), *parts)


def _spread(quantiles: list[float]) -> list[tuple[str, str]]:
    """Between which values the residuals lie."""
    at = {share: document.short(value) for share, value in zip(SHARES, quantiles, strict=True)}
    return [
        ("predicted - true, half of the rows", f"{at[0.25]} to {at[0.75]}"),
        ("predicted - true, 90 % of the rows", f"{at[0.05]} to {at[0.95]}"),
    ]


def _confusion(found: Mapping[str, Any], classes: list[dict[str, Any]]) -> list[str]:
    names = [one["name"] for one in classes]
    counts = {(true, predicted): rows for true, predicted, rows in found["confusion"]}
    heads = ["class", "recall", "precision", "held out"]
    worst = sorted(range(len(names)), key=lambda one: (found["recall"][one] is None, found["recall"][one] or 0))
    chosen = range(len(names)) if len(names) <= MOST_CLASSES else worst[:MOST_CLASSES]
    lines = [
        [escape(names[one]), *(_share(found[kind][one]) for kind in heads[1:3]), f"{classes[one]['test_rows']:,}"]
        for one in chosen
    ]
    note = "Recall: the share of a class that was found. Precision: the share of its predictions that are right."
    if len(chosen) < len(names):
        note += f" The {len(chosen)} of {len(names):,} classes with the lowest recall."
    table = document.grid(heads, lines, [False, False, False, True], "Recall and precision")
    first = document.subheading("Recall per class", note) + table
    second = _matrix(counts, names) if len(names) <= MOST_CELLS else _most_confused(counts, names)
    return [f"<div class=beside><div>{first}</div><div>{second}</div></div>"]


def _matrix(counts: dict[tuple[int, int], int], names: list[str]) -> str:
    sums = [sum(counts.get((true, other), 0) for other in range(len(names))) for true in range(len(names))]
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    lines = []
    for true, name in enumerate(names):
        cells = [_cell(counts.get((true, other), 0), sums[true]) for other in range(len(names))]
        lines.append(f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>')
    body = "\n".join(lines)
    inside = f"<table class=confusion>\n<thead><tr><td></td>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    note = "A row for each true class, a column for each predicted one; strong colours: large shares of the row."
    box = f'<div class=box role=region aria-label="Confusion matrix" tabindex=0>\n{inside}\n</div>'
    return document.subheading("Confusion", note) + box


def _cell(count: int, total: int) -> str:
    level = min(int(LEVELS * count / total), LEVELS - 1) if count else None
    return "<td></td>" if level is None else f"<td class=l{level}>{count:,}</td>"


def _most_confused(counts: dict[tuple[int, int], int], names: list[str]) -> str:
    wrong = [(rows, true, other) for (true, other), rows in counts.items() if true != other]
    wrong = sorted(wrong, key=lambda one: (-one[0], one[1:]))[:MOST_CONFUSIONS]
    lines = [[escape(names[true]), escape(names[other]), f"{rows:,}"] for rows, true, other in wrong]
    table = document.grid(["class", "taken for", "rows"], lines, [False, False, True], "Confusions")
    return document.subheading("Most frequent confusions") + table


def _residuals(found: Mapping[str, Any]) -> list[Figure]:
    pair = {"true": found["true"], "predicted": found["predicted"]}
    few = f" {len(found['true']):,} rows."
    return [
        Figure(
            "Predicted against true",
            "On the line the prediction is right." + few,
            functools.partial(outcome_figures.predicted_against_true, **pair),
            HALF,
        ),
        Figure(
            "Residuals",
            "What the network predicts too high lies above the line.",
            functools.partial(outcome_figures.residuals, **pair),
            HALF,
        ),
    ]


def _importance(found: Mapping[str, Any]) -> list[Figure]:
    columns = [(one["name"], one["increases"]) for one in found["columns"]]
    columns = [(name, values) for name, values in columns if values and None not in values]
    if not columns:
        return []
    columns = sorted(columns, key=lambda one: -sum(one[1]))
    caption = (
        f"How much worse the {found['metric']} becomes when the values of a column are shuffled: the mean of "
        f"{found['permutations']} permutations as a bar, each of them as a point."
    )
    if len(columns) > MOST_BARS:
        caption += f" The first {MOST_BARS} of {len(columns)} columns."
    draw = functools.partial(
        outcome_figures.columns_importance,
        increases=dict(columns[:MOST_BARS]),
        label=f"how much worse the {found['metric']} becomes",
    )
    height = 0.7 + 0.2 * min(len(columns), MOST_BARS)
    narrow = (draw, (NARROW_WIDTH, max(height, 1.2)))
    return [Figure("Importance of the columns", caption, draw, (WHOLE[0], max(height, 1.2)), narrow)]


def _share(value: float | None) -> str:
    return "" if value is None else document.bar(value, f"{value:.0%}")
