"""Arguments as scikit-learn gives them."""

from typing import Any

import jax
import numpy as np
from sklearn.utils import check_random_state

from jaxsearch.core.population import check_count
from jaxsearch.core.protocols import Strategy
from jaxsearch.core.types import Key, PyTree
from jaxsearch.evaluators.defaults import class_weights_for
from jaxsearch.evaluators.lessons import ClassWeights
from jaxsearch.evaluators.metrics import Metric
from jaxsearch.runners.minimize import check_strategy
from jaxsearch.runners.sized import fitting
from jaxsearch.spaces import codec


def count_of(name: str, value: Any) -> int:
    """An integer of at least 1, also one of NumPy; raises ValueError for anything else."""
    return check_count(name, value)


def class_weights_of(class_weight: Any, metric: Metric, classes: np.ndarray) -> ClassWeights:
    """The weights of `classes` `[C]`, the labels, as `Training` takes them.

    Raises ValueError for other words, for labels that are not there, and for weights not above 0.
    """
    if not isinstance(class_weight, dict):
        return class_weights_for(metric, class_weight)
    labels = classes.tolist()
    if unknown := [label for label in class_weight if label not in labels]:
        raise ValueError(f"class_weight must be by labels of y; there is no {unknown[0]!r}. Leave it out.")
    return tuple(float(class_weight.get(label, 1.0)) for label in labels)


def key_of(random_state: Any) -> Key:
    """A key for a number, for what a `RandomState` draws next, or for what NumPy's own draws next if None."""
    return jax.random.key(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def strategy_of(strategy: Any, space: PyTree, budget: int, generations: int) -> Strategy:
    """The strategy with this name, with a population that the budget lets live so long; any but a name as it is.

    Raises ValueError for an unknown name, for one that does not fit, and for what is no strategy.
    """
    if isinstance(strategy, str):
        return fitting(strategy, codec.domain(space), budget, generations)
    check_strategy(strategy)
    return strategy
