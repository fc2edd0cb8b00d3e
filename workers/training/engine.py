"""Training and evaluating one network on resident data."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.training.metrics import Scores, confusion, scores
from workers.training.resident import Resident, pixels

#: Changes a batch: uint8 images [n, 3, h, w] and soft targets [n, classes], both of the same shape afterwards.
Augment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
#: Entered around each unit of work, so that a latency measurement on this host can wait for a quiet moment.
Working = Callable[[], AbstractContextManager[object]]

# AdamW's usual rates are about a twentieth of SGD's: so one range of learning rates serves both.
_ADAMW_RATE = 0.05
_EVALUATION_BATCH = 256


class NotFiniteError(FloatingPointError):
    """The loss is NaN or infinite."""


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """How to train. ``learning_rate`` is the peak of a one-cycle (https://arxiv.org/abs/1708.07120)."""

    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: Literal["sgd", "adamw"]
    seed: int
    label_smoothing: float = 0.1
    weight_decay: float = 5e-4


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What one epoch brought; ``epoch`` counts from 1, ``loss`` is the mean of the training batches."""

    epoch: int
    loss: float
    elapsed_s: float
    scores: Scores


def train(
    network: nn.Module,
    training: Resident,
    validation: Resident,
    plan: TrainingPlan,
    *,
    augment: Augment,
    working: Working = nullcontext,
    after_step: Callable[[], None] = lambda: None,
) -> Iterator[Epoch]:
    """Train ``network`` in place and yield after every epoch. ``after_step`` runs after each optimizer step.

    NotFiniteError when the loss is no number any more.
    """
    generator = torch.Generator(device=training.images.device).manual_seed(plan.seed)
    network.to(memory_format=torch.channels_last)
    steps_per_epoch = math.ceil(len(training) / plan.batch_size)
    optimizer, schedule = _optimizer(network, plan, steps=plan.epochs * steps_per_epoch)
    for epoch in range(1, plan.epochs + 1):
        started = time.perf_counter()
        network.train()
        losses = torch.zeros((), device=training.images.device)
        order = torch.randperm(len(training), generator=generator, device=training.images.device)
        for batch in order.chunk(steps_per_epoch):
            with working():
                losses += _step(network, training, batch, plan, augment, optimizer)
                schedule.step()
                after_step()
        loss = float(losses) / steps_per_epoch
        if not math.isfinite(loss):
            raise NotFiniteError(f"the loss is {loss} in epoch {epoch}: lower the learning rate {plan.learning_rate:g}")
        measured = evaluate(network, validation, working=working)
        yield Epoch(epoch=epoch, loss=loss, elapsed_s=time.perf_counter() - started, scores=measured)


def _step(
    network: nn.Module,
    training: Resident,
    batch: Tensor,
    plan: TrainingPlan,
    augment: Augment,
    optimizer: torch.optim.Optimizer,
) -> Tensor:
    targets = functional.one_hot(training.labels[batch], training.classes).to(torch.float32)
    images, targets = augment(training.images[batch], targets)
    loss = functional.cross_entropy(network(pixels(images)), targets, label_smoothing=plan.label_smoothing)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.detach()


def _optimizer(
    network: nn.Module, plan: TrainingPlan, *, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    decayed = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    plain = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer: torch.optim.Optimizer
    if plan.optimizer == "sgd":
        rate = plan.learning_rate
        optimizer = torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True, foreach=True)
    else:
        rate = plan.learning_rate * _ADAMW_RATE
        optimizer = torch.optim.AdamW(groups, lr=rate, foreach=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=rate, total_steps=max(steps, 2), pct_start=0.3, cycle_momentum=False
    )
    return optimizer, schedule


@torch.inference_mode()
def evaluate(network: nn.Module, data: Resident, *, working: Working = nullcontext) -> Scores:
    """Scores of the network in evaluation mode on all of ``data``."""
    network.eval()
    matrix = torch.zeros(data.classes, data.classes, dtype=torch.int64, device=data.images.device)
    for start in range(0, len(data), _EVALUATION_BATCH):
        with working():
            logits = network(pixels(data.images[start : start + _EVALUATION_BATCH]))
            matrix += confusion(logits.argmax(dim=1), data.labels[start : start + _EVALUATION_BATCH], data.classes)
    return scores(matrix)
