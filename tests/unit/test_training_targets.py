"""Targets with a teacher's answers in them: what a distilled training learns."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from search.contract.augmentation import Operation, Policy
from search.contract.training_settings import LossName
from tests.unit.training_sets import CLASSES, coloured, small_network
from workers.augmentation.training_input import training_input
from workers.training.device_dataset import DeviceDataset, pixels
from workers.training.engine import Epoch, TrainingPlan, train
from workers.training.errors import CheckpointError
from workers.training.losses import LOSSES
from workers.training.targets import plan_of_loss, targets_of

INVERT = Policy(operations=(Operation(name="Invert"),), max_ops=1)


def plan(**fields: Any) -> TrainingPlan:
    values = {"epochs": 2, "batch_size": 16, "learning_rate": 0.1, "optimizer": "sgd", "seed": 0, **fields}
    return TrainingPlan(**values)


def unchanged(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    return images, targets


def taught(count: int = 48) -> DeviceDataset:
    """Coloured images whose teacher is sure of the class after the true one."""
    training = coloured(count)
    answers = 4.0 * functional.one_hot((training.labels + 1) % CLASSES, CLASSES)
    return replace(training, answers=answers.to(torch.float16))


def run(
    training: DeviceDataset, chosen: TrainingPlan, *, network: nn.Module | None = None, file: Path | None = None
) -> list[Epoch]:
    network = network or small_network()
    epochs = train(network, training, coloured(24, seed=1), chosen, augment=unchanged, checkpoint=file)
    return [replace(epoch, elapsed_s=0.0, steps_s=0.0) for epoch in epochs]


def test_a_weight_of_0_trains_as_without_a_teacher_to_the_bit() -> None:
    plain, with_answers = small_network(), small_network()
    assert run(coloured(48), plan(), network=plain) == run(taught(), plan(), network=with_answers)
    assert all(
        torch.equal(one, other)
        for one, other in zip(plain.state_dict().values(), with_answers.state_dict().values(), strict=True)
    )


def test_the_targets_are_the_labels_and_the_softened_answers_by_their_weights() -> None:
    training = taught(6)
    assert training.answers is not None
    index = torch.tensor([4, 0, 4])
    found = targets_of(training, plan(distillation_weight=0.7, distillation_temperature=2.0, label_smoothing=0.1))
    labels = functional.one_hot(training.labels, CLASSES) * 0.9 + 0.1 / CLASSES
    expected = 0.3 * labels + 0.7 * torch.softmax(training.answers.float() / 2.0, dim=1)
    assert torch.allclose(found.at(index), expected[index])


@pytest.mark.parametrize("loss", ["cross-entropy", "focal", "class-balanced"])
def test_the_loss_counts_each_class_by_its_share_of_the_target(loss: LossName) -> None:
    chosen = plan(distillation_weight=0.7, loss=loss, focal_gamma=2.0)
    training, logits = taught(6), torch.randn(6, CLASSES, generator=torch.Generator().manual_seed(0))
    targets = targets_of(training, chosen).at(torch.arange(6))
    log_p = torch.log_softmax(logits, dim=1)
    # Classes are equally frequent here: class-balanced weighs them alike.
    factor = (1 - log_p.exp()) ** 2 if loss == "focal" else 1.0
    expected = -(targets * factor * log_p).sum(dim=1).mean()
    counts = torch.bincount(training.labels, minlength=CLASSES)
    assert torch.allclose(LOSSES[loss](plan_of_loss(chosen), counts)(logits, targets), expected)


def test_a_student_of_a_teacher_alone_learns_its_answers_and_not_the_labels() -> None:
    training, network = taught(96), small_network()
    run(training, plan(epochs=6, distillation_weight=1.0, distillation_temperature=1.0), network=network)
    with torch.no_grad():
        predicted = network.eval()(pixels(training.images)).argmax(dim=1)
    assert (predicted == (training.labels + 1) % CLASSES).float().mean() > 0.9


def test_copies_have_the_answers_of_their_originals() -> None:
    split = taught(9)
    assert split.answers is not None
    prepared = training_input(split, INVERT.model_copy(update={"copies": 2}), seed=0)
    chosen = plan(distillation_weight=0.5)
    originals = targets_of(split, chosen).at(torch.arange(9))
    assert len(prepared.training) == 27
    for copy in range(3):
        assert torch.equal(targets_of(prepared.training, chosen).at(copy * 9 + torch.arange(9)), originals)


def test_a_weight_without_answers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"distillation_weight 0.5 needs a teacher's answers: give them, or"):
        run(coloured(48), plan(distillation_weight=0.5))


def test_a_checkpoint_of_another_teacher_is_not_resumed(tmp_path: Path) -> None:
    chosen, file = plan(distillation_weight=0.5), tmp_path / "checkpoint.pt"
    first = run(taught(), chosen, file=file)
    assert run(taught(), chosen, file=file) == first
    training = taught()
    assert training.answers is not None
    with pytest.raises(CheckpointError, match=r"another training \(other answers\)"):
        run(replace(training, answers=-training.answers), chosen, file=file)
