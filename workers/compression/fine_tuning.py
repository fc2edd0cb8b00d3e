"""Fine-tuning: training what pruning left, with pruned weights kept at zero."""

import torch

from search.recipes import FineTuning
from workers.compression.registry import Workpiece, on_network
from workers.training.engine import TrainingPlan, train


@on_network(FineTuning)
def fine_tune(config: FineTuning, piece: Workpiece) -> None:
    parameters = dict(piece.network.named_parameters())

    def keep_zeros() -> None:
        with torch.no_grad():
            for name, mask in piece.masks.items():
                parameters[name].mul_(mask)

    plan = TrainingPlan(
        epochs=config.epochs,
        batch_size=piece.candidate.batch_size,
        learning_rate=piece.candidate.learning_rate * config.learning_rate_fraction,
        optimizer=piece.candidate.optimizer,
        seed=piece.seed + 1,
    )
    prepared = piece.training()
    for _ in train(
        piece.network,
        prepared.training,
        piece.validation,
        plan,
        augment=prepared.augment,
        working=piece.working,
        after_step=keep_zeros,
    ):
        pass
