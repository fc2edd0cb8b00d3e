"""TrainingSettings: how a network is trained, apart from the number of epochs and the seed."""

from dataclasses import dataclass
from typing import Literal

OptimizerName = Literal["sgd", "adamw", "muon"]
ScheduleName = Literal["one-cycle", "cosine"]
LossName = Literal["cross-entropy", "focal", "class-balanced"]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What a candidate chooses of its training; ``SpaceSpec`` has a range or a list of choices for each field.

    A dataclass, because the training engine does without pydantic.
    """

    batch_size: int
    learning_rate: float
    """The highest rate of SGD. The other optimizers use a fraction of it, so that one range serves all."""
    optimizer: OptimizerName
    schedule: ScheduleName = "one-cycle"
    loss: LossName = "cross-entropy"
    label_smoothing: float = 0.1
    weight_decay: float = 5e-4
    ema_decay: float = 0.0
    """Decay of the moving average of the weights that is scored and returned instead of them; 0 for none."""
    layer_decay: float = 1.0
    """Factor of the learning rate from each line of the network to the line before it, from the classifier down: 1
    trains all lines alike, 0 trains the classifier only and freezes the rest.
    """
    distillation_weight: float = 0.0
    """The teacher's share of each image's targets; its labels have the rest, and 0 needs no teacher."""
    distillation_temperature: float = 2.0
    """What the teacher's logits are divided by before they become shares: above 1 evens them out."""
