"""A figure as SVG inside a page, whose colours follow the page."""

import io
import re
import warnings
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import quoteattr

from jaxsearch.report import style

ROLES = {
    **{style.INK: "ink", style.MUTED: "muted", style.FAINT: "line", style.PAPER: "paper"},
    **{colour: f"series-{i}" for i, colour in enumerate(style.SERIES)},
    style.FAILED: "failed",
    **{colour: f"level-{i}" for i, colour in enumerate(style.LEVELS)},
}


def svg(draw: Callable[[Any], Any], name: str, title: str, size: tuple[float, float]) -> str:
    """What `draw(axes)` draws, as an `<svg>` element that is the same every time.

    Points and lines that `style.tag` marked stand in a group with the attribute `data-trials`, the numbers of their
    trials in the order of the points or of the parts of a line; those with texts of their own in one with `data-tips`.

    name: unlike that of every other figure of the page. title: for those who do not see it. size: in inches.
    Raises ValueError without Matplotlib.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise ValueError("Figures need matplotlib. Install it: pip install 'jaxsearch[report]'") from None
    with matplotlib.rc_context(settings()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # the browser has one
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _inline(file.getvalue(), name, title)


def settings() -> dict[Any, Any]:
    """Matplotlib's settings for the figures of a page."""
    muted = "axes.labelcolor xtick.labelcolor ytick.labelcolor".split()
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": "jaxsearch",
        "path.simplify": False,  # a line keeps all of its parts, each of which is a trial
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "text.color": style.INK,
        "axes.edgecolor": style.FAINT,
        "xtick.color": style.FAINT,
        "ytick.color": style.FAINT,
        **dict.fromkeys(muted, style.MUTED),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
    }


def _inline(text: str, name: str, title: str) -> str:
    """The element without what belongs to a file, with names of its own and fewer digits."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", lambda match: _tag(match[0], name), text)
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups()  # type: ignore[union-attr]
    head = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label={quoteattr(title)}>'
    text = head + text[text.index(">") + 1 :]
    text = re.sub(r"\s*\n\s*", "\n", text).strip()
    # A cloud of points has the same style: say it once.
    return re.sub(r'(?:<use [^>]*style="([^"]*)"/>\n)(?:<use [^>]*style="\1"/>\n)+', _together, text)


def _together(match: re.Match) -> str:
    own = f' style="{match[1]}"'
    return f"<g{own}>\n{match[0].replace(own, '')}</g>\n"


def _tag(tag: str, name: str) -> str:
    for begin in (style.TRIALS, style.TIPS):
        tag = re.sub(rf'\bid="{begin}', f'data-{begin[:-1]}="', tag)
    if "data-" in tag:
        return tag
    tag = re.sub(r"\d+\.\d{3,}", lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), tag)
    tag = re.sub(r'\bid="', f'id="{name}-', tag)
    tag = re.sub(r"#(?=[mpi][0-9a-f]{10}\b)", f"#{name}-", tag).replace("xlink:href", "href")
    tag = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", tag)  # the family is that of the page
    return re.sub(r"#[0-9a-f]{6}\b", lambda match: f"var(--{ROLES[match[0]]})" if match[0] in ROLES else match[0], tag)
