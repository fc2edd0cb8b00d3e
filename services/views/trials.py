"""Trials with their best variants, and one trial with everything that is recorded of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from search.contract.candidate import Candidate
from search.contract.confusion import ConfusionSummary, Matrix
from search.contract.states import TrialState
from search.contract.trials import Assignment, TrialRole
from services.records.jobs import CompressionJob
from services.records.json_object import JsonObject
from services.records.on_test import OnTest
from services.records.recipe_searches import RecipeSearch
from services.records.trainings import Training
from services.records.trials import Epoch, Trial
from services.records.variants import Artifact
from services.store import jobs, recipe_searches, trainings, trials, variants
from services.views import variants as variant_views
from services.views.variants import VariantRow


@dataclass(frozen=True, kw_only=True)
class TrialRow(OnTest):
    """A trial in a listing; ``best_variant`` is the one with the lowest score."""

    id: str
    study_id: str
    number: int
    state: TrialState
    reason: str | None
    candidate: Candidate
    assignment: Assignment
    role: TrialRole | None
    metrics: Mapping[str, float]
    host: str | None
    best_variant: VariantRow | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class FullTrial(TrialRow):
    """A trial with everything that is recorded of it; ``artifacts`` are its own files."""

    artifacts: Sequence[Artifact]
    layers: Sequence[JsonObject] | None
    epochs: Sequence[Epoch]
    per_class_f1: Sequence[float] | None
    confusion: Matrix | None
    confusion_summary: ConfusionSummary | None
    compression: Sequence[CompressionJob]
    recipe_searches: Sequence[RecipeSearch]
    trainings: Sequence[Training]


def get_full(connection: Connection, trial_id: str) -> FullTrial:
    (row,) = make_rows(connection, [trials.get(connection, trial_id)])
    details = trials.get_details(connection, trial_id)
    return FullTrial(
        **vars(row),
        artifacts=variants.list_trial_artifacts(connection, trial_id),
        layers=details.layers,
        epochs=trials.learning_curve(connection, trial_id),
        per_class_f1=details.per_class_f1,
        confusion=details.confusion,
        confusion_summary=details.confusion_summary,
        compression=jobs.of_trial(connection, trial_id),
        recipe_searches=recipe_searches.of_trial(connection, trial_id),
        trainings=trainings.of_trials(connection, [trial_id])[trial_id],
    )


def get_candidate(connection: Connection, trial_id: str) -> Candidate:
    return trials.get(connection, trial_id).candidate


def make_rows(connection: Connection, records: Sequence[Trial]) -> list[TrialRow]:
    best = variant_views.list_best(connection, [trial.id for trial in records])
    return [
        TrialRow(
            id=trial.id,
            study_id=trial.study_id,
            number=trial.number,
            state=trial.state,
            reason=trial.reason,
            candidate=trial.candidate,
            assignment=trial.assignment,
            role=trial.role,
            metrics=trial.all_metrics,
            **vars(trial.on_test),
            host=trial.host,
            best_variant=best.get(trial.id),
            created_at=trial.created_at,
            finished_at=trial.finished_at,
        )
        for trial in records
    ]
