"""Studies with their progress, their fronts, and how their trials learned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from search.contract.states import JobState, StudyPhase, StudyState
from search.contract.weights import StartingWeights
from search.pareto import front, hypervolume, losses_of, reference_point
from search.study.run_spec import ResourcesSpec
from search.study.spec import StudySpec
from services.records.keys import KeyName
from services.records.studies import Study, StudyProgress
from services.records.trials import TypicalEpoch
from services.store import studies, trials
from services.views import trials as trial_views
from services.views.cursors import Page, cut, decode_id, encode_id
from services.views.trials import TrialRow
from services.views.winners import VariantFront, recommended_variant, variant_fronts


@dataclass(frozen=True, kw_only=True)
class Progress:
    """``finished`` of ``total`` trials have used up budget; ``compression`` counts the jobs by state."""

    finished: int
    total: int
    best_f1: float | None
    least_latency_ms: float | None
    compression: Mapping[JobState, int]


@dataclass(frozen=True, kw_only=True)
class StudyOverview:
    """A study with its progress; ``phase`` is None once it is over. ``job`` is the present driver's Ray job.

    ``queue_position`` is 1 for the study that has waited longest for a driver; None where it does not wait for one.
    ``test_looks`` counts the scorings that recorded a score on the test split; ``test_reason`` says why models of the
    last one have none.
    """

    id: str
    name: str
    state: StudyState
    phase: StudyPhase | None
    reason: str | None
    queue_position: int | None
    spec: StudySpec
    progress: Progress
    job: str | None
    dataset_id: str | None
    classes: Sequence[str] | None
    skipped: Sequence[Mapping[str, str]] | None
    skipped_count: int | None
    resources: ResourcesSpec | None
    weights: Sequence[StartingWeights]
    search_elapsed_s: float
    test_looks: int
    test_reason: str | None
    teacher_trial_id: str | None
    created_by: KeyName | None
    changed_by: KeyName | None
    cancelled_by: KeyName | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    last_event_id: int


@dataclass(frozen=True, kw_only=True)
class TrialFront:
    """The trials of a front, best f1 first, its hypervolume and the ``reference`` point that bounds it."""

    items: Sequence[TrialRow]
    hypervolume: float
    reference: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class StudyFront(TrialFront):
    """The front of a study's trials, those of its variants, and the id of the variant to ship."""

    variants: Sequence[VariantFront]
    recommended: str | None


@dataclass(frozen=True, kw_only=True)
class TypicalCurve:
    """How the completed trials of a study learned."""

    epochs: Sequence[TypicalEpoch]


def get(connection: Connection, study_id: str) -> StudyOverview:
    return _overview(*studies.get_with_progress(connection, study_id))


def last_event_id(connection: Connection, study_id: str) -> int:
    """The id of a study's latest event. NotFoundError if there is no such study."""
    return studies.last_event_id(connection, study_id)


def require(connection: Connection, study_id: str) -> None:
    """NotFoundError if there is no such study."""
    studies.get(connection, study_id)


def list_page(
    connection: Connection, *, state: StudyState | None, cursor: str | None, limit: int
) -> Page[StudyOverview]:
    """Studies, newest first."""
    before_id = None if cursor is None else decode_id(cursor)
    listed = studies.list_with_progress(connection, state=state, before_id=before_id, limit=limit + 1)
    records, following = cut(listed, limit, lambda record: encode_id(record[0].id))
    return Page(items=[_overview(study, progress) for study, progress in records], next=following)


def new_overview(study: Study, *, last_event_id: int, queue_position: int | None) -> StudyOverview:
    """A study that was inserted in this transaction, without results."""
    progress = StudyProgress(
        spent=0,
        best_f1=None,
        least_latency_ms=None,
        compression={},
        queue_position=queue_position,
        last_event_id=last_event_id,
    )
    return _overview(study, progress)


def _overview(study: Study, progress: StudyProgress) -> StudyOverview:
    return StudyOverview(
        id=study.id,
        name=study.name,
        state=study.state,
        phase=_phase(study),
        reason=study.reason,
        queue_position=progress.queue_position,
        spec=study.spec,
        progress=Progress(
            finished=progress.spent,
            total=study.spec.budget.max_trials,
            best_f1=progress.best_f1,
            least_latency_ms=progress.least_latency_ms,
            compression=progress.compression,
        ),
        job=study.job_id,
        dataset_id=study.dataset_id,
        classes=study.classes,
        skipped=study.skipped,
        skipped_count=study.skipped_count,
        resources=study.resources,
        weights=study.weights,
        search_elapsed_s=study.search_elapsed_s,
        test_looks=study.test_looks,
        test_reason=study.test_reason,
        teacher_trial_id=study.teacher_trial_id,
        created_by=study.created_by,
        changed_by=study.changed_by,
        cancelled_by=study.cancelled_by,
        created_at=study.created_at,
        started_at=study.started_at,
        finished_at=study.finished_at,
        last_event_id=progress.last_event_id,
    )


def _phase(study: Study) -> StudyPhase | None:
    if study.finished_at is not None:
        return None
    if study.searched_at is None:
        return StudyPhase.SEARCH
    if study.retrained_at is None:
        return StudyPhase.RETRAINING
    return StudyPhase.COMPRESSION if study.compressed_at is None else StudyPhase.SCORING


def typical_curve(connection: Connection, study_id: str) -> TypicalCurve:
    require(connection, study_id)
    return TypicalCurve(epochs=trials.typical_curve(connection, study_id))


def pareto(connection: Connection, study_id: str) -> StudyFront:
    """The front of a study's completed trials and those of its variants.

    The reference is just beyond the worst of all completed trials. So the hypervolume of a study grows with it, and the
    hypervolumes of two studies cannot be compared.
    """
    spec = studies.get(connection, study_id).spec
    fronts = variant_fronts(connection, study_id)
    trial_front = _trial_front(connection, study_id, spec)
    recommended = recommended_variant(connection, study_id, fronts)
    return StudyFront(**vars(trial_front), variants=fronts, recommended=recommended)


def _trial_front(connection: Connection, study_id: str, spec: StudySpec) -> TrialFront:
    completed = trials.list_measured(connection, study_id)
    if not completed:
        return TrialFront(items=[], hypervolume=0.0, reference={})
    losses = losses_of(spec.objectives, [trial.metrics for trial in completed])
    reference = reference_point(losses)
    on_front = trials.list_by_ids(connection, [completed[index].id for index in front(losses)])
    on_front.sort(key=lambda trial: (-trial.metrics["f1"], trial.number))
    signs = losses_of(spec.objectives, [{objective.metric: 1.0 for objective in spec.objectives}])[0]
    return TrialFront(
        items=trial_views.make_rows(connection, on_front),
        hypervolume=hypervolume(losses, reference),
        reference={
            objective.metric: float(value) for objective, value in zip(spec.objectives, reference * signs, strict=True)
        },
    )
