"""Options of `jaxsearch run` that stand in a file."""

import dataclasses
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from jaxsearch.cli.options import Options
from jaxsearch.core.names import check_name

NAMES = [field.name for field in dataclasses.fields(Options)]


def configured(context: click.Context, options: dict[str, Any], typed: Collection[str]) -> dict[str, Any]:
    """The options of the command; where DATA is a TOML file, those of the file for what was not `typed`.

    Its keys are the names of `Options`, and its paths are relative to its own directory. Without the key `data` the
    data are the default ones.

    Raises ValueError for a file that cannot be read, for unknown keys, and for values of the wrong type.
    """
    path = Path(options["data"])
    if path.suffix.lower() != ".toml":
        return options
    parameters = {parameter.name: parameter for parameter in context.command.params}
    found: dict[str, Any] = {"data": parameters["data"].get_default(context)}
    for name, value in _read(path).items():
        check_name(f"option of {path}", name, NAMES)
        value = _checked(path, parameters[name], value)
        if name == "out" or (name == "data" and Path(value).suffix):  # what has no suffix is the name of a data set
            value = type(value)(path.parent / value)
        found[name] = value
    return options | {name: value for name, value in found.items() if name == "data" or name not in typed}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why, remedy = error.strerror, "Check the path."
    except (ValueError, RecursionError) as error:  # also for text that is not UTF-8, and for numbers of too many digits
        why, remedy = error, 'Write lines such as budget = 64 and target = "price".'
    raise ValueError(f"Options come from a TOML file that can be read; got {path}: {why}. {remedy}")


def _checked(path: Path, parameter: click.Parameter, value: Any) -> Any:
    """The value as the command would have got it."""
    name, kind = parameter.name, parameter.type
    what, example, fits = _wanted(parameter, value)
    if not fits:
        raise ValueError(f"{name} in {path} must be {what}; got {value!r}. Write e.g. {name} = {example}.")
    if isinstance(kind, click.Choice):
        check_name(str(name), value, kind.choices)
    return tuple(value) if parameter.multiple else kind.convert(value, parameter, None)


def _wanted(parameter: click.Parameter, value: object) -> tuple[str, str, bool]:
    """What an option takes, an example of it, and whether the value is of that type."""
    if parameter.multiple:
        return "a list of texts", '["id"]', isinstance(value, list) and set(map(type, value)) <= {str}
    if isinstance(parameter.type, click.types.IntParamType):
        return "an integer", "8", type(value) is int
    if isinstance(parameter.type, click.types.FloatParamType):
        # TOML means integers of 64 bits, while Python reads some that no float can hold.
        return "a number", "0.5", type(value) is float or (type(value) is int and abs(value) < 2**63)
    return "a text", '"..."', isinstance(value, str) and value != "" and "\0" not in value
