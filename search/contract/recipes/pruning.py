"""Techniques that take weights out of a network: pruning, and low-rank layers."""

from typing import Literal

from pydantic import Field

from search.contract.recipes.config import TECHNIQUE, StepConfig, TrainingConfig

Importance = Literal["magnitude", "batchnorm", "taylor"]
PruningScope = Literal["group", "global"]


class UnstructuredPruning(StepConfig):
    """Zeroes the smallest weights by absolute value (L1) in each layer, a fraction per type of layer.

    https://arxiv.org/abs/1506.02626. The zeros make the file compress better; dense kernels are not faster for them.
    """

    technique: Literal["unstructured_pruning"] = Field(default="unstructured_pruning", description=TECHNIQUE)
    conv: float = Field(default=0.5, ge=0, lt=1, description="fraction of weights zeroed in plain convolutions")
    pointwise: float = Field(default=0.4, ge=0, lt=1, description="fraction of weights zeroed in 1x1 convolutions")
    depthwise: float = Field(
        default=0.2, ge=0, lt=1, description="fraction of weights zeroed in depthwise convolutions"
    )
    linear: float = Field(default=0.5, ge=0, lt=1, description="fraction of weights zeroed in linear layers")


class GlobalPruning(StepConfig):
    """Zeroes ``ratio`` of all weights of the network, wherever the smallest by absolute value (L1) are."""

    technique: Literal["global_pruning"] = Field(default="global_pruning", description=TECHNIQUE)
    ratio: float = Field(default=0.5, gt=0, lt=1, description="fraction of all weights zeroed")


class GradualPruning(TrainingConfig):
    """Global pruning in a training: the zeroed fraction rises to ``ratio`` along a cubic curve over two thirds of the
    epochs (https://arxiv.org/abs/1710.01878).
    """

    technique: Literal["gradual_pruning"] = Field(default="gradual_pruning", description=TECHNIQUE)
    ratio: float = Field(default=0.7, gt=0, lt=1, description="fraction of all weights zeroed in the end")


class StructuredPruning(StepConfig):
    """Removes the least important channels with all that depends on them (DepGraph, https://arxiv.org/abs/2301.12900).

    ``importance``: batchnorm is from https://arxiv.org/abs/1708.06519, taylor from https://arxiv.org/abs/1906.10771.
    The remaining channels of each layer are a multiple of 8, and the classifier is kept.
    """

    technique: Literal["structured_pruning"] = Field(default="structured_pruning", description=TECHNIQUE)
    ratio: float = Field(default=0.3, gt=0, lt=1, description="fraction of channels removed")
    importance: Importance = Field(
        default="magnitude",
        description="a channel's importance: the size of its weights, its batch normalization's scale, or (taylor) the"
        " change of the loss without it, estimated from gradients",
    )
    scope: PruningScope = Field(
        default="group", description="group: ratio of each group of layers; global: of all channels, wherever they are"
    )


class LowRank(StepConfig):
    """Splits layers where that lowers their multiply-accumulates: linear ones in two by a singular value decomposition,
    convolutions with a kernel over 2 in three by Tucker-2 (https://arxiv.org/abs/1511.06530).
    """

    technique: Literal["low_rank"] = Field(default="low_rank", description=TECHNIQUE)
    energy: float = Field(default=0.9, gt=0, le=1, description="fraction of the sum of squared singular values kept")
