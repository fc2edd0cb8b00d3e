"""Targets of training images: label shares float [b, classes], with a teacher's answers in them where it has a weight.

They are computed once. A step looks them up by the images' index, so that a distilled step costs what a plain one does.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workers.training.device_dataset import DeviceDataset
from workers.training.plan import TrainingPlan


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Those of image i are row ``rows[i]``, int64 [n], of ``shares``, float [m, classes]."""

    shares: Tensor
    rows: Tensor

    def at(self, index: Tensor) -> Tensor:
        """The targets of the images at ``index``, int64 [b]."""
        return self.shares.index_select(0, self.rows.index_select(0, index))


def targets_of(training: DeviceDataset, plan: TrainingPlan) -> Targets:
    """ValueError where the plan has a weight for a teacher whose answers ``training`` lacks."""
    one_hot = torch.eye(training.classes, device=training.images.device)
    if not plan.distillation_weight:
        return Targets(shares=one_hot, rows=training.labels)
    if training.answers is None:
        raise ValueError(
            f"distillation_weight {plan.distillation_weight:g} needs a teacher's answers: give them, or the weight 0"
        )
    labels = one_hot[training.labels] * (1 - plan.label_smoothing) + plan.label_smoothing / training.classes
    taught = torch.softmax(training.answers.float() / plan.distillation_temperature, dim=1)
    shares = torch.lerp(labels, taught, plan.distillation_weight)
    return Targets(shares=shares, rows=torch.arange(len(training), device=shares.device))


def plan_of_loss(plan: TrainingPlan) -> TrainingPlan:
    """The plan without label smoothing where ``targets_of`` has done it: a teacher's answers are not smoothed."""
    return replace(plan, label_smoothing=0.0) if plan.distillation_weight else plan
