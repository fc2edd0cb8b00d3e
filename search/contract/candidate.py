"""Candidate: one fully resolved trial as plain data, and the architecture format of the competition that it uses."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from search.contract.augmentation import FLIP_ONLY, Policy
from search.contract.training_settings import TrainingSettings
from search.contract.trials import Assignment, TrialRole

MOST_REPEATS = 100
#: ``(repeat, module, arguments)``: one line of the competition's ``backbone`` list. The modules are the registered
#: blocks of workers/models; a stride applies to the first of the repeats only.
Layer = tuple[Annotated[int, Field(ge=1, le=MOST_REPEATS)], str, tuple[Any, ...]]

#: Settings that earlier versions did not have, and the values that mean what these did: no part of a fingerprint.
_ADDED_LATER: dict[str, object] = {
    "layer_decay": 1.0,
    "distillation_weight": 0.0,
    "distillation_temperature": 2.0,
    "method": "training",
}

#: How a network gets its weights. A linear probe leaves all but the classifier as they are, and solves that.
Method = Literal["training", "linear-probe"]


class UnbuildableError(ValueError):
    """A candidate that makes no network; the message says why."""


class Architecture(BaseModel):
    """A network as the competition wrote it: layers in order, with common multiples of depth and width."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_channels: int = Field(default=3, ge=1)
    depth_multiple: float = Field(default=1.0, gt=0)
    width_multiple: float = Field(default=1.0, gt=0)
    backbone: tuple[Layer, ...]


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """The network that is trained, and the side of its square images in pixels."""

    architecture: Architecture
    image_size: int


# The two dataclasses give it their fields, NetworkSettings' first; pydantic checks these and writes them as flat JSON.
class Candidate(BaseModel, TrainingSettings, NetworkSettings):
    """Everything that a trial needs to know except its data set and its number of epochs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    augmentation: Policy = FLIP_ONLY
    method: Method = "training"

    @property
    def fingerprint(self) -> str:
        """Equal for equal candidates, whatever parameters they were drawn from, and in every version."""
        dumped = self.model_dump(mode="json")
        told = {name: value for name, value in dumped.items() if _ADDED_LATER.get(name) != value}
        text = json.dumps(told, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Enqueued:
    """Choices to run before the sampler's own, in a ``role`` or in none.

    ``whole_gpu``: on a GPU that no other trial shares. ``workers_lost``: how many workers died in earlier runs of them.
    """

    assignment: Assignment
    role: TrialRole | None = None
    whole_gpu: bool = False
    workers_lost: int = 0
