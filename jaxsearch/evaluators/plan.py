"""What a training will do, told before anything is compiled."""

import math
from typing import NamedTuple

import jax
import numpy as np

from jaxsearch.core.population import check_count
from jaxsearch.core.types import Key, PyTree
from jaxsearch.evaluators.bucketed import needs
from jaxsearch.evaluators.training import Training
from jaxsearch.spaces import codec


class Plan(NamedTuple):
    """How a generation is cut up.

    num_chunks: of candidates that train at the same time, one chunk after the other.
    num_sizes: versions of the model that have candidates, each of which takes about as long to compile as one.
    num_bytes: of what a chunk at the largest size keeps while it learns, weights and moments of all folds; gradients
        and activations come on top. `memory` tells the peak of the compiled program.
    waste: floating-point operations done over those needed if every network ran alone at its own size; at least 1.
    """

    num_chunks: int
    num_sizes: int
    num_bytes: int
    waste: float

    def __str__(self) -> str:
        return (
            f"{self.num_chunks} chunks of {self.num_bytes / 2**20:.1f} MB at {self.num_sizes} sizes, "
            f"{self.waste:.2f} times the arithmetic needed"
        )


def plan(training: Training, key: Key, space: PyTree, num_candidates: int = 64) -> Plan:
    """What one generation of a training is going to be, for candidates drawn at random from the space.

    Give the candidates of one device if the population is spread over several. Raises ValueError as `Training` does for
    a space that does not fit, for a network of your own, which does not tell its arithmetic, for no candidates, and if
    none is within `max_parameters` and `max_flops`.
    """
    if not isinstance(training, Training) or not hasattr(training.model, "flops"):
        kind = type(getattr(training, "model", training)).__name__
        raise ValueError(f"plan takes the bare Training of a model of jaxsearch; got a {kind}. Give it that.")
    num_candidates = check_count("num_candidates", num_candidates)
    key_candidates, key_state = jax.random.split(key)
    x = jax.random.uniform(key_candidates, (num_candidates, codec.domain(space).size))
    models, state = (*training.smaller, training.model), training.init(key_state, space, num_candidates)
    params, epochs = training.params(space, x), np.asarray(training.horizon(space, x))
    if not np.any(epochs):
        raise ValueError(f"None of {num_candidates} candidates is within the limits of size. Raise them.")
    size, flops = map(np.asarray, needs(models, space, params))
    chunk_size = min(training.chunk_size or num_candidates, num_candidates)
    architectures = jax.vmap(lambda params: training.model.complete(space, params))(params)
    done, num_chunks = 0.0, 0
    for number, model in enumerate(models):
        rows = np.flatnonzero((size == number) & (epochs > 0))
        rows = rows[np.argsort(flops[rows] * epochs[rows], kind="stable")]
        for first in range(0, len(rows), chunk_size):
            chunk = rows[first : first + chunk_size]
            bounded = model.bounded(jax.tree.map(lambda leaf: leaf[chunk], architectures))  # noqa: B023  # used at once
            done += chunk_size * epochs[chunk].max() * float(bounded.padded_flops())
            num_chunks += 1
    one = jax.eval_shape(lambda: training.begin(state, space, x[:1]).learned)
    num_bytes = chunk_size * sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(one))
    num_sizes = len(np.unique(size[epochs > 0]))
    return Plan(num_chunks, num_sizes, num_bytes, float(done / np.sum(flops * epochs)))
