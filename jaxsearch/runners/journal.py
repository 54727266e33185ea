"""What a search has done so far, in memory and, with a checkpoint, on the disk."""

import time
import warnings

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.types import Array
from jaxsearch.runners.archive import Archive, archived, joined, rows
from jaxsearch.runners.checkpoint import Store
from jaxsearch.runners.generation import Generation, Progress
from jaxsearch.runners.processes import agreed


class Journal:
    """Every generation that has run: a search that ends at any moment has all that it was told until then.

    state: after the last generation; set last, so that what belongs to a later one does not count.
    history: the best loss after each generation.
    """

    def __init__(self, state: Progress, keeps_trials: bool, store: Store | None):
        self.state, self.history = state, list[float]()
        self._keeps_trials, self._store = keeps_trials, store
        self._earlier: list[Archive] = []  # the trials before this part of the search, in one piece
        self._trials: list[Archive] = []  # those of each generation since
        self._first = self._saved = 0  # generations before this part, and those of it that are on the disk
        self._started = self._saved_at = self._told = time.monotonic()

    def resume(self, generation: Generation) -> None:
        """Goes on from the checkpoint, if there is one. generation: one, or the shapes of its arrays."""
        structure = rows(generation)._replace(generation=0, seconds=0) if self._keeps_trials else None
        saved = self._store and self._store.load(self.state, structure)
        if saved:
            self.state, self.history, self._first = saved.state, saved.history, len(saved.history)
            self._earlier = [saved.trials] if self._keeps_trials else []
            self._started -= saved.seconds

    @property
    def seconds(self) -> float:
        """How long the search has run, all its parts together."""
        return time.monotonic() - self._started

    def add(self, state: Progress, generation: Generation) -> None:
        """Takes down a generation; waits until it has run."""
        loss = float(generation.best.loss) + float(generation.best.remainder)
        if self._keeps_trials:
            now = time.monotonic()
            self._trials.append(archived(generation, len(self.history) + 1, now - self._told))
            self._told = now
        self.history.append(loss)
        self.state = state

    def save(self, ended: bool) -> None:
        """Writes a checkpoint if it is time, or the search has ended; that there is no room does not end the search."""
        self._complete()
        if self._store is None:
            return
        if not self._store.due(len(self.history), agreed(time.monotonic() - self._saved_at), ended):
            return
        self._saved_at = time.monotonic()
        try:
            new = joined(self._trials[self._saved :]) if self._keeps_trials else None
            self._store.save(self.state, new, self.history, self.seconds)
            self._saved = len(self._trials)
        except OSError as error:
            remedy = "The result is not lost, but cannot be resumed" if ended else "The search goes on and tries again"
            warnings.warn(
                f"No checkpoint could be written: {error}. {remedy}; make room.", RuntimeWarning, stacklevel=3
            )

    def finished(self) -> tuple[Array, Archive | None]:
        """The history `[generations]` and all trials, None if they were not kept."""
        self._complete()
        history = jax.device_put(np.asarray(self.history, jnp.result_type(float)))  # which compiles nothing
        return history, joined([*self._earlier, *self._trials]) if self._keeps_trials else None

    def _complete(self) -> None:
        """Drops what an interrupt left of a generation."""
        number = int(self.state.generation)
        del self.history[number:], self._trials[number - self._first :]
