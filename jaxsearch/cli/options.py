"""The options of `jaxsearch run`, checked before anything else happens."""

import dataclasses
from pathlib import Path

import numpy as np


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

    def __post_init__(self):
        for name, least in (("budget", 1), ("folds", 1), ("max_layers", 1), ("max_width", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                option = name.replace("_", "-")
                raise ValueError(f"--{option} must be at least {least}; got {value}. Give a larger number.")
        if self.seed >= 2**32:
            raise ValueError(f"--seed must be below 2**32; got {self.seed}. Give a smaller number.")
        if self.stop_at is not None and not np.isfinite(self.stop_at):
            raise ValueError(f"--stop-at must be a finite number; got {self.stop_at}. Leave it out to use the budget.")
        if self.time_limit is not None and not self.time_limit > 0:
            raise ValueError(f"--time-limit must be more than 0 seconds; got {self.time_limit}. Leave it out.")
        if self.epochs is not None and self.epochs < 1:
            raise ValueError(f"--epochs must be at least 1; got {self.epochs}. Leave it out for the default.")
        if not 0 < self.test_share < 1:
            raise ValueError(f"--test-share must lie between 0 and 1; got {self.test_share}. The default is 0.2.")
