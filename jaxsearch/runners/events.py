"""A log of a search that other programs can follow."""

import json
import math
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsearch.runners.files import on_host
from jaxsearch.runners.generation import Generation


class EventLog:
    """A callback of `search` that appends a line of JSON to a file for every generation.

        {"event": "generation", "time": 1795749191.2, "generation": 3, "evaluations": 96, "failed": 0, "best_loss": 0.2}

    time: seconds since 1970. evaluations: so far. failed: in this generation, those beyond a constraint included.
    best_loss: so far, null before the first success. A generation that runs again after a crash has a second line. If
    the disk is full, a warning says so once, and lines are missing.

    path: the file; what is in it stays.
    score: makes of a loss what people read, e.g. `metric.score`; each line then has it as `best_score`, too.
    """

    def __init__(self, path: str | os.PathLike, score: Callable[[float], float] | None = None):
        self._path, self._score, self._warned = Path(path), score, False

    def __call__(self, generation: Generation) -> None:
        number, loss, best = map(on_host, (generation.number, generation.results.loss, generation.best.loss))
        failed = int(np.sum(~np.isfinite(loss)))
        found = float(best) if math.isfinite(best) else None
        scores = {"best_score": None if found is None else self._score(found)} if self._score else {}
        self.write(
            "generation",
            generation=int(number),
            evaluations=int(number) * len(loss),
            failed=failed,
            best_loss=found,
            **scores,
        )

    def write(self, event: str, **facts: Any) -> None:
        """Appends a line of an event of one's own. facts: what JSON can hold."""
        if jax.process_index():  # of several processes the first one writes
            return
        line = json.dumps({"event": event, "time": round(time.time(), 3)} | facts, allow_nan=False) + "\n"
        try:
            with self._path.open("ab+") as file:
                if file.tell() and not self._ends_whole(file):  # a process was killed while it wrote
                    line = "\n" + line
                file.write(line.encode())
        except OSError as error:
            if not self._warned:
                self._warned = True
                warnings.warn(f"{self._path} could not be written: {error}. Make room.", RuntimeWarning, stacklevel=2)

    @staticmethod
    def _ends_whole(file: Any) -> bool:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def events(path: str | os.PathLike) -> list[dict[str, Any]]:
    """The lines that an `EventLog` wrote; not those that a killed process left half-written."""
    found = []
    for line in Path(path).read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
