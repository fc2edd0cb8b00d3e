"""The ways to run a step give the same loss curve: as it is, rehearsed, as a plain loop writes it, as a CUDA graph."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from search.contract.augmentation import OPERATION_NAMES, Operation, Policy
from search.contract.training_settings import LossName, OptimizerName
from tests.unit.training_sets import CLASSES, coloured, coloured_images, small_network
from workers.augmentation.training_input import training_input
from workers.training.batch_augmentation import BatchAugmentation
from workers.training.device_dataset import DeviceDataset, pixels, to_device
from workers.training.engine import Epoch, TrainingPlan, train
from workers.training.errors import DeviceMemoryError
from workers.training.execution import Execution, Work, cuda_graph, eager, rehearse
from workers.training.losses import LOSSES
from workers.training.optimizers import OPTIMIZERS
from workers.training.precision import has_bfloat16_instructions, training_forward
from workers.training.state import TrainingState

PLAN = TrainingPlan(epochs=3, batch_size=16, learning_rate=0.1, optimizer="sgd", seed=0)
EVERYTHING = Policy(operations=tuple(Operation(name=name, probability=0.5) for name in OPERATION_NAMES), max_ops=2)
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
#: Of a loss, relative: bfloat16 sums in another order, and on another device with other convolutions in bfloat16.
TOLERANCE, TOLERANCE_ACROSS_DEVICES = 0.02, 0.05


def rehearsed(work: Work, state: TrainingState) -> Work:
    """What ``cuda_graph`` does, but for the capture."""
    rehearse(work, state)
    return work


def on(device: str, count: int, *, seed: int = 0) -> DeviceDataset:
    images, labels = coloured_images(count, seed=seed)
    return to_device(images, labels, np.arange(count), classes=CLASSES, device=device)


def curve(execution: Execution, plan: TrainingPlan, *, device: str = "cpu", policy: Policy = EVERYTHING) -> list[float]:
    return [epoch.loss for epoch in epochs(execution, plan, device=device, policy=policy)]


def epochs(
    execution: Execution, plan: TrainingPlan, *, device: str = "cpu", policy: Policy = EVERYTHING
) -> list[Epoch]:
    prepared = training_input(on(device, 96), policy, seed=0)
    network = small_network()
    return [
        replace(epoch, elapsed_s=0.0, steps_s=0.0)
        for epoch in train(
            network, prepared.training, on(device, 24, seed=1), plan, augment=prepared.augment, execution=execution
        )
    ]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_rehearsing_leaves_no_trace(optimizer: OptimizerName, ema_decay: float) -> None:
    plan = replace(PLAN, optimizer=optimizer, ema_decay=ema_decay, epochs=2)
    assert epochs(rehearsed, plan) == epochs(eager, plan)


@pytest.mark.parametrize("layer_decay", [0.0, 0.5])
def test_rehearsing_leaves_no_trace_where_lines_have_rates_of_their_own(layer_decay: float) -> None:
    plan = replace(PLAN, layer_decay=layer_decay, epochs=2)
    assert epochs(rehearsed, plan) == epochs(eager, plan)


def taught(*, device: str = "cpu") -> DeviceDataset:
    """The coloured images with a teacher's answers, which are not always their labels."""
    answers = torch.randn(96, CLASSES, generator=torch.Generator().manual_seed(0))
    return replace(on(device, 96), answers=answers.to(device))


def taught_curve(execution: Execution, plan: TrainingPlan, *, device: str = "cpu") -> list[float]:
    prepared = training_input(taught(device=device), EVERYTHING, seed=0)
    validation, augment = on(device, 24, seed=1), prepared.augment
    run = train(small_network(), prepared.training, validation, plan, augment=augment, execution=execution)
    return [epoch.loss for epoch in run]


@pytest.mark.parametrize("loss", LOSSES)
def test_rehearsing_leaves_no_trace_in_a_distilled_training(loss: LossName) -> None:
    plan = replace(PLAN, distillation_weight=0.7, loss=loss, epochs=2)
    assert taught_curve(rehearsed, plan) == taught_curve(eager, plan)


def plain_loop(network: nn.Module, training: DeviceDataset, plan: TrainingPlan) -> Iterator[float]:
    """The same training as one would write it down, without augmentation."""
    generator = torch.Generator().manual_seed(plan.seed)
    forward = training_forward(torch.device("cpu"))
    steps = len(training) // plan.batch_size
    weights = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": plan.weight_decay}, {"params": others}]
    optimizer = torch.optim.SGD(groups, lr=plan.learning_rate, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.learning_rate, total_steps=plan.epochs * steps, cycle_momentum=False
    )
    for epoch in range(plan.epochs):
        losses: list[float] = []
        for index in torch.randperm(len(training), generator=generator).split(plan.batch_size):
            logits = forward(network, pixels(training.images[index]))
            loss = functional.cross_entropy(logits.float(), training.labels[index], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if (epoch, len(losses)) != (plan.epochs - 1, steps - 1):
                schedule.step()
            losses.append(loss.item())
        yield sum(losses) / steps


def test_the_loss_curve_is_that_of_a_plain_loop() -> None:
    expected = list(plain_loop(small_network().to(memory_format=torch.channels_last), coloured(96), PLAN))
    assert curve(eager, PLAN, policy=Policy(max_ops=0)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.skipif(not has_bfloat16_instructions(), reason="needs a CPU with bfloat16 instructions")
def test_on_a_cpu_with_bfloat16_plain_convolutions_use_it_and_grouped_ones_do_not() -> None:
    found = {}
    network = small_network()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda module, _, output: found.update({module.groups > 1: output.dtype}))
    training_forward(torch.device("cpu"))(network, pixels(coloured(4).images)).sum().backward()
    assert found == {False: torch.bfloat16, True: torch.float32}


def test_a_full_memory_becomes_an_error_that_says_what_to_do() -> None:
    def full(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    augment: BatchAugmentation = full
    with pytest.raises(DeviceMemoryError, match=r"at batch size 16 and 8 px: train with smaller batches or images"):
        next(train(small_network(), coloured(48), coloured(6), PLAN, augment=augment))


def test_the_engine_needs_torch_and_numpy_only() -> None:
    """So that it can be measured where nothing else is installed."""
    code = (
        "import sys, workers.training.engine; "
        "print(*{'ray', 'pydantic', 'sqlalchemy', 'torchvision', 'albumentations', 'cv2', 'PIL', 'psutil'} & "
        "set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@needs_cuda
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_a_cuda_graph_has_the_loss_curve_of_the_eager_step(optimizer: OptimizerName, ema_decay: float) -> None:
    plan = replace(PLAN, optimizer=optimizer, ema_decay=ema_decay)
    assert curve(cuda_graph, plan, device="cuda") == pytest.approx(curve(eager, plan, device="cuda"), rel=TOLERANCE)


@needs_cuda
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("layer_decay", [0.0, 0.5])
def test_a_cuda_graph_trains_the_lines_at_rates_of_their_own(optimizer: OptimizerName, layer_decay: float) -> None:
    plan = replace(PLAN, optimizer=optimizer, layer_decay=layer_decay)
    assert curve(cuda_graph, plan, device="cuda") == pytest.approx(curve(eager, plan, device="cuda"), rel=TOLERANCE)


@needs_cuda
@pytest.mark.parametrize("loss", LOSSES)
def test_a_cuda_graph_has_the_loss_curve_of_the_eager_distilled_step(loss: LossName) -> None:
    plan = replace(PLAN, distillation_weight=0.7, loss=loss)
    graph, expected = (taught_curve(execution, plan, device="cuda") for execution in (cuda_graph, eager))
    assert graph == pytest.approx(expected, rel=TOLERANCE)


@needs_cuda
def test_cuda_has_the_loss_curve_of_the_cpu_where_nothing_is_drawn_there() -> None:
    """Orders are drawn on the device, so only a training in one batch an epoch sees the same."""
    plan = replace(PLAN, batch_size=96)
    cpu, cuda = (curve(eager, plan, device=device, policy=Policy(max_ops=0)) for device in ("cpu", "cuda"))
    assert cuda == pytest.approx(cpu, rel=TOLERANCE_ACROSS_DEVICES)


@needs_cuda
def test_one_seed_gives_one_course_on_a_gpu() -> None:
    assert epochs(cuda_graph, PLAN, device="cuda") == epochs(cuda_graph, PLAN, device="cuda")


@needs_cuda
def test_trainings_leave_no_memory_behind() -> None:
    """Many run in one process, one after another."""
    taken = []
    for _ in range(3):
        epochs(cuda_graph, PLAN, device="cuda")
        gc.collect()
        taken.append(torch.cuda.memory_allocated())
    assert taken[1:] == taken[:1] * 2


@needs_cuda
def test_a_graph_draws_anew_in_every_replay() -> None:
    prepared = training_input(on("cuda", 32), EVERYTHING, seed=0)
    seen = torch.zeros_like(prepared.training.images)
    targets = functional.one_hot(prepared.training.labels, CLASSES).float()
    generator = prepared.augment.generator  # type: ignore[attr-defined]

    def work() -> None:
        seen.copy_(prepared.augment(prepared.training.images, targets)[0])

    replay = cuda_graph(work, TrainingState({"seen": seen}, (generator,), torch.device("cuda", 0)))
    replay()
    first = seen.clone()
    replay()
    assert not torch.equal(first, seen)


@needs_cuda
def test_a_gpu_share_that_is_too_small_is_told() -> None:
    def hungry(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        torch.empty(2**31, dtype=torch.uint8, device="cuda")
        return images, targets

    with pytest.raises(DeviceMemoryError, match="at batch size 16"):
        next(train(small_network(), on("cuda", 96), on("cuda", 6), PLAN, augment=hungry, memory_share=0.005))
    torch.cuda.set_per_process_memory_fraction(1.0)
