"""CMA-ES with a diagonal covariance: linear time and memory."""

from typing import ClassVar

from jaxsearch.core.pytree import pytree
from jaxsearch.strategies.cma_es import CMAES


@pytree
class SepCMAES(CMAES):
    """CMA-ES with a diagonal covariance: linear time and memory, for separable problems and many coordinates.

        C <- (1 - c1 - cmu sum w) C + c1 path^2 + cmu sum_i w_i y_i:lambda^2,  elementwise

    All else, and every hyperparameter, is as in CMAES; the learning rates of C are (n + 2)/3 times larger.

    References: Ros, Hansen, A Simple Modification in CMA-ES Achieving Linear Time and Space Complexity, PPSN, 2008.
    """

    separable: ClassVar[bool] = True
