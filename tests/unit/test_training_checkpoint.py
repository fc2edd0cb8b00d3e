"""A training that was interrupted and resumed ends as the uninterrupted one, bit by bit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from search.contract.augmentation import Operation, Policy
from search.contract.training_settings import OptimizerName
from tests.unit.training_sets import coloured, small_network
from workers.augmentation.training_input import training_input
from workers.training.engine import Epoch, TrainingPlan, train
from workers.training.errors import CheckpointError
from workers.training.optimizers import OPTIMIZERS

POLICY = Policy(
    operations=(Operation(name="Invert", probability=0.3), Operation(name="MixUp", probability=0.5)), max_ops=1
)
PLAN = TrainingPlan(epochs=4, batch_size=16, learning_rate=0.1, optimizer="sgd", seed=0, ema_decay=0.9)


class Killed(Exception):  # noqa: N818
    """The process ends here."""


def training(network: nn.Module, plan: TrainingPlan, file: Path | None, *, killed_at: int = 10**9) -> Iterator[Epoch]:
    """``killed_at`` counts steps."""
    prepared = training_input(coloured(40), POLICY, seed=0)
    steps = iter(range(killed_at))

    def count() -> None:
        if next(steps, None) is None:
            raise Killed

    return train(
        network,
        prepared.training,
        coloured(24, seed=1),
        plan,
        augment=prepared.augment,
        after_step=count,
        checkpoint=file,
    )


def course(epochs: list[Epoch]) -> list[Epoch]:
    return [replace(epoch, elapsed_s=0.0, steps_s=0.0) for epoch in epochs]


def weights(network: nn.Module) -> dict[str, Tensor]:
    return network.state_dict()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_training_that_is_killed_and_resumed_equals_the_uninterrupted_one(
    optimizer: OptimizerName, tmp_path: Path
) -> None:
    plan = replace(PLAN, optimizer=optimizer)
    whole = small_network()
    expected = list(training(whole, plan, None))

    file = tmp_path / "training.pt"
    with pytest.raises(Killed):
        list(training(small_network(), plan, file, killed_at=7))
    torch.manual_seed(12345)
    resumed = small_network(seed=1)
    assert course(list(training(resumed, plan, file))) == course(expected)
    for name, tensor in weights(whole).items():
        assert torch.equal(tensor, weights(resumed)[name]), name


def test_a_finished_training_is_told_again_without_a_step(tmp_path: Path) -> None:
    first, again = small_network(), small_network(seed=1)
    file = tmp_path / "training.pt"
    epochs = list(training(first, PLAN, file))
    assert list(training(again, PLAN, file, killed_at=0)) == epochs
    assert all(torch.equal(tensor, weights(again)[name]) for name, tensor in weights(first).items())
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]


def test_what_a_crash_left_of_a_write_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "training.pt.part").write_bytes(b"half")
    epochs = training(small_network(), PLAN, tmp_path / "training.pt")
    assert next(epochs).epoch == 1


def test_the_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "training.pt"
    next(training(small_network(), PLAN, file))
    with pytest.raises(CheckpointError, match=r"another training \(other plan\): remove it, or choose another file"):
        next(training(small_network(), replace(PLAN, seed=1), file))


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 a broken archive"])
def test_a_file_that_holds_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "training.pt"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="remove it and the training starts anew"):
        next(training(small_network(), PLAN, file))
