"""Builds the API reference into a directory, from the docstrings; every warning is an error.

python .ci/documentation.py <directory>
"""

import re
import sys
import warnings
from pathlib import Path

import jinja2
import pdoc.render

MODULES = """jaxsearch jaxsearch.models.portable jaxsearch.problems.functions jaxsearch.problems.tables
jaxsearch.problems.datasets jaxsearch.problems.control jaxsearch.report jaxsearch.testing
jaxsearch.adapters.optuna jaxsearch.adapters.sklearn""".split()

NAMES = re.compile(r"((?:[a-z]\w*, )*[a-z]\w*): ")  # no sentence


def as_markdown(docstring: str) -> str:
    """A docstring of ours as Markdown: lines such as `key: one of the caller's` become the items of a list."""
    lines, fields = [], False
    for line in docstring.split("\n"):
        if not line.strip():
            fields = False
        elif re.match(r"(Raises \w+|References\b)", line):
            lines.append("")
            fields, line = False, re.sub(r"^(Raises|References:?)", r"**\1**", line)
        elif NAMES.match(line):
            if not fields:
                lines.append("")
            fields, line = True, NAMES.sub(lambda found: f"- `{found[1]}`: ", line, count=1)
            # several fields may share a line
            line = re.sub(r"(?<=[.;]) ((?:[a-z]\w*, )*[a-z]\w*): ", r"\n- `\1`: ", line)
        lines.append(line)
    return "\n".join(lines)


def build(directory: Path) -> None:
    """Writes the pages."""
    convert = pdoc.render.env.filters["to_markdown"]
    ours = jinja2.pass_context(lambda context, text: convert(context, as_markdown(text)))
    pdoc.render.configure(docformat="google")
    pdoc.render.env.filters["to_markdown"] = ours
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pdoc.pdoc(*MODULES, output_directory=directory)
    finally:
        pdoc.render.env.filters["to_markdown"] = convert


if __name__ == "__main__":
    build(Path(sys.argv[1]))
