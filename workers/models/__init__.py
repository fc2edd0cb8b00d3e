"""Networks from plain data: blocks, builder, and what a network costs."""

from workers.models.builder import ArchitectureError, Network, build_network
from workers.models.features import features
from workers.models.profile import layers_of, profile

__all__ = ["ArchitectureError", "Network", "build_network", "features", "layers_of", "profile"]
