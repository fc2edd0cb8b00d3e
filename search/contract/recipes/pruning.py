"""Techniques that take weights out of a network: pruning, and low-rank layers."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import StepConfig, TrainingConfig

Importance = Literal["magnitude", "batchnorm", "taylor"]
PruningScope = Literal["group", "global"]


class UnstructuredPruning(StepConfig):
    """Zeroes the smallest weights by absolute value (L1) in each layer, a share per type of layer.

    https://arxiv.org/abs/1506.02626. The zeros make the file compress better; dense kernels are not faster for them.
    """

    technique: Literal["unstructured_pruning"] = "unstructured_pruning"
    conv: float = Field(default=0.5, ge=0, lt=1)
    pointwise: float = Field(default=0.4, ge=0, lt=1)
    depthwise: float = Field(default=0.2, ge=0, lt=1)
    linear: float = Field(default=0.5, ge=0, lt=1)


class GlobalPruning(StepConfig):
    """Zeroes ``ratio`` of all weights of the network, wherever the smallest by absolute value (L1) are."""

    technique: Literal["global_pruning"] = "global_pruning"
    ratio: float = Field(default=0.5, gt=0, lt=1)


class GradualPruning(TrainingConfig):
    """Global pruning in a training: the zeroed share rises to ``ratio`` along a cubic curve over two thirds of the
    epochs (https://arxiv.org/abs/1710.01878).
    """

    technique: Literal["gradual_pruning"] = "gradual_pruning"
    ratio: float = Field(default=0.7, gt=0, lt=1)


class StructuredPruning(StepConfig):
    """Removes the least important channels with all that depends on them (DepGraph, https://arxiv.org/abs/2301.12900).

    ``importance`` of a channel: the size of its weights, the scale of its batch normalization
    (https://arxiv.org/abs/1708.06519), or what the loss would change without it, by its gradient
    (https://arxiv.org/abs/1906.10771). ``scope``: ``ratio`` of each group of layers, or of all channels wherever the
    least important ones are. What is left is a multiple of 8, and the classifier is kept.
    """

    technique: Literal["structured_pruning"] = "structured_pruning"
    ratio: float = Field(default=0.3, gt=0, lt=1)
    importance: Importance = "magnitude"
    scope: PruningScope = "group"


class LowRank(StepConfig):
    """Splits layers where that lowers their multiply-accumulates: linear ones in two by a singular value decomposition,
    convolutions with a kernel over 2 in three by Tucker-2 (https://arxiv.org/abs/1511.06530).

    ``energy`` is the share of the sum of squared singular values that is kept.
    """

    technique: Literal["low_rank"] = "low_rank"
    energy: float = Field(default=0.9, gt=0, le=1)
