"""How a candidate wants to be trained: the one place where its settings become a training plan."""

from search.contract.candidate import Candidate
from workers.training.plan import TrainingPlan


def plan_of(candidate: Candidate, *, epochs: int, seed: int, learning_rate_fraction: float = 1.0) -> TrainingPlan:
    """The candidate's own loss, label smoothing, schedule, optimizer and decay, with a share of its learning rate."""
    return TrainingPlan(
        epochs=epochs,
        batch_size=candidate.batch_size,
        learning_rate=candidate.learning_rate * learning_rate_fraction,
        optimizer=candidate.optimizer,
        schedule=candidate.schedule,
        loss=candidate.loss,
        label_smoothing=candidate.label_smoothing,
        weight_decay=candidate.weight_decay,
        ema_decay=candidate.ema_decay,
        seed=seed,
    )
