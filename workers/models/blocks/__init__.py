"""The blocks, each registered by its file."""

from workers.models.blocks import (
    bottleneck,
    conv,
    eca_inverted_residual,
    fire,
    ghost,
    heads,
    inverted_residual,
    mbconv,
    pooling,
    shufflenet,
    torchvision_network,
)

__all__ = [
    "bottleneck",
    "conv",
    "eca_inverted_residual",
    "fire",
    "ghost",
    "heads",
    "inverted_residual",
    "mbconv",
    "pooling",
    "shufflenet",
    "torchvision_network",
]
