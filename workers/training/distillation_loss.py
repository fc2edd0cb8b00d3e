"""Distillation: a loss that also follows a teacher's softened answers (https://arxiv.org/abs/1503.02531)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

#: Pixels in [0, 1], float [n, 3, side, side], to logits [n, classes].
Teacher = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class DistillationLoss:
    """``weight`` is the teacher's fraction of the loss; ``temperature`` divides the logits of both for it."""

    teacher: Teacher
    temperature: float
    weight: float

    def __call__(self, loss: Tensor, logits: Tensor, inputs: Tensor) -> Tensor:
        """The loss of a batch with the teacher's part: Kullback-Leibler divergence times the squared temperature, so
        that its gradients keep their size.
        """
        with torch.no_grad():
            expected = functional.log_softmax(self.teacher(inputs) / self.temperature, dim=1)
        student = functional.log_softmax(logits / self.temperature, dim=1)
        divergence = functional.kl_div(student, expected, reduction="batchmean", log_target=True)
        return (1 - self.weight) * loss + self.weight * self.temperature**2 * divergence
