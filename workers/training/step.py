"""The training step: augment, forward, loss, backward, optimizer, average; the same work however it is executed.

n images, b in a batch, s steps an epoch, t steps in all. The step takes no arguments: it finds out on the device which
batch it is (``order`` int64 [s, b], ``position`` counts the steps) and its rate (``rate_fractions`` float32 [t]).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from workers.training.averaging import Average
from workers.training.batch_augmentation import BatchAugmentation, generators_of
from workers.training.device_dataset import DeviceDataset, pixels
from workers.training.distillation_loss import DistillationLoss
from workers.training.lines import freeze
from workers.training.losses import LOSSES
from workers.training.optimizers import make_optimizers, set_rates, state_tensors
from workers.training.plan import TrainingPlan
from workers.training.precision import training_forward
from workers.training.schedules import rate_fractions
from workers.training.state import TrainingState
from workers.training.targets import plan_of_loss, targets_of


class TrainingStep:
    """Trains ``network`` in place. Batches are equally large: up to s - 1 images are seen twice an epoch for that."""

    def __init__(
        self,
        network: nn.Module,
        training: DeviceDataset,
        plan: TrainingPlan,
        *,
        augment: BatchAugmentation,
        after_step: Callable[[], None],
        distillation: DistillationLoss | None = None,
    ) -> None:
        device = training.images.device
        self._network, self._training = network, training
        self._augment, self._after_step, self._distillation = augment, after_step, distillation
        self.steps_per_epoch = math.ceil(len(training) / plan.batch_size)
        batch = math.ceil(len(training) / self.steps_per_epoch)
        self._targets = targets_of(training, plan)
        self._loss = LOSSES[plan.loss](plan_of_loss(plan), torch.bincount(training.labels, minlength=training.classes))
        self._forward = training_forward(device)
        self._frozen = freeze(network, plan.layer_decay)
        self._optimizers = make_optimizers(network, plan)
        self.average = Average(network, plan.ema_decay) if plan.ema_decay else None
        self._order = torch.zeros(self.steps_per_epoch, batch, dtype=torch.int64, device=device)
        self._rate_fractions = rate_fractions(plan.schedule, plan.epochs * self.steps_per_epoch).to(device)
        self._position = torch.zeros((), dtype=torch.int64, device=device)
        self._loss_sum = torch.zeros((), device=device)
        self._generator = torch.Generator(device=device).manual_seed(plan.seed)
        self.state = TrainingState(self._tensors(), (self._generator, *generators_of(augment)), device)

    def _tensors(self) -> dict[str, Tensor]:
        averages = {} if self.average is None else self.average.network.state_dict()
        return {
            "position": self._position,
            "loss_sum": self._loss_sum,
            **{f"network.{name}": tensor for name, tensor in self._network.state_dict().items()},
            **{f"average.{name}": tensor for name, tensor in averages.items()},
            **{f"optimizer.{name}": tensor for name, tensor in state_tensors(self._optimizers).items()},
        }

    @property
    def scored(self) -> nn.Module:
        return self._network if self.average is None else self.average.network

    def begin_epoch(self) -> None:
        """Draw a new order of the images."""
        self._network.train()
        for line in self._frozen:
            line.eval()
        n = len(self._training)
        order = torch.randperm(n, generator=self._generator, device=self._order.device)
        self._order.copy_(order.repeat(2)[: self._order.numel()].view_as(self._order))
        self._loss_sum.zero_()

    def __call__(self) -> None:
        index = self._order.index_select(0, self._position.remainder(self.steps_per_epoch).view(1)).flatten()
        rate_fraction = self._rate_fractions.index_select(0, self._position.view(1)).squeeze(0)
        images, targets = self._augment(self._training.images_at(index), self._targets.at(index))
        inputs = pixels(images)
        logits = self._forward(self._network, inputs).float()
        loss = self._loss(logits, targets)
        if self._distillation is not None:
            loss = self._distillation(loss, logits, inputs)
        self._learn(loss, rate_fraction)
        self._loss_sum += loss.detach()
        self._position += 1

    def _learn(self, loss: Tensor, rate_fraction: Tensor) -> None:
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        set_rates(self._optimizers, rate_fraction)
        for optimizer in self._optimizers:
            optimizer.step()
        self._after_step()
        if self.average is not None:
            self.average.follow(self._position)

    def mean_loss(self, steps: int) -> float:
        """The mean loss of the epoch's first ``steps`` batches. Waits for the device."""
        return float(self._loss_sum) / steps
