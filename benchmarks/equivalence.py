"""Does a network that trains in a population reach the losses that it reaches alone, in arrays of its own size?

Random candidates of every family of models, each trained alone at its own size, are compared with the same ones padded
to the largest size, bucketed in chunks, spread over devices, and halved. Writes results/equivalence.json.

    python benchmarks/equivalence.py [--candidates 200] [--families MLP ConvNet]
"""

import argparse
import dataclasses
import os
from pathlib import Path

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"

import jax
import jax.numpy as jnp
import numpy as np
import recorder

import jaxsearch as js
from jaxsearch.evaluators.parameters import numbers

RESULT = Path(__file__).parent / "results" / "equivalence.json"
ROWS, FOLDS, EPOCHS = 90, 2, 6
LEARNING = {
    "learning_rate": js.Float(1e-3, 1e-2, log=True),
    "weight_decay": js.Float(1e-4, 1, log=True),
    "dropout": js.Float(0, 0.4),
    "batch_size": js.Choice(15, 30),
}
FAMILIES = {  # the model, its space, and which field of the model bounds which parameter
    "MLP": (
        js.models.MLP(6, 3, max_layers=3, max_width=48),
        {
            "layers": js.Int(1, 3),
            "width": js.Choice(8, 11, 16, 23, 32, 40, 48),
            "activation": js.Choice("relu", "tanh", "silu"),
        },
        {"layers": "max_layers", "width": "max_width"},
    ),
    "ConvNet": (
        js.models.ConvNet((8, 8, 1), 3, max_blocks=3, max_channels=16),
        {
            "blocks": js.Int(1, 3),
            "channels": js.Choice(4, 7, 12, 16),
            "kernel": js.Choice(3, 5),
            "activation": js.Choice("relu", "tanh", "silu"),
            "pooling": js.Choice("max", "average"),
            "normalization": js.Choice("none", "layer"),
        },
        {"blocks": "max_blocks", "channels": "max_channels", "kernel": "max_kernel"},
    ),
}


def losses(evaluator, space, x):
    """The losses in the folds, `[P, K]`, and the epochs trained."""

    @jax.jit
    def run(evaluator, x):
        state = evaluator.init(jax.random.key(1), space, len(x))
        return evaluator.evaluate(jax.random.key(2), state, space, js.Candidates(x))[0].aux

    found = run(evaluator, x)
    return np.asarray(found["folds"]), np.asarray(found["epochs"])


def trained(training, space, x, epochs):
    @jax.jit
    def run(training, x, epochs):
        state = training.init(jax.random.key(1), space, len(x))
        members = training.begin(state, space, x)
        return training.results(state, training.advance(state, space, x, members, epochs)).aux["folds"]

    return run(training, x, epochs)


def alone(training, space, bounds, x, epochs):
    """Of every candidate, one at a time in arrays of its own size; one compilation for each size."""
    params = numbers(space, jax.vmap(js.decode, in_axes=(None, 0))(space, x))
    sizes = np.stack([np.asarray(params[name]) for name in bounds], axis=1)
    found = np.empty((len(x), FOLDS))
    for size in np.unique(sizes, axis=0):
        own = {bound: int(value) for bound, value in zip(bounds.values(), size, strict=True)}
        least = {name.replace("max", "min"): 1 for name in own if hasattr(training.model, name.replace("max", "min"))}
        model = dataclasses.replace(training.model, **own, **least)
        fixed = space | {name: js.Choice(int(value)) for name, value in zip(bounds, size, strict=True)}
        one = dataclasses.replace(training, model=model, smaller=(), chunk_size=1)
        rows = np.flatnonzero((sizes == size).all(axis=1))
        found[rows] = trained(one, fixed, x[rows], jnp.asarray(epochs[rows]))
    return found


def compare(family, count):
    """The largest relative difference of a loss, for each way to train in a population."""
    model, own_space, bounds = FAMILIES[family]
    space, rng = own_space | LEARNING, np.random.default_rng(0)
    data = rng.normal(size=(ROWS, *model.input_shape)).astype(np.float32)
    classes = (data.reshape(ROWS, -1)[:, :6] @ rng.normal(size=(6, 3))).argmax(axis=1).astype(np.int32)
    training = js.Training(model, (data, classes), metric="cross_entropy", folds=FOLDS, epochs=EPOCHS, chunk_size=8)
    bucketed = dataclasses.replace(training, smaller=model.smaller())
    x = jnp.asarray(rng.random((count, js.domain(space).size)), jnp.result_type(float))
    ways = {
        "padded": dataclasses.replace(training, chunk_size=None),
        "chunked": training,
        "bucketed": bucketed,
        "bucketed on 2 devices": js.Sharded(bucketed),
        "halved": js.Halving(bucketed, factor=2, num_rungs=3),
    }
    expected: dict[bytes, np.ndarray] = {}
    differences = {}
    for way, evaluator in ways.items():
        found, epochs = losses(evaluator, space, x)
        if epochs.tobytes() not in expected:
            expected[epochs.tobytes()] = alone(training, space, bounds, x, epochs)
        against = expected[epochs.tobytes()]
        differences[way] = float(np.max(np.abs(found - against) / np.abs(against)))
        print(family, jnp.result_type(float), way, differences[way], flush=True)
    return differences


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    found = {}
    for bits in (32, 64):
        with jax.enable_x64(bits == 64):
            found[f"{bits} bits"] = {family: compare(family, options.candidates) for family in options.families}
    result = {"about": recorder.about(), "candidates": options.candidates, "largest_relative_difference": found}
    options.result.write_text(recorder.compact(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
