"""Parts of a page of HTML: every text that comes from outside is escaped here."""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from typing import Any, NamedTuple

from jaxsearch.report.contents import HALF, THIRD, Figure
from jaxsearch.report.svg import svg
from jaxsearch.report.trials import number


class Tile(NamedTuple):
    """A number that stands out. note: a few words below it; bad: whether it is a reason to worry."""

    name: str
    value: str
    note: str = ""
    bad: bool = False


def document(title: str, body: str) -> str:
    """The whole text of a page, which runs no script but its own and asks nobody for anything."""
    style, script = (
        resources.files("jaxsearch.report").joinpath(f"page.{kind}").read_text("utf-8") for kind in ("css", "js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Matplotlib's figures carry style attributes, which cannot run anything; of scripts only this one may run.
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    policy += "; base-uri 'none'; form-action 'none'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
<script>{script}</script>
</body>
</html>
"""


def section(name: str, heading: str, *parts: str) -> str:
    """A part of the page that can be jumped to; nothing if it has no content. name: its identifier."""
    content = "\n".join(part for part in parts if part)
    return f'<section id="{name}">\n<h2>{escape(heading)}</h2>\n{content}\n</section>' if content else ""


def contents(sections: Iterable[str]) -> str:
    """Links to the sections, as `section` made them, where there are several."""
    links = []
    for part in sections:
        name = part.split('"', 2)[1]
        heading = part.split("<h2>", 1)[1].split("</h2>", 1)[0]
        links.append(f'<a href="#{name}">{heading}</a>')
    return f'<nav aria-label="Sections">{" ".join(links)}</nav>' if len(links) > 2 else ""


def tiles(found: Iterable[Tile]) -> str:
    """Tiles beside each other."""
    parts = []
    for tile in found:
        note = f"<dd class=note>{escape(tile.note)}</dd>" if tile.note else ""
        pair = f"<dt>{escape(tile.name)}</dt><dd>{escape(tile.value)}</dd>"
        parts.append(f"<div{' class=bad' * tile.bad}>{pair}{note}</div>")
    return f"<dl class=tiles>{''.join(parts)}</dl>" if parts else ""


def pairs(found: Iterable[tuple[str, Any]], flags: dict[str, str] | None = None) -> str:
    """Names and values, in columns. flags: a remark to the value of a name."""
    rows = []
    for name, value in found:
        remark = (flags or {}).get(str(name))
        flag = f"<dd class=flag>{escape(remark)}</dd>" if remark else ""
        rows.append(f"<div><dt>{escape(str(name))}</dt><dd>{escape(number(value))}</dd>{flag}</div>")
    return f"<dl class=pairs>{''.join(rows)}</dl>" if rows else ""


def subheading(text: str, note: str = "") -> str:
    """A heading inside a section, with a sentence below."""
    return f"<h3>{escape(text)}</h3>" + (f"<p class=note>{escape(note)}</p>" if note else "")


def listed(texts: Iterable[str], kind: str = "notes") -> str:
    """Sentences as a list. kind: "notes" or "warnings"."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul class={kind}>{items}</ul>" if items else ""


def commands(found: Iterable[tuple[str, str]]) -> str:
    """Commands for a shell with what they do; the page's script adds a button that copies each."""
    rows = []
    for what, command in found:
        # A line may end between words, but not after the hyphens of an option.
        words = re.sub(r"(?<= )--[a-z-]+", r"<span>\g<0></span>", escape(command))
        rows.append(f"<div class=command><p class=note>{escape(what)}</p><pre tabindex=0>{words}</pre></div>")
    return f"<div class=commands>{''.join(rows)}</div>" if rows else ""


def grid(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    numeric: Sequence[bool],
    label: str,
    kind: str = "grid",
) -> str:
    """A small table; rows: of cells whose text is HTML already, each with a text for every head."""
    kinds = [" class=n" if right else "" for right in numeric]
    top = "".join(f'<th scope="col"{kind}>{escape(head)}</th>' for head, kind in zip(heads, kinds, strict=True))
    lines = []
    for first, *cells in rows:
        row = "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(cells, kinds[1:], strict=True))
        lines.append(f'<tr><th scope="row">{first}</th>{row}</tr>')
    body = "\n".join(lines)
    inside = f'<table class="{kind}">\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>'
    return f'<div class=box role=region aria-label="{escape(label, quote=True)}" tabindex=0>\n{inside}\n</div>'


def short(value: float | None) -> str:
    """A number with four digits; nothing for None."""
    return "" if value is None else f"{value:.4g}"


def bar(share: float, text: str) -> str:
    """A number in a cell with a bar that shows it; share: of the cell, in [0, 1]."""
    width = f"{100 * min(max(share, 0.0), 1.0):.3g}%"
    return f'<span class=bar><i style="width:{width}"></i></span><span class=value>{escape(text)}</span>'


def figures(found: Iterable[Figure], name: str) -> str:
    """Figures in rows; name: the beginning of their identifiers."""
    drawn = [_figure(f"{name}{number}", figure) for number, figure in enumerate(found)]
    body = "\n".join(drawn)
    return f"<div class=figures>\n{body}\n</div>" if drawn else ""


def _figure(name: str, figure: Figure) -> str:
    kind = {HALF: "half", THIRD: "third"}.get(figure.size, "whole")
    note = f"<p class=note>{escape(figure.caption)}</p>" if figure.caption else ""
    caption = f"<figcaption><h3>{escape(figure.title)}</h3>{note}</figcaption>"
    drawn = svg(figure.draw, name, figure.title, figure.size)
    if figure.narrow is None:
        return f"<figure class={kind}>{caption}<div class=scroll>\n{drawn}\n</div></figure>"
    narrow = svg(figure.narrow[0], f"{name}n", figure.title, figure.narrow[1])
    parts = f"<div class=wide>\n{drawn}\n</div><div class=narrow>\n{narrow}\n</div>"
    return f"<figure class={kind}>{caption}{parts}</figure>"
