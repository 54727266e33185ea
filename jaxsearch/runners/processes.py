"""Several processes that run the same search have to decide the same."""

import jax
import numpy as np


def agreed(value: float) -> float:
    """The value that the first process has, e.g. of its clock; every process has to ask for it at the same moment."""
    if jax.process_count() == 1:
        return value
    from jax.experimental.multihost_utils import broadcast_one_to_all

    return float(broadcast_one_to_all(np.float32(value)))
