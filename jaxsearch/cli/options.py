"""The options of `jaxsearch run`, checked before anything else happens."""

import dataclasses
import typing
from pathlib import Path

import numpy as np

# The least of each, and the bits of the most: what JAX counts with, and networks that can be written down.
INTEGERS = {
    "budget": (1, 31),
    "folds": (1, 31),
    "epochs": (1, 31),
    "max_layers": (1, 10),
    "max_width": (1, 16),
    "seed": (0, 32),
}


@dataclasses.dataclass(frozen=True)
class Options:
    """What the user asked for; the fields are the options of the command."""

    data: str
    target: str | None
    task: str | None
    drop: tuple[str, ...]
    group: str | None
    model: str
    strategy: str
    budget: int
    metric: str | None
    stop_at: float | None
    time_limit: float | None
    folds: int
    epochs: int | None
    max_layers: int | None
    max_width: int | None
    test_share: float
    seed: int
    out: Path | None
    categorical: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    rare_classes: str | None = None
    class_weight: str | None = None
    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self):
        for name, kind in typing.get_type_hints(Options).items():  # a file may hold anything
            value = getattr(self, name)
            fits = isinstance(value, tuple if kind == tuple[str, ...] else kind) and not isinstance(value, bool)
            if not fits or (isinstance(value, tuple) and not all(isinstance(text, str) for text in value)):
                raise ValueError(
                    f"{name} must be of type {getattr(kind, '__name__', kind)}; got {value!r}. Correct it."
                )
        for name, (least, bits) in INTEGERS.items():
            value, option = getattr(self, name), name.replace("_", "-")
            if value is not None and value < least:
                raise ValueError(f"--{option} must be at least {least}; got {value}. Give a larger number.")
            if value is not None and value >= 2**bits:
                raise ValueError(f"--{option} must be below 2**{bits}; got {value}. Give a smaller number.")
        if self.stop_at is not None and not np.isfinite(self.stop_at):
            raise ValueError(f"--stop-at must be a finite number; got {self.stop_at}. Leave it out to use the budget.")
        if self.time_limit is not None and not self.time_limit > 0:
            raise ValueError(f"--time-limit must be more than 0 seconds; got {self.time_limit}. Leave it out.")
        if not 0 < self.test_share < 1:
            raise ValueError(f"--test-share must lie between 0 and 1; got {self.test_share}. The default is 0.2.")
