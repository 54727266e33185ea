"""What to do when a generation does not fit into the memory: the same, of fewer candidates at once."""

import dataclasses
from typing import Any

import jax

from jaxsearch.core.protocols import Trainable
from jaxsearch.evaluators.continued import Continued
from jaxsearch.evaluators.halving import Halving
from jaxsearch.evaluators.sharded import Sharded
from jaxsearch.evaluators.training import Training
from jaxsearch.evaluators.vectorized import Chunked, Vectorized, as_evaluator


def out_of_memory(error: BaseException) -> bool:
    """Whether JAX raised the error because a device had no memory left, when it compiled or when it ran."""
    return isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error)


def halved(evaluator: Any, count: int) -> Any | None:
    """The same evaluator at work on half as many candidates at once; None where there is nothing to halve.

    That is `Vectorized` and `Chunked`, `Training`, and these inside of `Sharded`, `Halving` and `Continued`; not a
    `Callback`, which has one candidate at a time anyway, nor an evaluator of your own. `Halving` and `Continued` still
    keep what all members have learned, so there is a limit to what this helps.

    A state of the evaluator is one of the halved evaluator: the size of the chunks decides what is in memory at the
    same time and nothing that is kept. A state has the folds and the key, and a row per member of the population, never
    of a chunk. So a search goes on from where it is, to the same losses but for rounding.

    count: candidates of a generation.
    """
    if isinstance(evaluator, Vectorized):
        return Chunked(evaluator.objective, count // 2, evaluator.gradients) if count > 1 else None
    if isinstance(evaluator, Chunked | Training):
        half = min(evaluator.chunk_size or count, count) // 2
        return dataclasses.replace(evaluator, chunk_size=half) if half else None
    if isinstance(evaluator, Sharded | Halving | Continued):
        inner = as_evaluator(evaluator.evaluator)
        if isinstance(evaluator, Sharded) and isinstance(inner, Trainable):
            count = -(-count // evaluator.num_devices)  # every device has chunks of its own
        fewer = halved(inner, count)
        return None if fewer is None else dataclasses.replace(evaluator, evaluator=fewer)
    return None
