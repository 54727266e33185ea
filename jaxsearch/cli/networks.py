"""The families of networks that `jaxsearch run` searches."""

from typing import Any

from jaxsearch.cli.options import Options
from jaxsearch.core.names import check_name
from jaxsearch.models.conv_net import ConvNet
from jaxsearch.models.mlp import MLP
from jaxsearch.problems.datasets import Table

FAMILIES = {"mlp": MLP, "conv_net": ConvNet}


def network(options: Options, table: Table) -> tuple[Any, Table]:
    """The largest network of the family asked for, and the table as it reads it.

    Raises ValueError for a table that it cannot read.
    """
    check_name("model", options.model, FAMILIES)
    outputs = len(table.classes) if table.classes else 1
    if options.model == "mlp":
        table, width = table.flat(), options.max_width or 128
        layers = options.max_layers or 3
        return MLP(table.x.shape[1], outputs, max_layers=layers, max_width=width, min_width=min(8, width)), table
    shape = table.x.shape[1:]
    if len(shape) != 3 or min(shape[:2]) < 2:
        raise ValueError(f"conv_net is for images; {table.name} has rows of shape {shape}. Use --model mlp.")
    channels = options.max_width or 32
    blocks = options.max_layers or min(3, min(shape[:2]).bit_length() - 1)
    return ConvNet(shape, outputs, max_blocks=blocks, max_channels=channels, min_channels=min(4, channels)), table


def described(model: Any) -> str:
    """What is searched over, in words."""
    if isinstance(model, MLP):
        return f"networks of 0-{model.max_layers} layers (0: linear) and {model.min_width}-{model.max_width} units"
    sizes = f"1-{model.max_blocks} blocks and {model.min_channels}-{model.max_channels} channels"
    return f"convolutional networks of {sizes}"
