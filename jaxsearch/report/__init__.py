"""What a search has found, for people: figures on Matplotlib's axes, the importance of parameters, a page of HTML."""

from jaxsearch.report.importance import importance as importance
