"""What a search has found, for people: figures on Matplotlib's axes, the importance of parameters, a page of HTML."""

from jaxsearch.report.drawing import architecture
from jaxsearch.report.folds import spread_over_folds
from jaxsearch.report.importance import importance
from jaxsearch.report.page import page
from jaxsearch.report.parallel import parallel_coordinates
from jaxsearch.report.parameter_figures import contour, importances, slice_of
from jaxsearch.report.population import budgets, diversity, learning_curves
from jaxsearch.report.searches import convergence, ecdf

__all__ = [
    "architecture",
    "budgets",
    "contour",
    "convergence",
    "diversity",
    "ecdf",
    "importance",
    "importances",
    "learning_curves",
    "page",
    "parallel_coordinates",
    "slice_of",
    "spread_over_folds",
]
