"""Networks whose architecture is data, so that a population of different ones trains in one program."""

from jaxsearch.models.mlp import MLP as MLP
