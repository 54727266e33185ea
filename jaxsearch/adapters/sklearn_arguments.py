"""Arguments as scikit-learn gives them."""

from typing import Any

import jax
import numpy as np
from sklearn.utils import check_random_state

from jaxsearch.core.population import check_count
from jaxsearch.core.protocols import Strategy
from jaxsearch.core.types import Key, PyTree
from jaxsearch.runners.minimize import check_strategy
from jaxsearch.runners.sized import fitting
from jaxsearch.spaces import codec


def count_of(name: str, value: Any) -> int:
    """An integer of at least 1, also one of NumPy; raises ValueError for anything else."""
    return check_count(name, value)


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
