"""Networks whose architecture is data."""

from jaxsearch.models.cell import CellNet
from jaxsearch.models.conv_net import ConvNet
from jaxsearch.models.mlp import MLP
from jaxsearch.models.network import Network

__all__ = ["MLP", "CellNet", "ConvNet", "Network"]
