"""TrainingPlan: how to train, as plain data."""

from dataclasses import dataclass

from search.contract.training_settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class TrainingPlan(TrainingSettings):
    """How one network is trained: the settings of its candidate, for so many epochs. ValueError if out of range."""

    epochs: int
    seed: int
    focal_gamma: float = 2.0
    """How much the focal loss ignores images that are classified well; 0 makes it the cross-entropy."""
    class_balance: float = 0.999
    """Beta of the class-balanced loss; 0 weighs classes equally, towards 1 by the inverse of their counts."""

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(f"epochs and batch_size are at least 1, not {self.epochs} and {self.batch_size}")
        for name in ("label_smoothing", "ema_decay", "class_balance"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is in [0, 1), not {getattr(self, name)}")
        if not 0 <= self.layer_decay <= 1:
            raise ValueError(f"layer_decay is in [0, 1], not {self.layer_decay}")
        if not 0 <= self.distillation_weight <= 1:
            raise ValueError(f"distillation_weight is in [0, 1], not {self.distillation_weight}")
        if not self.distillation_temperature > 0:
            raise ValueError(f"distillation_temperature is above 0, not {self.distillation_temperature}")
        if not self.focal_gamma >= 0:
            raise ValueError(f"focal_gamma is 0 or more, not {self.focal_gamma}")
