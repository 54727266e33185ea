"""Optuna (extra `optuna`): strategies as samplers, results as studies, spaces in both directions."""

try:
    import optuna as optuna
except ImportError:
    raise ImportError("This module needs Optuna. Install it: pip install 'jaxsearch[optuna]'") from None

from jaxsearch.adapters.sampler import JaxSearchSampler as JaxSearchSampler
from jaxsearch.adapters.studies import from_optuna_distributions as from_optuna_distributions
from jaxsearch.adapters.studies import to_optuna_distributions as to_optuna_distributions
from jaxsearch.adapters.studies import to_optuna_study as to_optuna_study

__all__ = ["JaxSearchSampler", "from_optuna_distributions", "to_optuna_distributions", "to_optuna_study"]
