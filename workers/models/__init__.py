"""Networks from plain data: blocks, builder, and what a network costs."""

from workers.models.builder import ArchitectureError, Network, build_network
from workers.models.features import features
from workers.models.profile import ModelCost, cost_metrics, layers_of, profile

__all__ = [
    "ArchitectureError",
    "ModelCost",
    "Network",
    "build_network",
    "cost_metrics",
    "features",
    "layers_of",
    "profile",
]
