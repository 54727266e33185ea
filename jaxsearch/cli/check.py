"""`jaxsearch check`: what the columns of a table count as, before any training."""

import sys

import jax
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from jaxsearch.cli.held_out import choose_test_rows
from jaxsearch.cli.options import Options
from jaxsearch.cli.reading import read
from jaxsearch.problems.labelled import Examination, Table
from jaxsearch.problems.profiles import profiles

MOST_COLUMNS = 200
HEADER = ("column", "counts as", "features", "missing", "values", "remark")


def check_table(options: Options) -> int:
    """Shows every column, the notes and all problems; returns the exit code, 2 if there are problems."""
    found = read(options)
    rows = profiles(found)
    grid = Grid(title=_summary(found), title_justify="left")
    for name in HEADER:
        grid.add_column(name, justify="right" if name in ("features", "missing") else "left")
    for row in rows[:MOST_COLUMNS]:
        numbers = (str(row.num_features) if row.num_features else "", str(row.num_missing) if row.num_missing else "")
        cells = (row.name, row.counts_as, *numbers, row.values, row.note)
        grid.add_row(*map(escape, cells))
    Console(soft_wrap=True).print(grid)
    if len(rows) > MOST_COLUMNS:
        print(f"and {len(rows) - MOST_COLUMNS} more columns")
    for note in found.notes:
        print(f"note: {note}")
    if found.problem:
        print(f"Error: {found.problem}", file=sys.stderr)
        return 2
    print(f"The table can be used{_but(found.usable(), options)}.")
    return 0


def _but(table: Table, options: Options) -> str:
    """What stands in the way of a run with these options, such as classes of too few rows."""
    try:
        choose_test_rows(table, options, jax.random.split(jax.random.key(options.seed), 3)[0])
    except ValueError as error:
        return f", but a run stops so far: {str(error).rstrip('.')}"
    return ""


def _summary(found: Examination) -> str:
    """The table in a line."""
    if found.table is None:
        return f"{found.name}: {len(found.frame)} rows"
    shape = " x ".join(map(str, found.table.x.shape[1:]))
    return escape(f"{found.name}: {len(found.table.x)} rows, {shape} features, {found.table.task}")
