"""Estimators for scikit-learn, from the extra `sklearn`: networks that a search finds, and a search over parameters.

    from jaxsearch.adapters.sklearn import JaxSearchClassifier, JaxSearchCV, JaxSearchRegressor

They keep scikit-learn's contract, so that pipelines, cross-validation, `clone` and metadata routing take them.
"""

try:
    import sklearn  # noqa: F401
except ImportError:
    raise ImportError("These estimators need scikit-learn. Install it: pip install 'jaxsearch[sklearn]'") from None

from jaxsearch.adapters.sklearn_networks import JaxSearchClassifier, JaxSearchRegressor
from jaxsearch.adapters.sklearn_search import JaxSearchCV

__all__ = ["JaxSearchCV", "JaxSearchClassifier", "JaxSearchRegressor"]
