"""What workers report to the driver, as frozen types: epochs, measurements, and how trials and compressions ended.

A worker builds these, Ray carries them as they are, and the driver records them. Only Ray Tune demands dicts:
``search/tune/codec.py`` converts to them and back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from search.contract.epochs import ClassificationScores, CurvePoint, EpochReport
from search.contract.latency import HostLatency
from search.contract.metrics import Metrics
from search.contract.states import TrialState

#: The content of files by their kind: weights, onnx, program, augmentation, ...
Files = Mapping[str, bytes]
#: The kind of the file with a teacher's answers on the training images, which belongs to its study.
ANSWERS = "answers"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What has been measured of a model: its metrics by name, and the host that timed it, None until then."""

    metrics: Metrics
    host: str | None = None


@dataclass(frozen=True, kw_only=True)
class CompletedTrial:
    """A trial that was trained to the end. ``scores`` is None for a trial that scored no classes."""

    state: ClassVar = TrialState.COMPLETED

    measurement: Measurement
    scores: ClassificationScores | None = None
    files: Files = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InfeasibleTrial:
    """A trial whose measured latency breaks a constraint; ``reason`` says which."""

    state: ClassVar = TrialState.INFEASIBLE

    reason: str
    measurement: Measurement


@dataclass(frozen=True, kw_only=True)
class StoppedTrial:
    """A trial that early stopping ended, with its costs so far and its learning curve."""

    state: ClassVar = TrialState.STOPPED

    reason: str
    measurement: Measurement
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True, kw_only=True)
class FailedTrial:
    """A trial that raised an error; ``reason`` is the end of its traceback."""

    state: ClassVar = TrialState.FAILED

    reason: str


TrialResult = CompletedTrial | InfeasibleTrial | StoppedTrial | FailedTrial


@dataclass(frozen=True, kw_only=True)
class TrialReport:
    """What a trial reports after each epoch: the costs measured so far, and its result if it has ended."""

    epoch: EpochReport | None
    measurement: Measurement
    result: CompletedTrial | InfeasibleTrial | None = None


@dataclass(frozen=True, kw_only=True)
class TrainedWeights:
    """The result of one seed of a full training."""

    scores: ClassificationScores
    weights: bytes


@dataclass(frozen=True, kw_only=True)
class FullTrainingReport:
    """What a full training reports after each epoch; ``result`` comes with the last one."""

    epoch: EpochReport
    result: TrainedWeights | None = None


@dataclass(frozen=True, kw_only=True)
class VariantResult:
    """A compressed model, measured on one target. ``parity_error`` is the largest difference between the logits of the
    file and of its network, as a fraction of their range; ``agreement`` is the fraction of images on which both choose
    the same class. Only variants on the study's ``target`` have the metric ``score``.
    """

    runtime: str
    measurement: Measurement
    scores: ClassificationScores
    parity_error: float
    agreement: float
    latency: HostLatency
    files: Files


@dataclass(frozen=True, kw_only=True)
class CompressedModel:
    """The variants of a recipe, one for each runtime and target; ``not_timed`` says which targets have none and why."""

    variants: tuple[VariantResult, ...]
    not_timed: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecipeNotApplicable:
    """The recipe does not apply to the candidate's network."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class CompressionFailed:
    """The recipe raised an error, or no target could time its file."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class DatasetChanged:
    """The images are no longer those of the study: nothing was compressed; ``reason`` says what differs."""

    reason: str


CompressionResult = CompressedModel | RecipeNotApplicable | CompressionFailed | DatasetChanged
