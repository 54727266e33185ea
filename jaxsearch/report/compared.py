"""Several runs beside each other as one page of HTML."""

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from jaxsearch.report import document
from jaxsearch.report.contents import Figure, filled
from jaxsearch.report.parameters import losses_of
from jaxsearch.report.searches import convergence, over_time
from jaxsearch.report.style import Unit, best_of
from jaxsearch.report.trials import number
from jaxsearch.runners.archive import Archive

MOST_RUNS = 20  # which a table can hold


class ComparedRun(NamedTuple):
    """A run for `compared`.

    name: unlike that of every other run. data: on what it ran; runs whose scores can be compared agree in all that is
    known of both.
    settings: what was asked for. results: what came out, in the order of the rows of a table; scores in the metric's
    own unit.
    """

    name: str
    archive: Archive
    unit: Unit
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    results: Mapping[str, Any]


def compared(runs: Sequence[ComparedRun], *, title: str = "Comparison") -> str:
    """The HTML of a page with the results of the runs, the settings in which they differ, and their convergence.

    Runs on different data, or with different metrics, get a warning, and their curves figures of their own. The page
    is made as `page` is, without a table of trials.

    Raises:
        ValueError: for fewer than two runs, more than 20, names that are not distinct, and without Matplotlib.
    """
    names = [run.name for run in runs]
    if not 2 <= len(runs) <= MOST_RUNS or len(set(names)) < len(names):
        raise ValueError(
            f"A comparison needs 2 to {MOST_RUNS} runs with distinct names; got {names}. Leave some out, or rename."
        )
    differing = [name for name in _keys(run.settings for run in runs) if _differ(name, runs)]
    known = [(name, _value(value)) for name, value in runs[0].settings.items() if name not in differing]
    equal = [(name, text) for name, text in known if text]
    sections = [
        document.section("results", "Results", _table([run.results for run in runs], names)),
        document.section("settings", "Settings that differ", _settings(runs, differing)),
        document.section("search", "Search", document.figures(filled(_figures(runs)), "s")),
        document.section("equal", "Settings that are equal", document.pairs(equal)),
    ]
    head = [
        f"<header>\n<h1>{escape(title)}</h1>",
        document.listed(_warnings(runs), "warnings"),
        document.contents([part for part in sections if part]),
        "</header>",
    ]
    return document.document(title, "\n".join(part for part in [*head, *sections] if part))


def _warnings(runs: Sequence[ComparedRun]) -> list[str]:
    """That runs are of different data, in a sentence; nothing if they are of the same."""
    found = []
    for name in _keys(run.data for run in runs):
        values = list(dict.fromkeys(_value(run.data[name]) or "none" for run in runs if name in run.data))
        if len(values) > 1:
            found.append(f"{name} ({', '.join(values[:4])}{', ...' if len(values) > 4 else ''})")
    return [f"Scores cannot be compared as they are: the runs differ in {', '.join(found)}."] if found else []


def _settings(runs: Sequence[ComparedRun], names: list[str]) -> str:
    if not names:
        return "<p class=note>None: the runs were asked for the same.</p>"
    rows = [{name: run.settings.get(name) for name in names} for run in runs]
    return _table(rows, [run.name for run in runs])


def _table(columns: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """A column for each run, a row for each key."""
    rows = [[escape(name), *(escape(_value(column.get(name))) for column in columns)] for name in _keys(columns)]
    return document.grid(["", *names], rows, [False, *[True] * len(names)], "Runs", "grid runs")


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return "" if value is None else number(value)


def _keys(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """All keys, in their order."""
    return list(dict.fromkeys(itertools.chain.from_iterable(mappings)))


def _differ(name: str, runs: Sequence[ComparedRun]) -> bool:
    return len({repr(run.settings.get(name)) for run in runs}) > 1


def _figures(runs: Sequence[ComparedRun]) -> list[Figure]:
    """Of each group of runs with the same data and metric the best loss against evaluations and against time."""
    groups: list[list[ComparedRun]] = []
    for run in runs:
        group = next((some for some in groups if _can_be_compared(run, some[0])), None)
        if group is None:
            groups.append([run])
        else:
            group.append(run)
    found = []
    for some in groups:
        known = [run for run in some if best_of(losses_of(run.archive)) is not None]
        if not known:
            continue
        unit = known[0].unit
        of = f" of {', '.join(run.name for run in known)}" if len(groups) > 1 else ""
        searches = {run.name: run.archive for run in known}
        draw = functools.partial(convergence, searches=searches, **unit._asdict())
        found.append(Figure("Convergence" + of, f"The best {unit.label} so far, by evaluations.", draw))
        if all(run.archive.seconds is not None for run in known):
            draw = functools.partial(over_time, searches=searches, **unit._asdict())
            caption = f"The best {unit.label} so far, by the seconds of the search."
            found.append(Figure("Convergence in time" + of, caption, draw))
    return found


def _can_be_compared(run: ComparedRun, other: ComparedRun) -> bool:
    return run.unit == other.unit and all(run.data[name] == other.data[name] for name in run.data if name in other.data)


def seconds_of(archive: Archive) -> float | None:
    """How long the search took, without what came before and after it."""
    return None if archive.seconds is None else float(np.sum(archive.seconds))
