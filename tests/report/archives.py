"""Small archives made by hand: no search has to run for them."""

import numpy as np

import jaxsearch as js
from jaxsearch.core.types import Domain
from jaxsearch.report.predictions import classification
from jaxsearch.spaces import codec

SPACE = {
    "activation": js.Choice("relu", "<script>alert(1)</script>", None),
    "optimizer": js.Switch(sgd={"momentum": js.Float(0.0, 0.99)}, adam={"b1": js.Float(0.8, 0.99)}),
    "rate": js.Float(1e-4, 1e-1, log=True),
    "units": js.Int(8, 128, log=True),
    "width": js.Int(1, 4, shape=(2,)),
}


def archive(loss, x=None, *, per_generation=8, **fields):
    """Trials with these losses at random points of `SPACE`, or at `x`."""
    loss = np.asarray(loss, np.float32)
    x = uniform(len(loss)) if x is None else np.asarray(x, np.float32)
    generation = (1 + np.arange(len(loss)) // per_generation).astype(np.int32)
    return js.Archive(generation, x, loss, **fields)


def uniform(count, space=SPACE, seed=0):
    domain: Domain = codec.domain(space)
    return np.random.default_rng(seed).random((count, domain.size)).astype(np.float32)


def evaluation(names, shares=(0.6, 0.3, 0.1)):
    """What a run's evaluation.json holds, for classes and columns of these names."""
    random = np.random.default_rng(0)
    rows = [round(200 * share) for share in shares]
    columns = [{"name": name, "counts_as": "number", "features": 1, "missing": 0.1} for name in names]
    y = np.repeat(np.arange(len(names)), [round(40 * share) for share in shares])
    predicted = np.where(random.random(len(y)) < 0.8, y, 0)
    importance = [{"name": name, "increases": random.normal(0.1, 0.05, 5).tolist()} for name in names]
    return {
        "format": 1,
        "data": {
            "name": "t",
            "task": "classification",
            "target": "answer",
            "group": None,
            "rows": 200,
            "test_rows": 40,
            "shape": [3],
            "notes": ["constant columns say nothing and are ignored: 'a'"],
            "dropped": ["id"],
            "columns": columns,
            "classes": [
                {"name": name, "rows": count, "test_rows": round(count / 5)}
                for name, count in zip(names, rows, strict=True)
            ],
        },
        "scores": {"error": 0.15, "auc": None},
        "classification": classification(predicted, y, len(names)),
        "importance": {"metric": "error", "rows": 40, "permutations": 5, "skipped": None, "columns": importance},
    }


def mixed(count=40, seed=0):
    """Trials of which some failed, some broke a constraint, two are duplicates, with epochs and folds."""
    random = np.random.default_rng(seed)
    x = uniform(count, seed=seed)
    loss = (x[:, 3] - 0.3) ** 2 + 0.1 * random.random(count) + 0.01
    loss[::7] = np.inf
    x[9], x[10] = x[1], x[1]
    violation = np.where(np.arange(count) % 14 == 7, 1.0, -1.0).astype(np.float32)
    aux = {"epochs": 2 ** (1 + np.arange(count) % 3), "folds": np.stack([loss, loss], 1), "key": np.zeros((count, 2))}
    return archive(loss, x, violation=violation, aux=aux)
