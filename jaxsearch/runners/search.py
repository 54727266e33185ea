"""A host loop around the compiled generation: progress, limits, callbacks."""

import dataclasses
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp

from jaxsearch.core.protocols import Evaluator, Strategy
from jaxsearch.core.types import Key, PyTree, Scalar
from jaxsearch.runners.generation import Generation, Progress, advance, population_size, start
from jaxsearch.runners.minimize import checked
from jaxsearch.runners.result import Result, result_of

_start = jax.jit(start)
_advance = jax.jit(advance)
_result_of = jax.jit(result_of, static_argnames="population_size")


def search(
    objective: Callable | Evaluator,
    space: PyTree,
    strategy: Strategy | str,
    *,
    key: Key,
    num_generations: int | None = None,
    max_evaluations: int | None = None,
    time_limit: float | None = None,
    target: Scalar | None = None,
    patience: int | None = None,
    repeat: bool = False,
    callback: Callable[[Generation], Any] | None = None,
    progress: bool = True,
) -> Result:
    """Like `minimize`, along the same path for the same key, but generation by generation from the host.

    The numbers are equal, up to the last bit of an objective of which only one row is evaluated at a time.

    Ends with the first limit that is met, or when every configuration of a finite space has been evaluated, failed ones
    among them, unless the strategy says from whom candidates go on, as `PBT` does; Ctrl-C ends it too, with the result
    so far.

    Args:
        objective, space, strategy, key, target: as in `minimize`. Without num_generations, "auto" also chooses how many
            candidates a generation has, unless they are trained.
        num_generations: generations to run, at least 1.
        max_evaluations: candidates that may be evaluated; whole generations only, so at least one population.
        time_limit: seconds; the generation that is running then is finished.
        patience: generations without improvement of the best loss, after which to stop.
        repeat: go on when every configuration of a finite space has been evaluated, e.g. since the losses are noisy.
        callback: gets every `Generation`; the search ends when it returns True.
        progress: show a bar on a terminal (needs rich, from the extra `cli`).

    Raises:
        ValueError: for arguments that cannot work, or no limit at all.
    """
    for name, value in (
        ("num_generations", num_generations),
        ("max_evaluations", max_evaluations),
        ("patience", patience),
    ):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ValueError(f"{name} must be an integer of at least 1; got {value!r}. Leave it out for no limit.")
    if time_limit is not None and not time_limit > 0:
        raise ValueError(f"time_limit must be more than 0 seconds; got {time_limit!r}. Leave it out for no limit.")
    if num_generations is max_evaluations is time_limit is patience is None:
        raise ValueError(
            "A search needs an end; got none of num_generations, max_evaluations, time_limit and patience. "
            "Give at least one."
        )
    (evaluator, space, chosen), why = checked(objective, space, strategy, num_generations, max_evaluations)
    state = _start(key, chosen, evaluator, space)
    count = population_size(chosen, state.strategy, key)
    if target is not None:  # rounded like the loss, so that a loss equal to the target meets it
        target = float(jnp.asarray(target, jnp.result_type(float)))
    limits = _Limits(time.monotonic(), count, num_generations, max_evaluations, time_limit, target, patience)
    history, stopped = [], "interrupt"
    try:
        with _bar(progress, limits.generations, count) as show:
            while True:
                state, generation = _advance(state, chosen, evaluator, space)
                history.append(float(state.best.loss))
                show(state)
                ended = bool(callback and callback(generation))
                goes_on = generation.candidates.origin is not None  # evaluated again, a configuration trains further
                exhausted = not (repeat or goes_on) and len(state.visited) > 0 and bool(state.exhausted)
                reason = limits.reached(history) or ("callback" if ended else "exhausted" if exhausted else None)
                if reason:
                    stopped = reason
                    break
    except KeyboardInterrupt:
        if not history:
            raise
    history = jnp.asarray(history, jnp.result_type(float))
    result = _result_of(state, space, population_size=count, history=history)
    return dataclasses.replace(result, stopped=stopped, reason=why)


@dataclasses.dataclass
class _Limits:
    started: float
    count: int
    num_generations: int | None
    max_evaluations: int | None
    time_limit: float | None
    target: float | None
    patience: int | None

    def __post_init__(self):
        if self.max_evaluations is not None and self.max_evaluations < self.count:
            raise ValueError(
                f"max_evaluations must allow one generation of {self.count} candidates; got {self.max_evaluations}. "
                "Raise it or give the strategy a smaller population_size."
            )

    @property
    def generations(self) -> int | None:
        """The most generations that the limits allow, None if unknown."""
        by_evaluations = None if self.max_evaluations is None else self.max_evaluations // self.count
        return min((n for n in (self.num_generations, by_evaluations) if n is not None), default=None)

    def reached(self, history: list[float]) -> str | None:
        """The name of the limit that is met after the generations in `history`."""
        if self.target is not None and history[-1] <= self.target:
            return "target"
        if len(history) == self.num_generations:
            return "generations"
        if len(history) == self.generations:
            return "evaluations"
        if self.time_limit is not None and time.monotonic() - self.started >= self.time_limit:
            return "time"
        if self.patience is not None and len(history) > self.patience and history[-1] >= history[-1 - self.patience]:
            return "patience"
        return None


@contextmanager
def _bar(wanted: bool, generations: int | None, count: int) -> Iterator[Callable[[Progress], None]]:
    """A function that shows how far the search is, on the terminal if there is one."""
    if not (wanted and sys.stderr.isatty()):
        yield lambda state: None
        return
    try:
        from rich import progress as rich
        from rich.console import Console
    except ImportError:
        print("No progress bar without rich: pip install 'jaxsearch[cli]'", file=sys.stderr)
        yield lambda state: None
        return
    columns = (
        rich.TextColumn("{task.completed} evaluations"),
        rich.BarColumn(),
        rich.TextColumn("best {task.fields[best]}  {task.fields[rate]}/s{task.fields[failed]}"),
        rich.TimeRemainingColumn(),
    )
    begin = time.monotonic()
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=generations and generations * count, best="-", rate="-", failed="")

        def show(state: Progress) -> None:
            done, failed, best = int(state.generation) * count, int(state.num_failed), float(state.best.loss)
            bar.update(
                task,
                completed=done,
                best=f"{best:.4g}" if math.isfinite(best) else "none yet",
                rate=f"{done / (time.monotonic() - begin):.3g}",
                failed=f"  {failed} failed" if failed else "",
            )

        yield show
