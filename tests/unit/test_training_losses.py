"""Losses on the soft targets that MixUp and CutMix make, against their definitions and PyTorch's cross-entropy."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from search.contract.training_settings import LossName
from workers.training.losses import LOSSES, class_weights
from workers.training.plan import TrainingPlan

IMAGES, CLASSES = 20, 4
EVEN, UNEVEN = torch.tensor([5, 5, 5, 5]), torch.tensor([100, 50, 10, 1])


def plan(**fields: Any) -> TrainingPlan:
    return TrainingPlan(epochs=1, batch_size=1, learning_rate=1.0, optimizer="sgd", seed=0, **fields)


def logits() -> Tensor:
    return torch.randn(IMAGES, CLASSES, generator=torch.Generator().manual_seed(0))


def mixed_targets() -> Tensor:
    shares = torch.rand(IMAGES, CLASSES, generator=torch.Generator().manual_seed(1))
    return shares / shares.sum(1, keepdim=True)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(
    ("name", "fields", "counts"),
    [
        ("cross-entropy", {}, UNEVEN),
        ("focal", {"focal_gamma": 0.0}, UNEVEN),
        ("class-balanced", {}, EVEN),
        ("class-balanced", {"class_balance": 0.0}, UNEVEN),
    ],
)
def test_every_loss_has_the_cross_entropy_as_its_limit(
    name: LossName, fields: dict[str, float], counts: Tensor, smoothing: float
) -> None:
    loss = LOSSES[name](plan(label_smoothing=smoothing, **fields), counts)
    expected = functional.cross_entropy(logits(), mixed_targets(), label_smoothing=smoothing)
    assert loss(logits(), mixed_targets()).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_focal_loss_of_whole_labels_is_that_of_the_paper() -> None:
    labels = torch.arange(IMAGES) % CLASSES
    loss = LOSSES["focal"](plan(label_smoothing=0.0, focal_gamma=2.0), EVEN)
    p = logits().softmax(1)[torch.arange(IMAGES), labels]
    found = loss(logits(), functional.one_hot(labels, CLASSES).float())
    assert found.item() == pytest.approx((-((1 - p) ** 2) * p.log()).mean().item(), rel=1e-5)


def test_class_weights_are_inverse_to_the_effective_numbers_and_have_a_mean_of_1() -> None:
    weights = class_weights(UNEVEN, 0.99)
    effective = [(1 - 0.99**count) / (1 - 0.99) for count in UNEVEN.tolist()]
    assert (weights / weights[-1]).tolist() == pytest.approx([effective[-1] / number for number in effective])
    assert weights.mean().item() == pytest.approx(1.0)


def test_a_class_without_images_does_not_disturb_the_weights() -> None:
    weights = class_weights(torch.tensor([8, 0, 8]), 0.999)
    assert weights.tolist() == pytest.approx([1.0, 0.0, 1.0])


def test_the_loss_of_mixed_labels_is_the_mixed_loss() -> None:
    loss = LOSSES["class-balanced"](plan(), UNEVEN)
    first, second = functional.one_hot(torch.tensor([0]), CLASSES), functional.one_hot(torch.tensor([3]), CLASSES)
    one = logits()[:1]
    mixture = loss(one, 0.3 * first + 0.7 * second)
    assert mixture.item() == pytest.approx(0.3 * loss(one, first).item() + 0.7 * loss(one, second).item(), rel=1e-5)
