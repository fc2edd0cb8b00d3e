"""Training one network on data that is on the device."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn

from workers.training.batch_augmentation import BatchAugmentation
from workers.training.checkpoint import Checkpoint, Epoch
from workers.training.device import memory_advice, prepare_device
from workers.training.device_dataset import DeviceDataset
from workers.training.distillation_loss import DistillationLoss
from workers.training.errors import NotFiniteError
from workers.training.evaluation import Evaluation, Working, evaluate
from workers.training.execution import Execution, Work, execution_for
from workers.training.plan import TrainingPlan
from workers.training.step import TrainingStep

__all__ = ["BatchAugmentation", "Epoch", "NotFiniteError", "TrainingPlan", "Working", "evaluate", "train"]


def train(
    network: nn.Module,
    training: DeviceDataset,
    validation: DeviceDataset,
    plan: TrainingPlan,
    *,
    augment: BatchAugmentation,
    working: Working = nullcontext,
    after_step: Callable[[], None] = lambda: None,
    distillation: DistillationLoss | None = None,
    checkpoint: Path | None = None,
    memory_share: float = 1.0,
    execution: Execution | None = None,
) -> Iterator[Epoch]:
    """Train ``network``, on the device of the data, in place and yield after every epoch.

    ``after_step`` runs after each optimizer step; ``distillation`` adds a teacher's part to the loss. ``checkpoint`` is
    a file that is written after every epoch; where it is there already, its epochs are yielded first, as they were, and
    the training goes on from there. ``memory_share`` of a GPU's memory is what this process may take. ``execution`` is
    a CUDA graph by default on a GPU: there, ``augment``, ``after_step`` and ``distillation`` are captured, so they are
    work on tensors alone, and ``augment`` draws by a ``RandomAugmentation``.

    With ``plan.ema_decay`` the average is what is scored, and after the last epoch what ``network`` holds.

    NotFiniteError when the loss is no number any more, on a CPU after the step and on a GPU after the epoch;
    DeviceMemoryError when the GPU's memory is full; CheckpointError for a file of something else.
    """
    device = training.images.device
    prepare_device(device, memory_share)
    with memory_advice(plan.batch_size, training.images.shape[-1]):
        network.to(device)
        run = _Run(
            network,
            training,
            validation,
            plan,
            augment=augment,
            after_step=after_step,
            distillation=distillation,
            execution=execution or execution_for(device),
        )
        file = None if checkpoint is None else Checkpoint(checkpoint, plan, training, run.step.state)
        epochs = [] if file is None else file.resume()
        if len(epochs) == plan.epochs:
            run.finish()
        yield from epochs
        for number in range(len(epochs) + 1, plan.epochs + 1):
            epochs.append(run.epoch(number, working))
            if file is not None:
                file.save(epochs)
            if number == plan.epochs:
                run.finish()
            yield epochs[-1]


class _Run:
    def __init__(
        self,
        network: nn.Module,
        training: DeviceDataset,
        validation: DeviceDataset,
        plan: TrainingPlan,
        *,
        augment: BatchAugmentation,
        after_step: Callable[[], None],
        distillation: DistillationLoss | None,
        execution: Execution,
    ) -> None:
        network.to(memory_format=torch.channels_last)
        self.step = TrainingStep(
            network, training, plan, augment=augment, after_step=after_step, distillation=distillation
        )
        self._network, self._plan, self._execution = network, plan, execution
        self._evaluation = Evaluation(self.step.scored, validation, execution=execution)
        self._asynchronous = training.images.device.type != "cpu"
        self._run_step: Work | None = None

    def epoch(self, number: int, working: Working) -> Epoch:
        started, waited_s = time.perf_counter(), 0.0
        self.step.begin_epoch()
        if self._run_step is None:
            self._run_step = self._execution(self.step, self.step.state)
        for done in range(1, self.step.steps_per_epoch + 1):
            asked = time.perf_counter()
            with working():
                waited_s += time.perf_counter() - asked
                self._run_step()
            if not self._asynchronous:
                self._check(self.step.mean_loss(done), number)
        loss = self.step.mean_loss(self.step.steps_per_epoch)
        self._check(loss, number)
        steps_s = time.perf_counter() - started - waited_s
        measured = self._evaluation(working=working)
        elapsed_s = time.perf_counter() - started
        return Epoch(epoch=number, loss=loss, elapsed_s=elapsed_s, steps_s=steps_s, scores=measured)

    def _check(self, loss: float, epoch: int) -> None:
        if not math.isfinite(loss):
            rate = self._plan.learning_rate
            raise NotFiniteError(f"the loss is {loss} in epoch {epoch}: lower the learning rate {rate:g}")

    def finish(self) -> None:
        if self.step.average is not None:
            self.step.average.copy_into(self._network)
