"""Names that users write."""

import difflib
from collections.abc import Iterable

MOST_SHOWN = 20


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raises ValueError, with the nearest names, unless `name` is one of `known`."""
    known = list(known)
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        few = ", ".join(known[:MOST_SHOWN]) + (
            f" and {len(known) - MOST_SHOWN} more" if len(known) > MOST_SHOWN else ""
        )
        remedy = f"Did you mean {' or '.join(near)}?" if near else f"Use one of {few}."
        raise ValueError(f"Unknown {what} {name!r}. {' '.join(remedy.split())}")  # names from files may have any space
