"""How far a search is, on the terminal."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jaxsearch.runners.generation import Progress


@contextmanager
def bar(
    wanted: bool | Callable[[float], str], generations: int | None, count: int, behind: int
) -> Iterator[Callable[[Progress], None]]:
    """A function that shows how far the search is, on the terminal if there is one.

    wanted: whether; or yes, with a function that puts the best loss into words.
    generations: to run, None if unknown. count: candidates of one. behind: generations that an earlier part ran.
    """
    if not (wanted and sys.stderr and sys.stderr.isatty()):  # a process without a console has no stderr
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
    words = wanted if callable(wanted) else "{:.4g}".format
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=generations and generations * count, best="-", rate="-", failed="")

        def show(state: Progress) -> None:
            done, failed, best = int(state.generation) * count, int(state.num_failed), float(state.best.loss)
            seconds = max(time.monotonic() - begin, 1e-3)  # some clocks stand still for a while
            shown.update(
                task,
                completed=done,
                best=words(best) if math.isfinite(best) else "none yet",
                rate=f"{(done - behind * count) / seconds:.3g}",
                failed=f"  {failed} failed" if failed else "",
            )

        yield show
