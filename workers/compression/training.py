"""Training what other steps left, as the candidate wants to be trained; pruned weights are kept at zero."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils import parametrize

from search.contract.recipes.config import TrainingConfig
from workers.candidate_training import plan_of
from workers.compression.state import CompressionState
from workers.training.distillation_loss import Lesson
from workers.training.engine import train
from workers.training.execution import eager


def train_on(
    config: TrainingConfig,
    piece: Workpiece,
    *,
    lesson: Lesson | None = None,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Train the workpiece's network in place. ``after_epoch`` gets the number of finished epochs and may change the
    workpiece's masks.
    """
    masked = [(_parameter(piece.network, name), mask) for name, mask in piece.masks.items()]

    @torch.no_grad()
    def keep_zeros() -> None:
        for parameter, mask in masked:
            parameter.mul_(mask)

    plan = plan_of(
        piece.candidate,
        epochs=config.epochs,
        seed=piece.seed + 1,
        learning_rate_fraction=config.learning_rate_fraction,
    )
    prepared = piece.training()
    epochs = train(
        piece.network,
        prepared.training,
        piece.validation,
        plan,
        augment=prepared.augment,
        working=piece.working,
        after_step=keep_zeros,
        lesson=lesson,
        # Teachers and masks change from step to step in ways that a CUDA graph does not record.
        way=eager,
    )
    for epoch in epochs:
        after_epoch(epoch.epoch)
    # A moving average of the weights, where the candidate has one, is not zero where they are.
    keep_zeros()


def _parameter(network: nn.Module, name: str) -> torch.Tensor:
    """The parameter itself, also where its layer rounds it (quantization-aware training)."""
    owner, _, kind = name.rpartition(".")
    layer = network.get_submodule(owner)
    if parametrize.is_parametrized(layer, kind):
        rounded: torch.Tensor = layer.parametrizations[kind].original  # type: ignore[index,union-attr]
        return rounded
    return network.get_parameter(name)
