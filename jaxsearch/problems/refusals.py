"""Columns that cannot be used, in words that a user can act on."""

import collections
import shlex
from collections.abc import Collection, Iterable, Mapping


class UnusableColumnError(ValueError):
    """A column that cannot be used: the rule, what the column has instead, and what helps."""

    def __init__(self, rule: str, name: str, what: str, remedy: str):
        super().__init__(f"{rule}; {name!r} {what}. {remedy}.")
        self.rule, self.what, self.remedy = rule, what, remedy


def complaint(problems: Mapping[str, UnusableColumnError | str]) -> str:
    """All problems in a line, with the options that leave the columns out."""
    groups = collections.defaultdict(list)
    for name, problem in problems.items():
        if isinstance(problem, UnusableColumnError):
            groups[problem.rule, problem.what, problem.remedy].append(name)
    sentences = [problem.rstrip(".") for problem in problems.values() if isinstance(problem, str)]
    sentences += [f"{rule}; {listed(names)} {what}. {remedy}" for (rule, what, remedy), names in groups.items()]
    drop = option("drop", problems)
    if len(sentences) == 1:
        return f"{sentences[0]}, or leave out: {drop}."
    return f"{len(problems)} columns cannot be used. {'. '.join(sentences)}. Or leave them out: {drop}."


def option(name: str, columns: Iterable[str]) -> str:
    """The option of the command, once for every column, as a shell takes it: --drop a --drop 'b c'."""
    return " ".join(f"--{name} {shlex.quote(column)}" for column in columns)


def misread(separator: str, name: str, known: Collection[str]) -> str:
    """A sentence for a column that is not there, where the reason may be that another separator was found.

    Args:
        separator: the one that was found, in words; "" if none had to be.
        name: of the column.
        known: the names that were read.
    """
    is_doubtful = len(known) == 1 or separator == "blanks" or any(name in other for other in known)
    if not separator or not is_doubtful:
        return ""
    columns = "column" if len(known) == 1 else "columns"
    return f" Fields were read as separated by {separator}, {len(known)} {columns}; if that is wrong, give --separator."


def listed(names: list[str], most: int = 5) -> str:
    """The first of the names, and how many there are beside them."""
    text = ", ".join(map(repr, names[:most]))
    return f"{text} and {len(names) - most} more" if len(names) > most else text
