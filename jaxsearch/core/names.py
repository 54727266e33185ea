"""Names that users write."""

import difflib
from collections.abc import Iterable


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raises ValueError, with the nearest names, unless `name` is one of `known`."""
    known = list(known)
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        remedy = f"Did you mean {' or '.join(near)}?" if near else f"Use one of {', '.join(known)}."
        raise ValueError(f"Unknown {what} {name!r}. {remedy}")
