"""How results become text: numbers, quartiles and tables in Markdown."""

import json
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent


def load(name: str, part: str | None = None) -> dict:
    """The results of one benchmark, or of one of its parts; raises FileNotFoundError if it was not run."""
    result = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())
    if part is not None and part not in result:
        raise FileNotFoundError(f"{name}.json must have the part {part}; got {list(result)}. Run it.")
    return result if part is None else result[part]


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [columns := list(columns), ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float, digits: int = 3) -> str:
    """So many significant digits, the thousands apart."""
    value = float(f"{value:.{digits}g}")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def quartiles(found: dict, digits: int = 4) -> str:
    """A median and its quartiles."""
    median, low, high = (number(found[name], digits) for name in ("median", "low", "high"))
    return f"{median} ({low} to {high})"


def product(size: str) -> str:
    """N x D, of which the results say NxD."""
    return " x ".join(f"{int(factor):,}" for factor in size.split("x"))


def software(about: dict, *packages: str) -> str:
    """The versions of jax and of other packages."""
    return ", ".join(f"{name} {about['versions'][name]}" for name in ("jax", *packages))


def measured(about: dict, *packages: str) -> str:
    """When, on what machine and with what versions."""
    return f"{about['date']}, {about['cores']} cores, {software(about, *packages)}"
