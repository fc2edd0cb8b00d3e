"""TrainingPlan: how to train, as plain data."""

from dataclasses import dataclass
from typing import Literal

OptimizerName = Literal["sgd", "adamw", "muon"]
ScheduleName = Literal["one-cycle", "cosine"]
LossName = Literal["cross-entropy", "focal", "class-balanced"]


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """How to train.

    learning_rate: SGD's highest rate; the other optimizers take a share of it, so that one range serves all.
    ema_decay: of the moving average of the weights that is scored and returned instead of them; 0 for none.
    focal_gamma: how much the focal loss passes over what is classified well; 0 makes it the cross-entropy.
    class_balance: beta of the class-balanced loss; 0 weighs classes alike, towards 1 by the inverse of their counts.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: OptimizerName
    seed: int
    schedule: ScheduleName = "one-cycle"
    loss: LossName = "cross-entropy"
    label_smoothing: float = 0.1
    weight_decay: float = 5e-4
    ema_decay: float = 0.0
    focal_gamma: float = 2.0
    class_balance: float = 0.999

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(f"epochs and batch_size are at least 1, not {self.epochs} and {self.batch_size}")
        for name in ("label_smoothing", "ema_decay", "class_balance"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is in [0, 1), not {getattr(self, name)}")
        if not self.focal_gamma >= 0:
            raise ValueError(f"focal_gamma is 0 or more, not {self.focal_gamma}")
