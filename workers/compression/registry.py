"""The register of techniques: a new one is a config class in search/contract/recipes and one registered function here.

There are two kinds. What works on the PyTorch network is registered by ``@on_network``, what works on the exported
ONNX file by ``@on_file``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from search.contract.candidate import Candidate
from search.contract.recipes import Step
from workers.models import Network
from workers.training.device_dataset import Resident
from workers.training.engine import Working
from workers.training.training_input import TrainingInput

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A candidate with its weights as a safetensors file; plain data."""

    candidate: Candidate
    weights: bytes


@dataclass(kw_only=True)
class Workpiece:
    """What the steps of a recipe work on: the network, changed in place, and what they may use.

    ``training`` prepares the training split, which only fine-tuning needs. ``calibration`` uint8 [n, side, side, 3] are
    images that are not in the validation split. ``masks`` keep pruned weights at zero: bool tensors by parameter name,
    True where the weight stays. ``teacher`` is the study's best model, for distillation.
    """

    network: Network
    candidate: Candidate
    training: Callable[[], TrainingInput]
    validation: Resident
    calibration: NDArray[np.uint8]
    seed: int
    working: Working
    teacher: TrainedModel | None = None
    masks: dict[str, Tensor] = field(default_factory=dict)


NetworkTechnique = Callable[[Any, Workpiece], None]
FileTechnique = Callable[[Any, bytes, Workpiece], bytes]
NETWORK_TECHNIQUES: dict[type[Step], NetworkTechnique] = {}
FILE_TECHNIQUES: dict[type[Step], FileTechnique] = {}


class NotApplicableError(ValueError):
    """The technique has nothing to work on in this network."""


def on_network(config: type[Any]) -> Callable[[NetworkTechnique], NetworkTechnique]:
    """Register a function that changes the workpiece's network."""

    def register(technique: NetworkTechnique) -> NetworkTechnique:
        NETWORK_TECHNIQUES[config] = technique
        return technique

    return register


def on_file(config: type[Any]) -> Callable[[FileTechnique], FileTechnique]:
    """Register a function from an ONNX file to another."""

    def register(technique: FileTechnique) -> FileTechnique:
        FILE_TECHNIQUES[config] = technique
        return technique

    return register
