"""What a search has found, for people: figures on Matplotlib's axes, the importance of parameters, a page of HTML."""

from jaxsearch.report.drawing import architecture as architecture
from jaxsearch.report.importance import importance as importance
from jaxsearch.report.page import page as page
from jaxsearch.report.parallel import parallel_coordinates as parallel_coordinates
from jaxsearch.report.parameter_figures import contour as contour
from jaxsearch.report.parameter_figures import importances as importances
from jaxsearch.report.parameter_figures import slice_of as slice_of
from jaxsearch.report.population import budgets as budgets
from jaxsearch.report.population import diversity as diversity
from jaxsearch.report.population import learning_curves as learning_curves
from jaxsearch.report.searches import convergence as convergence
from jaxsearch.report.searches import ecdf as ecdf
