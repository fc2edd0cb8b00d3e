"""Trials and their epochs as the record holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import RowMapping

from search.contract.candidate import Candidate, Enqueued
from search.contract.confusion import ConfusionSummary, Matrix, confusion_from_json
from search.contract.epochs import CurvePoint
from search.contract.history import read_stored
from search.contract.states import TrialState
from search.contract.trials import Assignment, PastTrial, TrialRole
from services.records.json_object import JsonObject
from services.records.metrics import RETRAINED_COLUMNS, read_metrics
from services.records.on_test import OnTest, read_on_test


@dataclass(frozen=True, kw_only=True)
class MeasuredTrial:
    """What a trial was measured at. ``host`` is where its latency was timed, ``family`` that of its network in a study
    of several.
    """

    id: str
    number: int
    state: TrialState
    role: TrialRole | None
    family: str | None
    host: str | None
    metrics: Mapping[str, float]

    @classmethod
    def from_row(cls, row: RowMapping) -> "MeasuredTrial":
        return cls(
            id=row["id"],
            number=row["number"],
            state=row["state"],
            role=_role(row),
            family=row["family"],
            host=row["host"],
            metrics=read_metrics(row),
        )


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A trial without the columns that are too large for listings.

    ``assignment`` holds the sampler's choices by parameter, ``workers_lost`` says how many workers died in earlier runs
    of them. ``retrained_f1`` is the mean over the seeds of the latest
    full training, with its sample standard deviation. ``on_test`` is what its latest weights scored on the test split.
    """

    id: str
    study_id: str
    number: int
    state: TrialState
    reason: str | None
    stored_candidate: JsonObject
    assignment: Assignment
    role: TrialRole | None
    workers_lost: int
    metrics: Mapping[str, float]
    retrained_f1: float | None
    retrained_f1_deviation: float | None
    on_test: OnTest
    host: str | None
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "Trial":
        return cls(
            id=row["id"],
            study_id=row["study_id"],
            number=row["number"],
            state=row["state"],
            reason=row["reason"],
            stored_candidate=row["candidate"],
            assignment=row["assignment"],
            role=_role(row),
            workers_lost=row["workers_lost"],
            metrics=read_metrics(row),
            retrained_f1=row["retrained_f1"],
            retrained_f1_deviation=row["retrained_f1_deviation"],
            on_test=read_on_test(row),
            host=row["host"],
            created_at=row["created_at"],
            finished_at=row["finished_at"],
        )

    @cached_property
    def candidate(self) -> Candidate:
        return read_stored(Candidate, self.stored_candidate)

    @property
    def all_metrics(self) -> dict[str, float]:
        """The metrics of the search, and of a full training if there was one."""
        retrained = {name: getattr(self, name) for name in RETRAINED_COLUMNS}
        return {**self.metrics, **{name: value for name, value in retrained.items() if value is not None}}

    @property
    def best_f1(self) -> float:
        """The f1 after full training if there was one, else that of the search. KeyError if there is neither."""
        return self.metrics["f1"] if self.retrained_f1 is None else self.retrained_f1

    @property
    def is_trained(self) -> bool:
        """Whether its network is trained, as the space says; a probe's classifier is solved."""
        return self.role is not TrialRole.PROBE

    @property
    def duration_s(self) -> float:
        """How long a trial that has ended took."""
        assert self.finished_at is not None
        return (self.finished_at - self.created_at).total_seconds()

    def enqueued_again(self, *, whole_gpu: bool = False, workers_lost: int | None = None) -> Enqueued:
        """Its choices, to be run once more; ``workers_lost`` stays as it is if None."""
        return Enqueued(
            assignment=self.assignment,
            role=self.role,
            whole_gpu=whole_gpu,
            workers_lost=self.workers_lost if workers_lost is None else workers_lost,
        )

    def as_past(self, curve: Sequence[CurvePoint] = ()) -> PastTrial:
        """A trial that has ended, as samplers see it."""
        return PastTrial(
            number=self.number,
            state=self.state,
            assignment=self.assignment,
            metrics=self.metrics,
            curve=curve,
            seconds=self.duration_s,
            role=self.role,
        )


def _role(row: RowMapping) -> TrialRole | None:
    return None if row["role"] is None else TrialRole(row["role"])


@dataclass(frozen=True, kw_only=True)
class TrialDetails:
    """The columns of a trial that are too large for listings.

    ``layers`` says for each line of the backbone its output ``shape``, ``macs`` and ``params``. ``per_class_f1`` and
    ``confusion`` (counts; rows: true class) follow the study's classes; of many classes there is a summary.
    """

    layers: Sequence[JsonObject] | None
    per_class_f1: Sequence[float] | None
    confusion: Matrix | None
    confusion_summary: ConfusionSummary | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "TrialDetails":
        matrix, summary = confusion_from_json(row["confusion"])
        return cls(layers=row["layers"], per_class_f1=row["per_class_f1"], confusion=matrix, confusion_summary=summary)


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch of a trial; ``elapsed_s`` is the time that it took."""

    epoch: int
    loss: float
    f1: float
    accuracy: float
    elapsed_s: float

    @classmethod
    def from_row(cls, row: RowMapping) -> "Epoch":
        return cls(
            epoch=row["epoch"],
            loss=row["loss"],
            f1=row["f1"],
            accuracy=row["accuracy"],
            elapsed_s=row["elapsed_s"],
        )


@dataclass(frozen=True, kw_only=True)
class TypicalEpoch:
    """The quartiles of f1 after an epoch, over the ``trials`` completed trials that ran it."""

    epoch: int
    lower_f1: float
    median_f1: float
    upper_f1: float
    trials: int

    @classmethod
    def from_row(cls, row: RowMapping) -> "TypicalEpoch":
        return cls(
            epoch=row["epoch"],
            lower_f1=row["lower_f1"],
            median_f1=row["median_f1"],
            upper_f1=row["upper_f1"],
            trials=row["trials"],
        )
