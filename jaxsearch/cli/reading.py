"""How a table is read: the options that say so, for every command that reads one, and what they do."""

import math
from collections.abc import Callable

import click

from jaxsearch.cli.options import Options
from jaxsearch.problems.cells import Dialect
from jaxsearch.problems.datasets import examine
from jaxsearch.problems.labelled import Examination, TableSpec

DIALECT = [
    click.option("--separator", metavar="MARK", help="What separates the fields of a text file, e.g. ';' or tab."),
    click.option("--decimal", type=click.Choice([".", ","]), help="The decimal mark of numbers in text."),
    click.option("--encoding", metavar="NAME", help="Of a text file, e.g. cp1252."),
    click.option(
        "--missing", multiple=True, metavar="WORD", help="A word that means a missing value; may be repeated."
    ),
]
OPTIONS = [
    click.option("--target", help="The column to predict; needed for tables in files."),
    click.option(
        "--task", type=click.Choice(["classification", "regression"]), help="By default told from the target."
    ),
    click.option("--drop", multiple=True, metavar="COLUMN", help="A column to leave out; may be repeated."),
    click.option("--group", metavar="COLUMN", help="Rows with the same value in it stay together in every split."),
    click.option(
        "--categorical", multiple=True, metavar="COLUMN", help="A column whose numbers are codes; may be repeated."
    ),
    click.option(
        "--number",
        multiple=True,
        metavar="COLUMN",
        help="A column of numbers; words in it are missing values; may be repeated.",
    ),
    click.option(
        "--rare-classes",
        type=click.Choice(["drop", "merge"]),
        help="Leave out classes that are too rare for the folds, or make them one class, other.",
    ),
    *DIALECT,
]


def table_options(command: Callable) -> Callable:
    """Gives a command the options that say how a table is read."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def dialect_options(command: Callable) -> Callable:
    """Gives a command the options that say how a text file is written."""
    for option in reversed(DIALECT):
        command = option(command)
    return command


def read(options: Options) -> Examination:
    """What the data of the options are."""
    spec = TableSpec(
        options.target or "",
        options.task,
        options.drop,
        options.group,
        options.categorical,
        options.number,
        options.rare_classes,
        least_class_rows(options),
        Dialect(options.separator, options.decimal, options.encoding, options.missing),
    )
    return examine(options.data, spec, options.seed)


def least_class_rows(options: Options) -> int:
    """Rows of a class that leave enough for the folds beside those of the test."""
    return math.ceil((max(options.folds, 2) + 1) / (1 - options.test_share))
