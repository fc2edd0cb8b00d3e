"""Studies as the record holds them: a study, its progress, and what the controller and the driver need of one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from sqlalchemy import RowMapping

from search.contract.history import read_stored
from search.contract.states import JobState, StudyState
from search.contract.study_dataset import StudyDataset
from search.contract.weights import StartingWeights
from search.study.run_spec import BudgetSpec, ResourcesSpec
from search.study.spec import StudySpec
from services.records.json_object import JsonObject
from services.records.keys import KeyName


@lru_cache(maxsize=200)
def _read_spec(text: str) -> StudySpec:
    """Reading one takes ten times as long as writing it as text; a listing reads those of 50 studies."""
    return read_stored(StudySpec, json.loads(text))


#: Images that could not be used and that a study names; the check of a data set names all.
MOST_SKIPPED = 20


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study.

    ``dataset_id``, ``classes`` and ``class_images``, the training and validation images of each class, are None
    until the data set was read, and never change then. ``skipped`` names the first images that could not be used,
    each with its reason; there are ``skipped_count`` of them. ``test_id`` hashes the test images that models were
    scored on; None before the first scoring. ``stored_resources`` is what each trial gets, where the spec leaves
    that to be chosen. ``weights`` are the pretrained ones that its networks start from, as they were found when it
    was posted. ``job_id`` is the present driver's Ray job, ``job_attempt`` its number. ``searched_at``,
    ``retrained_at`` and ``compressed_at`` are when the search, the full trainings and the compression ended.
    ``test_looks`` counts the scorings that recorded a score on the test split; ``test_reason`` says why models of
    the last one have none. ``teacher_answers_sha256`` is the file of a teacher's answers once there is one,
    ``teacher_trial_id`` the trial whose network gave them, None where a file did. ``created_by``, ``changed_by``
    and ``cancelled_by`` are the keys of those who posted it, changed it last and cancelled it; None without a key.
    """

    id: str
    name: str
    state: StudyState
    reason: str | None
    stored_spec: JsonObject
    dataset_id: str | None
    classes: Sequence[str] | None
    class_images: Sequence[int] | None
    skipped: Sequence[Mapping[str, str]] | None
    skipped_count: int | None
    stored_resources: JsonObject | None
    weights: Sequence[StartingWeights]
    job_id: str | None
    job_attempt: int
    search_elapsed_s: float
    searched_at: datetime | None
    retrained_at: datetime | None
    compressed_at: datetime | None
    test_id: str | None
    test_looks: int
    test_reason: str | None
    teacher_trial_id: str | None
    teacher_answers_sha256: str | None
    request_sha256: str | None
    created_by: KeyName | None
    changed_by: KeyName | None
    cancelled_by: KeyName | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def from_row(cls, row: RowMapping) -> "Study":
        return cls(
            id=row["id"],
            name=row["name"],
            state=row["state"],
            reason=row["reason"],
            stored_spec=row["spec"],
            dataset_id=row["dataset_id"],
            classes=row["classes"],
            class_images=row["class_images"],
            skipped=None if row["skipped"] is None else row["skipped"][:MOST_SKIPPED],
            skipped_count=_count_skipped(row),
            stored_resources=row["resources"],
            weights=[StartingWeights.model_validate(item) for item in row["weights"]],
            job_id=row["job_id"],
            job_attempt=row["job_attempt"],
            search_elapsed_s=row["search_elapsed_s"],
            searched_at=row["searched_at"],
            retrained_at=row["retrained_at"],
            compressed_at=row["compressed_at"],
            test_id=row["test_id"],
            test_looks=row["test_looks"],
            test_reason=row["test_reason"],
            teacher_trial_id=row["teacher_trial_id"],
            teacher_answers_sha256=row["teacher_answers_sha256"],
            request_sha256=row["request_sha256"],
            created_by=KeyName.from_json(row["created_by"]),
            changed_by=KeyName.from_json(row["changed_by"]),
            cancelled_by=KeyName.from_json(row["cancelled_by"]),
            created_at=row["created_at"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
        )

    @cached_property
    def spec(self) -> StudySpec:
        return _read_spec(json.dumps(self.stored_spec))

    @property
    def dataset(self) -> StudyDataset:
        """The data set as the study first read it, which it must have done: nothing else works on a study before."""
        assert self.dataset_id is not None
        return StudyDataset(
            spec=self.spec.dataset,
            id=self.dataset_id,
            classes=tuple(self.classes or ()),
            class_images=None if self.class_images is None else tuple(self.class_images),
        )

    @property
    def resources(self) -> ResourcesSpec | None:
        """What each trial gets, once that was chosen; None where the spec says it."""
        return None if self.stored_resources is None else read_stored(ResourcesSpec, self.stored_resources)


def _count_skipped(row: RowMapping) -> int | None:
    """Earlier versions named all images and counted none."""
    if row["skipped"] is None:
        return None
    return len(row["skipped"]) if row["skipped_count"] is None else row["skipped_count"]


@dataclass(frozen=True, kw_only=True)
class StudyProgress:
    """How far a study is.

    ``spent`` trials have used up budget. ``best_f1`` and ``least_latency_ms`` may be those of different trials.
    ``compression`` counts the compression jobs by state. ``queue_position`` is 1 for the study that has waited longest
    for a driver; None where it does not wait. Events after ``last_event_id`` are later than this.
    """

    spent: int
    best_f1: float | None
    least_latency_ms: float | None
    compression: Mapping[JobState, int]
    queue_position: int | None
    last_event_id: int

    @classmethod
    def from_row(cls, row: RowMapping) -> "StudyProgress":
        compression = row["compression"] or {}
        return cls(
            spent=row["spent"],
            best_f1=row["best_f1"],
            least_latency_ms=row["least_latency_ms"],
            compression={JobState(state): count for state, count in compression.items()},
            queue_position=row["queue_position"],
            last_event_id=row["last_event_id"],
        )


@dataclass(frozen=True, kw_only=True)
class ActiveStudy:
    """A study that the controller looks after.

    ``queued_at`` is when it began to wait for a driver, None where it has or had one. ``resources`` are those of each
    trial. ``submissions`` counts the drivers since a trial last ended; ``overdue``: the driver's lease has run out.
    """

    id: str
    state: StudyState
    reason: str | None
    resources: ResourcesSpec
    queued_at: datetime | None
    job_id: str | None
    job_attempt: int
    submissions: int
    searched_at: datetime | None
    overdue: bool

    @classmethod
    def from_row(cls, row: RowMapping) -> "ActiveStudy":
        return cls(
            id=row["id"],
            state=row["state"],
            reason=row["reason"],
            resources=read_stored(ResourcesSpec, row["resources"] or row["spec_resources"]),
            queued_at=row["queued_at"],
            job_id=row["job_id"],
            job_attempt=row["job_attempt"],
            submissions=row["submissions"],
            searched_at=row["searched_at"],
            overdue=row["overdue"],
        )


@dataclass(frozen=True, kw_only=True)
class LeasedStudy:
    """What a driver reads of its study whenever it extends its lease."""

    state: StudyState
    budget: BudgetSpec
    search_elapsed_s: float

    @classmethod
    def from_row(cls, row: RowMapping) -> "LeasedStudy":
        return cls(
            state=row["state"],
            budget=read_stored(BudgetSpec, row["spec"]["budget"]),
            search_elapsed_s=row["search_elapsed_s"],
        )
