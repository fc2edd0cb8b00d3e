"""CompressionState: what the techniques of a recipe work on."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from search.contract.candidate import Candidate
from workers.augmentation.training_input import TrainingInput
from workers.compression.task import TrainedModel
from workers.models import Network
from workers.training.device_dataset import DeviceDataset
from workers.training.engine import Working


@dataclass(kw_only=True)
class CompressionState:
    """What the steps of a recipe work on: the network, changed in place, and what they may use.

    ``training`` prepares the training split, which only fine-tuning needs. ``calibration`` uint8 [n, side, side, 3] are
    images that are not in the validation split. ``masks`` keep pruned weights at zero: bool tensors by parameter name,
    True where the weight stays. For distillation: ``has_answers`` says that the training split has the answers of the
    study's teacher, and ``teacher`` is the study's best model.
    """

    network: Network
    candidate: Candidate
    training: Callable[[], TrainingInput]
    validation: DeviceDataset
    calibration: NDArray[np.uint8]
    seed: int
    working: Working
    has_answers: bool = False
    teacher: TrainedModel | None = None
    masks: dict[str, Tensor] = field(default_factory=dict)


class NotApplicableError(ValueError):
    """The technique has nothing to work on in this network."""
