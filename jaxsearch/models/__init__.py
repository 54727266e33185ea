"""Networks whose architecture is data."""

from jaxsearch.models.cell import CellNet as CellNet
from jaxsearch.models.conv_net import ConvNet as ConvNet
from jaxsearch.models.mlp import MLP as MLP
from jaxsearch.models.network import Network as Network
