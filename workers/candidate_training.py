"""The one place where a candidate's training settings become a training plan."""

from dataclasses import fields

from search.contract.training_settings import TrainingSettings
from workers.training.plan import TrainingPlan


def plan_of(settings: TrainingSettings, *, epochs: int, seed: int, learning_rate_fraction: float = 1.0) -> TrainingPlan:
    """A plan with the candidate's own settings, and with a fraction of its learning rate."""
    values = {field.name: getattr(settings, field.name) for field in fields(TrainingSettings)}
    values["learning_rate"] = settings.learning_rate * learning_rate_fraction
    return TrainingPlan(**values, epochs=epochs, seed=seed)
