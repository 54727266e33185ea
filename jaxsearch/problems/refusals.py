"""Columns that cannot be used, in words that a user can act on."""

import collections
import shlex
from collections.abc import Iterable, Mapping


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


def listed(names: list[str], most: int = 5) -> str:
    """The first of the names, and how many there are beside them."""
    text = ", ".join(map(repr, names[:most]))
    return f"{text} and {len(names) - most} more" if len(names) > most else text
