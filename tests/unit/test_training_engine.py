"""Training a small network on a few coloured images: it learns, repeats itself, and stops at NaN."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.unit.training_sets import CLASSES, coloured, small_network
from workers.training.averaging import Average
from workers.training.device_dataset import DeviceDataset
from workers.training.engine import Epoch, NotFiniteError, TrainingPlan, evaluate, train


def unchanged(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    return images, targets


def plan(**fields: Any) -> TrainingPlan:
    values = {"epochs": 4, "batch_size": 16, "learning_rate": 0.1, "optimizer": "sgd", "seed": 0, **fields}
    return TrainingPlan(**values)


def run(training: DeviceDataset, **fields: Any) -> list[Epoch]:
    network = small_network()
    return list(train(network, training, coloured(24, seed=1), plan(**fields), augment=unchanged))


@pytest.mark.parametrize(
    "choice",
    [
        {"optimizer": "sgd"},
        {"optimizer": "adamw"},
        {"optimizer": "muon"},
        {"schedule": "cosine"},
        {"loss": "focal"},
        {"loss": "class-balanced"},
        {"ema_decay": 0.9},
        {"layer_decay": 0.7},
    ],
    ids=str,
)
def test_a_separable_set_is_learned_with_one_range_of_learning_rates(choice: dict[str, Any]) -> None:
    epochs = run(coloured(96), epochs=6, **choice)
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4, 5, 6]
    assert epochs[-1].loss < 0.7 * epochs[0].loss
    assert epochs[-1].scores.f1 > 0.95


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_without_any_rate_for_lower_lines_only_the_classifier_is_trained(optimizer: str) -> None:
    network, fresh = small_network(), small_network().state_dict()
    choices = plan(epochs=2, layer_decay=0.0, optimizer=optimizer)
    list(train(network, coloured(96), coloured(24, seed=1), choices, augment=unchanged))
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, fresh[name])}
    assert changed == {name for name in fresh if name.startswith("layers.5.")}


def test_one_seed_gives_one_course_and_another_seed_another() -> None:
    first, again, other = (run(coloured(48), epochs=2, seed=seed) for seed in (0, 0, 1))
    assert [(epoch.loss, epoch.scores) for epoch in first] == [(epoch.loss, epoch.scores) for epoch in again]
    assert first[0].loss != other[0].loss


@pytest.mark.parametrize("learning_rate", [1e30, math.nan])
def test_a_loss_that_is_no_number_ends_the_training_with_advice(learning_rate: float) -> None:
    with pytest.raises(NotFiniteError, match=r"the loss is (nan|inf) in epoch \d: lower the learning rate"):
        run(coloured(48), learning_rate=learning_rate)


@pytest.mark.parametrize(("count", "batch_size", "steps"), [(48, 16, 3), (49, 16, 4), (5, 2, 3), (7, 100, 1)])
def test_each_epoch_sees_every_image_in_batches_of_equal_size_the_last_filled_up(
    count: int, batch_size: int, steps: int
) -> None:
    seen: list[Tensor] = []

    def noting(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        assert images.dtype == torch.uint8
        assert targets.shape == (len(images), CLASSES)
        assert (targets.sum(dim=1) == 1).all()
        seen.append(images)
        return images, targets

    training = coloured(count)
    stepped: list[bool] = []
    epochs = train(
        small_network(),
        training,
        coloured(6),
        plan(epochs=2, batch_size=batch_size),
        augment=noting,
        after_step=lambda: stepped.append(True),
    )
    next(epochs)
    assert len(stepped) == len(seen) == steps
    assert len({len(batch) for batch in seen}) == 1
    assert len(seen[0]) <= batch_size
    everything = torch.cat(seen).flatten(1)
    assert torch.equal(everything.unique(dim=0), training.images.flatten(1).unique(dim=0))
    assert count <= len(everything) < count + steps
    next(epochs)
    assert len(stepped) == 2 * steps
    assert not torch.equal(torch.cat(seen[steps:]), torch.cat(seen[:steps]))


def test_what_runs_after_each_step_keeps_masked_weights_at_zero() -> None:
    network = small_network()
    weight = network.get_parameter("layers.0.0.weight")
    mask = torch.rand_like(weight) > 0.5

    def keep_zeros() -> None:
        with torch.no_grad():
            weight.mul_(mask)

    before = weight.detach().clone()
    for _ in train(network, coloured(48), coloured(6), plan(epochs=1), augment=unchanged, after_step=keep_zeros):
        assert not weight[~mask].any()
    assert weight[mask].all()
    assert not torch.equal(weight, before)


def test_every_unit_of_work_is_announced_so_that_a_measurement_can_wait_for_its_end() -> None:
    entered = []

    @contextmanager
    def working() -> Iterator[None]:
        entered.append(True)
        yield

    list(train(small_network(), coloured(48), coloured(6), plan(epochs=1), augment=unchanged, working=working))
    assert len(entered) == 3 + 1


def test_a_cpu_training_ends_at_the_first_step_whose_loss_is_no_number() -> None:
    stepped: list[bool] = []
    epochs = train(
        small_network(),
        coloured(48),
        coloured(6),
        plan(learning_rate=math.nan),
        augment=unchanged,
        after_step=lambda: stepped.append(True),
    )
    with pytest.raises(NotFiniteError):
        next(epochs)
    assert len(stepped) == 2


def test_the_average_of_the_weights_is_what_is_scored_and_returned() -> None:
    network, validation = small_network(), coloured(24, seed=1)
    *_, last = train(network, coloured(96), validation, plan(epochs=2, ema_decay=0.9), augment=unchanged)
    assert evaluate(network, validation) == last.scores

    plain = small_network()
    list(train(plain, coloured(96), validation, plan(epochs=2), augment=unchanged))
    averaged, trained = (model.get_buffer("layers.0.1.running_mean") for model in (network, plain))
    assert not torch.equal(averaged, trained)
    assert torch.allclose(averaged, trained, atol=0.2)


def test_the_average_moves_by_a_share_of_the_way_that_shrinks_to_that_of_the_decay() -> None:
    trained = nn.BatchNorm2d(1)
    average = Average(trained, 0.9)
    followed = average.network.get_buffer("running_mean")
    for step, moved in [(0, 0.9), (8, 0.5), (1000, 0.1)]:
        followed.zero_()
        trained.get_buffer("running_mean").fill_(1.0)
        average.follow(torch.tensor(step))
        assert followed.item() == pytest.approx(moved)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"epochs": 0}, "epochs and batch_size are at least 1, not 0 and 16"),
        ({"ema_decay": 1.0}, r"ema_decay is in \[0, 1\), not 1.0"),
        ({"distillation_weight": 1.5}, r"distillation_weight is in \[0, 1\], not 1.5"),
        ({"distillation_temperature": 0.0}, "distillation_temperature is above 0, not 0"),
        ({"layer_decay": 1.5}, r"layer_decay is in \[0, 1\], not 1.5"),
        ({"focal_gamma": -1.0}, "focal_gamma is 0 or more, not -1.0"),
    ],
)
def test_a_plan_that_makes_no_sense_cannot_be_built(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        plan(**fields)


def test_evaluation_changes_nothing_and_counts_every_image() -> None:
    network, data = small_network(), coloured(300)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    whole = evaluate(network, data)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        predicted = network(data.images / 255).argmax(1)
    assert whole.accuracy == pytest.approx(float((predicted == data.labels).float().mean()))
