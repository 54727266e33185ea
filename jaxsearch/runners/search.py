"""A host loop around the compiled generation: progress, limits, callbacks, checkpoints."""

import contextlib
import dataclasses
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.protocols import Evaluator, Strategy
from jaxsearch.core.types import Key, PyTree, Scalar
from jaxsearch.evaluators.out_of_memory import halved, out_of_memory
from jaxsearch.runners.bar import bar
from jaxsearch.runners.checkpoint import Checkpoint, Store
from jaxsearch.runners.checks import check_concrete, check_key, check_target, functions
from jaxsearch.runners.fingerprint import fingerprint
from jaxsearch.runners.generation import MOST_COUNTED, Generation, advance, as_float, population_size, start
from jaxsearch.runners.interruption import interruptible
from jaxsearch.runners.journal import Journal
from jaxsearch.runners.limits import Limits
from jaxsearch.runners.minimize import checked
from jaxsearch.runners.processes import agreed
from jaxsearch.runners.result import Result, result_of

ASKED = (None, "callback", "interrupt", "terminate")  # who else may end a search

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
    callback: Callable[[Generation], Any] | Sequence[Callable[[Generation], Any]] = (),
    progress: bool | Callable[[float], str] = True,
    checkpoint: Checkpoint | str | os.PathLike | None = None,
    archive: bool = True,
) -> Result:
    """Like `minimize`, along the same path for the same key, but generation by generation from the host.

        >>> bowl, strategy = lambda key, x: (x - 0.3) ** 2, js.GA(population_size=8)
        >>> result = js.search(bowl, js.Float(-1, 1), strategy, key=jax.random.key(0), max_evaluations=64)
        >>> result.stopped, len(result.trials()["loss"])
        ('evaluations', 64)

    The numbers are equal, up to the last bit of an objective of which only one row is evaluated at a time.

    Ends with the first limit that is met, or when every configuration of a finite space has been evaluated, failed ones
    among them, unless the strategy says from whom candidates go on, as `PBT` does. Ctrl-C ends it after the generation
    that is running, with the result so far; a second Ctrl-C at once.

    Args:
        objective, space, strategy, key, target: as in `minimize`. Without num_generations, "auto" also chooses how many
            candidates a generation has, unless they are trained.
        num_generations: generations to run, at least 1.
        max_evaluations: candidates that may be evaluated; whole generations only, so at least one population.
        time_limit: seconds; the generation that is running then is finished. If the search was interrupted and goes on
            from a checkpoint, all its parts count.
        patience: generations without improvement of the best loss, after which to stop.
        repeat: go on when every configuration of a finite space has been evaluated, e.g. since the losses are noisy.
        callback: gets every `Generation`, or a list of functions that do; the search ends when one returns True.
        progress: show a bar on a terminal (needs rich, from the extra `cli`); or a function that puts the best loss
            into words there, e.g. `lambda loss: f"auc {1 - loss:.4f}"`.
        checkpoint: a directory in which the search saves itself every 30 seconds and at its end, or a `Checkpoint` that
            says how often. A search that was killed goes on from there when it is called again, to the same numbers;
            one that had ended goes on if a limit is wider now. SIGTERM then ends it as Ctrl-C does.
        archive: keep all candidates on the host for `Result.trials()`; False for populations too large for that.

    Raises:
        ValueError: for arguments that cannot work or are traced, no limit at all, a checkpoint of another search or a
            damaged one, and a directory that another process uses.
    """
    check_key(key)
    check_target(target)
    check_concrete(key=key, objective=objective, space=space, strategy=strategy, target=target)
    callbacks = functions("callback", callback)
    if target is not None:  # rounded like the loss, so that a loss equal to the target meets it
        target = float(as_float(target))
    limits = Limits(num_generations, max_evaluations, time_limit, target, patience)
    parts, why = checked(objective, space, strategy, limits.num_generations, limits.max_evaluations)
    evaluator, space, chosen = parts
    state = _start(key, chosen, evaluator, space)
    limits = dataclasses.replace(limits, count=population_size(chosen, state.strategy, key))
    structure = _advance.eval_shape(state, chosen, evaluator, space)[1]
    goes_on = repeat or structure.candidates.origin is not None  # evaluated again, a configuration trains further
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(_opened(checkpoint, space, chosen, evaluator, key, archive))
        journal = Journal(state, archive, store)
        journal.resume(structure)
        interruption = stack.enter_context(interruptible(terminates=store is not None))
        show = stack.enter_context(bar(progress, limits.generations, limits.count, len(journal.history)))

        def reason() -> str | None:
            finite = not goes_on and len(journal.state.visited) > 0
            exhausted = "exhausted" if finite and bool(journal.state.exhausted) else None
            return limits.reached(journal.history, agreed(journal.seconds)) or exhausted

        stopped = reason()
        try:
            while stopped is None:
                try:
                    state, generation = _advance(journal.state, chosen, evaluator, space)
                    journal.add(state, generation)
                except jax.errors.JaxRuntimeError as error:
                    if interruption.at_once:  # in a function of Callback, whose errors JAX wraps
                        raise KeyboardInterrupt from error
                    evaluator = _with_less_memory(error, evaluator, limits.count)
                    continue
                show(state)
                ended = True in [bool(one(generation)) for one in callbacks]
                asked = ASKED.index("callback" if ended else interruption.asked)
                stopped = reason() or ASKED[int(agreed(asked))]
                journal.save(ended=stopped is not None)
        except KeyboardInterrupt:
            if not journal.history:
                raise
            stopped = "interrupt"
        finally:
            journal.save(ended=True)  # also when the objective or the callback raised
    history, kept = journal.finished()
    # The history comes later, since its length is part of the program that it would go through.
    result = _result_of(journal.state, space, population_size=limits.count, history=None)
    evaluations = len(journal.history) * limits.count
    return dataclasses.replace(
        result,
        num_evaluations=np.int64(evaluations) if evaluations > MOST_COUNTED else result.num_evaluations,
        history=history,
        stopped=stopped,
        reason=why,
        archive=kept,
        space=space if archive else None,
    )


def _with_less_memory(error: Exception, evaluator: Evaluator, count: int) -> Evaluator:
    """The evaluator at work on half as many candidates at once; raises the error if that is no help."""
    fewer = halved(evaluator, count) if out_of_memory(error) else None
    if fewer is None:
        raise error
    warnings.warn(
        "A device ran out of memory. The search goes on with half the chunk size.", RuntimeWarning, stacklevel=3
    )
    return fewer


@contextlib.contextmanager
def _opened(
    checkpoint: Checkpoint | str | os.PathLike | None,
    space: PyTree,
    strategy: Strategy,
    evaluator: Evaluator,
    key: Key,
    archive: bool,
) -> Iterator[Store | None]:
    """The files of this search, under a lock; None without a checkpoint."""
    if checkpoint is None:
        yield None
        return
    facts = {"key": key, "space": space, "strategy": strategy, "evaluator": evaluator, "archive": archive}
    facts["floats"] = str(jnp.result_type(float))
    texts = {name: text for part, node in facts.items() for name, text in fingerprint(node, part).items()}
    store = Store(checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(checkpoint), texts)
    with store.locked():
        yield store
