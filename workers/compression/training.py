"""Training what other steps left, as the candidate wants to be trained; pruned weights are kept at zero."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.nn.utils import parametrize

from search.contract.recipes.config import TrainingConfig
from workers.candidate_training import plan_of
from workers.compression.state import CompressionState
from workers.training.distillation_loss import DistillationLoss
from workers.training.engine import train
from workers.training.execution import eager


@dataclass(frozen=True, kw_only=True)
class AnswersWeight:
    """How much of the targets are the answers of the study's teacher, softened by ``temperature``."""

    weight: float
    temperature: float


def train_on(
    config: TrainingConfig,
    state: CompressionState,
    *,
    distillation: DistillationLoss | AnswersWeight | None = None,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> None:
    """Train the state's network in place. ``after_epoch`` gets the number of finished epochs and may change the
    state's masks.

    Without ``distillation`` it learns as much from the answers of the study's teacher as the candidate did.
    """
    masked = [(_parameter(state.network, name), mask) for name, mask in state.masks.items()]

    @torch.no_grad()
    def keep_zeros() -> None:
        for parameter, mask in masked:
            parameter.mul_(mask)

    plan = plan_of(
        state.candidate,
        epochs=config.epochs,
        seed=state.seed + 1,
        learning_rate_fraction=config.learning_rate_fraction,
    )
    # Every layer has to adapt to what was removed from it.
    plan = replace(plan, layer_decay=1.0)
    if isinstance(distillation, AnswersWeight):
        plan = replace(plan, distillation_weight=distillation.weight, distillation_temperature=distillation.temperature)
    elif distillation is not None or not state.has_answers:
        plan = replace(plan, distillation_weight=0.0)
    prepared = state.training()
    epochs = train(
        state.network,
        prepared.training,
        state.validation,
        plan,
        augment=prepared.augment,
        working=state.working,
        after_step=keep_zeros,
        distillation=distillation if isinstance(distillation, DistillationLoss) else None,
        # Teachers and masks change from step to step in ways that a CUDA graph does not record.
        execution=eager,
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
