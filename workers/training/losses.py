"""Losses of logits float [n, classes] and targets float [n, classes]: label shares, as MixUp and CutMix mix them.

Each entry of ``LOSSES`` makes a loss from a plan and the counts of the training labels, [classes]. All smooth the
targets (https://arxiv.org/abs/1512.00567) and are means over the batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from search.contract.training_settings import LossName
from workers.training.plan import TrainingPlan

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(plan: TrainingPlan, counts: Tensor) -> Loss:
    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(logits, targets, label_smoothing=plan.label_smoothing)

    return loss


def focal(plan: TrainingPlan, counts: Tensor) -> Loss:
    """Each class's term times (1 - p) ** gamma: what is classified well counts less (https://arxiv.org/abs/1708.02002)."""

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        smoothed = _smoothed(targets, plan.label_smoothing)
        log_p = functional.log_softmax(logits, dim=1)
        return -(smoothed * (1 - log_p.exp()) ** plan.focal_gamma * log_p).sum(1).mean()

    return loss


def class_balanced(plan: TrainingPlan, counts: Tensor) -> Loss:
    """Cross-entropy with each class's term weighted by its effective number (https://arxiv.org/abs/1901.05555)."""
    weights = class_weights(counts, plan.class_balance)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        smoothed = _smoothed(targets, plan.label_smoothing)
        return -(weights * smoothed * functional.log_softmax(logits, dim=1)).sum(1).mean()

    return loss


def class_weights(counts: Tensor, beta: float) -> Tensor:
    """(1 - beta) / (1 - beta ** count), scaled to a mean of 1 over the classes that occur; 0 for the others."""
    numbers = counts.to(torch.float64)
    weights = torch.where(numbers > 0, (1 - beta) / (1 - beta ** numbers.clamp(min=1)), 0.0)
    return (weights * (numbers > 0).sum() / weights.sum()).to(torch.float32)


def _smoothed(targets: Tensor, smoothing: float) -> Tensor:
    return targets * (1 - smoothing) + smoothing / targets.shape[1]


LOSSES: dict[LossName, Callable[[TrainingPlan, Tensor], Loss]] = {
    "cross-entropy": cross_entropy,
    "focal": focal,
    "class-balanced": class_balanced,
}
