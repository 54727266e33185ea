"""A search in files: whole ones or none, without pickle, under a lock."""

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxsearch.core.population import check_count
from jaxsearch.core.pytree import is_number
from jaxsearch.core.types import PyTree
from jaxsearch.runners.files import damaged, locked, on_host, placed, read, write
from jaxsearch.runners.fingerprint import differences


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Where `search` saves itself, and how often. A search that finds itself there goes on from where it was.

    directory: of this search alone; it is made if it does not exist.
    generations, seconds: a checkpoint follows when so many have passed since the last one, whichever comes first; None
        for no such limit. A search that ends, or is ended, saves itself in any case.
    keep: checkpoints that are kept, at least 1.
    Raises ValueError for values that are out of range, and for no limit at all.
    """

    directory: str | os.PathLike
    generations: int | None = None
    seconds: float | None = 30.0
    keep: int = 2

    def __post_init__(self):
        if not isinstance(self.directory, str | os.PathLike):
            raise ValueError(f"Checkpoint.directory must be a path; got {self.directory!r}. Try 'checkpoint'.")
        for name in ("generations", "keep"):
            value = getattr(self, name)
            if value is not None or name == "keep":
                count = check_count(f"Checkpoint.{name}", value, remedy="Try 2.")
                object.__setattr__(self, name, count)
        if self.seconds is not None and not (is_number(self.seconds) and self.seconds >= 0):
            raise ValueError(f"Checkpoint.seconds must be at least 0; got {self.seconds!r}. Try 30.")
        if self.generations is self.seconds is None:
            raise ValueError("A Checkpoint needs generations or seconds; got neither. Leave seconds at 30.")


class Saved(NamedTuple):
    """A search as it was saved: its state, its trials (None if it kept none), best losses, seconds that it ran."""

    state: PyTree
    trials: PyTree
    history: list[float]
    seconds: float


class Store:
    """The files of one search: `state-N.npz` after generation N, and `trials-M-N.npz` of generations M to N."""

    def __init__(self, checkpoint: Checkpoint, facts: dict[str, str]):
        self._checkpoint, self._facts = checkpoint, facts
        self._directory = Path(checkpoint.directory)
        self._number = 0  # the generation of the newest checkpoint
        self._writes = jax.process_index() == 0  # of several processes one writes

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """No other process at work in the directory. Raises ValueError if there is one."""
        with contextlib.ExitStack() as stack:
            if self._writes:
                self._directory.mkdir(parents=True, exist_ok=True)
                stack.enter_context(locked(self._directory / "lock"))
            yield

    def load(self, state: PyTree, trials: PyTree) -> Saved | None:
        """The newest checkpoint, None if there is none.

        state: a state of this search, whose structure, types and placement on devices the loaded one gets.
        trials: the structure of its trials, None if it keeps none.
        Raises ValueError for the checkpoint of another search and for a file that is damaged.
        """
        numbers = _states(self._directory)
        self._number = numbers[-1] if numbers else 0
        if self._writes:  # what a killed process left
            late = [path for last, (_, path) in _trials(self._directory).items() if last > self._number]
            for path in [*late, *self._directory.glob(".*.partial")]:
                path.unlink()
        if not numbers:
            return None
        path = self._directory / f"state-{self._number}.npz"
        about, (history, *leaves) = read(path, "search", "seconds")
        if history.shape != (self._number,):
            raise damaged(path, f"its history has the shape {history.shape}")
        differing = differences(about["search"], self._facts)
        if differing:
            more = f", and {len(differing) - 3} more" if len(differing) > 3 else ""
            raise ValueError(
                f"The checkpoint in {self._directory} is of another search: {'; '.join(differing[:3])}{more}. Give the "
                "arguments that it had, or use another directory."
            )
        structure = jax.tree.structure(state)
        if len(leaves) != structure.num_leaves:
            raise ValueError(
                f"{path} was written by another version of jaxsearch: it has {len(leaves)} arrays, this version keeps "
                f"{structure.num_leaves}. Use that version, or start again in another directory."
            )
        state = jax.tree.map(lambda leaf, like: placed(leaf, like, path), structure.unflatten(leaves), state)
        if trials is not None:
            names, columns = _columns(self._directory, self._number)
            if names != _names(trials):
                raise damaged(self._directory / "trials-*", f"they have {names} in place of {_names(trials)}")
            trials = jax.tree.structure(trials).unflatten(columns)
        return Saved(state, trials, history.tolist(), about["seconds"])

    def due(self, generation: int, seconds: float, ended: bool) -> bool:
        """Whether it is time to save, at this generation and so many seconds after the last time."""
        limits, new = self._checkpoint, generation - self._number
        by_number = limits.generations is not None and new >= limits.generations
        return new > 0 and (ended or by_number or (limits.seconds is not None and seconds >= limits.seconds))

    def save(self, state: PyTree, trials: PyTree, history: list[float], seconds: float) -> None:
        """Writes the state after the last generation of `history`, and the trials since the last time."""
        number = len(history)
        leaves = [on_host(leaf) for leaf in jax.tree.leaves(state)]
        if self._writes:
            if trials is not None:
                path = self._directory / f"trials-{self._number + 1}-{number}.npz"
                write(path, {"names": _names(trials)}, jax.tree.leaves(trials))
            about = {"search": self._facts, "seconds": seconds}
            write(self._directory / f"state-{number}.npz", about, [np.asarray(history, float), *leaves])
            for old in _states(self._directory)[: -self._checkpoint.keep]:
                (self._directory / f"state-{old}.npz").unlink()
        self._number = number


def saved_trials(directory: Path) -> dict[str, np.ndarray]:
    """The trials of the search that saves itself in the directory, now or before.

    By the names of their places in an archive: `.x`, `.loss`, `.aux['folds']`, ... Raises ValueError if there are none.
    """
    numbers = _states(directory)
    if not numbers:
        raise ValueError(f"{directory} holds no trials yet. Wait for the first checkpoint, or name another directory.")
    return dict(zip(*_columns(directory, numbers[-1]), strict=True))


def _names(trials: PyTree) -> list[str]:
    return [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_flatten_with_path(trials)[0]]


def _columns(directory: Path, generation: int) -> tuple[list[str], list[np.ndarray]]:
    """The names of the arrays of all trials up to a generation, and the arrays."""
    files = [(path, *read(path, "names")) for path in _chain(directory, generation)]
    names = files[0][1]["names"]
    for path, about, arrays in files:
        if about["names"] != names or len(arrays) != len(names) or len({array.shape[:1] for array in arrays}) > 1:
            raise damaged(path, "its arrays are not those of trials")
    try:
        return names, [np.concatenate(parts) for parts in zip(*(arrays for _, _, arrays in files), strict=True)]
    except ValueError as error:
        raise damaged(directory / "trials-*", str(error)) from None


def _states(directory: Path) -> list[int]:
    found = (re.fullmatch(r"state-([1-9]\d*)\.npz", path.name) for path in directory.glob("state-*.npz"))
    return sorted(int(match[1]) for match in found if match)


def _trials(directory: Path) -> dict[int, tuple[int, Path]]:
    """The files of trials by their last generation, with the first."""
    paths = {path: re.fullmatch(r"trials-(\d+)-(\d+)\.npz", path.name) for path in directory.glob("trials-*.npz")}
    numbers = {path: (int(match[1]), int(match[2])) for path, match in paths.items() if match}
    return {last: (first, path) for path, (first, last) in numbers.items() if first <= last}


def _chain(directory: Path, generation: int) -> list[Path]:
    """The files of trials up to a generation, in order."""
    # From the last one back: of files that were written without their state, which overlap, none is met.
    files, chain = _trials(directory), []
    while generation:
        if generation not in files:
            raise ValueError(
                f"{directory} lacks the trials before generation {generation + 1}. Restore their file, or start anew "
                "in another directory."
            )
        first, path = files[generation]
        chain.append(path)
        generation = first - 1
    return chain[::-1]
