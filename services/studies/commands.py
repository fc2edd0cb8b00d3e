"""What a user asks of studies and trials: create, extend, pause, resume, cancel, compress, train, retry.

Each command is one transaction. ``by`` is the key of the user who asks, which the study records; None without a key.
"""

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, func

from search.contract.candidate import Enqueued
from search.contract.recipes import Recipe
from search.contract.states import StudyState, TrialState
from search.contract.weights import StartingWeights
from search.study.enqueue import PointError, checked_point
from search.study.run_spec import BudgetSpec
from search.study.spec import StudySpec
from search.study.yardsticks import yardsticks
from services.errors import ConflictError, KeyReusedError, RejectedError
from services.records.actions import Action
from services.records.jobs import CompressionJob
from services.records.keys import KeyName
from services.records.studies import Study
from services.records.trainings import Training
from services.store import deletions, events, jobs, recipe_searches, scorings, studies, trainings, trials
from services.store.ids import new_id
from services.studies import admission, life_cycle
from services.views import studies as study_views
from services.views.studies import StudyOverview

#: Of one trial, those of searches for recipes and of ended trainings included.
MAX_JOBS, MAX_TRAININGS = 2000, 100
_RETRYABLE = (TrialState.FAILED, TrialState.CANCELLED, TrialState.STOPPED)


def create(
    engine: Engine,
    spec: StudySpec,
    *,
    weights: Sequence[StartingWeights] = (),
    idempotency_key: str | None = None,
    by: KeyName | None = None,
) -> StudyOverview:
    """Queue a study whose networks may start from ``weights``.

    A key that was used before with the same spec gives the study that was made then.

    RejectedError if it warm-starts from an unknown study, or enqueues a point that is outside its space.
    """
    body = spec.model_dump(mode="json")
    sha256 = _sha256(spec)
    first = _first_trials(spec)
    queue_ids = sorted(new_id("enqueued") for _ in first)
    with engine.begin() as connection:
        added = studies.add(
            connection,
            study_id=new_id("study"),
            name=spec.name,
            spec={**body, "warm_start": _earlier(connection, spec)},
            weights=[item.model_dump(mode="json") for item in weights],
            idempotency_key=idempotency_key,
            request_sha256=sha256,
            by=by,
        )
        if added is not None:
            for queue_id, trial in zip(queue_ids, first, strict=True):
                studies.enqueue(connection, queue_id, added.id, trial)
            last_event_id = events.write(connection)
            assert last_event_id is not None
            position = studies.queue_position(connection, added.id)
            return study_views.new_overview(added, last_event_id=last_event_id, queue_position=position)
        assert idempotency_key is not None
        earlier = studies.get_by_idempotency_key(connection, idempotency_key)
        if earlier.request_sha256 != sha256:
            raise KeyReusedError
        return study_views.get(connection, earlier.id)


def _first_trials(spec: StudySpec) -> list[Enqueued]:
    """The trials with a role, and the points to try first as the space writes them."""
    first = list(yardsticks(spec.space))
    for index, choices in enumerate(spec.first_points):
        try:
            first.append(Enqueued(assignment=checked_point(spec.space, choices)))
        except PointError as error:
            raise RejectedError(f"enqueue[{index}]", str(error)) from error
    return first


def _earlier(connection: Connection, spec: StudySpec) -> list[str]:
    """The ids of the studies to learn from: later, another study may have the same name."""
    ids = []
    for index, name in enumerate(spec.warm_start):
        study_id = studies.find_id(connection, name)
        if study_id is None:
            deleted = deletions.find_by_name(connection, name)
            why = f"there is no study {name!r}; list them to see what there is"
            raise RejectedError(f"warm_start[{index}]", f"{deleted}: leave it out" if deleted else why)
        ids.append(study_id)
    return ids


def replay(engine: Engine, spec: StudySpec, idempotency_key: str) -> StudyOverview | None:
    """The study that was made with this key; None if there is none. KeyReusedError if it had another body."""
    with engine.connect() as connection:
        first = studies.find_by_idempotency_key(connection, idempotency_key)
        if first is None:
            return None
        if first.request_sha256 != _sha256(spec):
            raise KeyReusedError
        return study_views.get(connection, first.id)


def _sha256(spec: StudySpec) -> str:
    return hashlib.sha256(json.dumps(spec.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def pause(engine: Engine, study_id: str, *, by: KeyName | None = None) -> None:
    """Start no more trials. Those that run are finished: the driver keeps its lease for that."""
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.PAUSED)
        studies.note_action(connection, study_id, Action.PAUSE, by)


def resume(engine: Engine, study_id: str, *, by: KeyName | None = None) -> None:
    """Have a paused study searched again."""
    with engine.begin() as connection:
        if studies.get(connection, study_id, lock=True).state is not StudyState.PAUSED:
            raise ConflictError(f"study {study_id} is not paused")
        studies.set_state(connection, study_id, StudyState.QUEUED, submissions=0, queued_at=func.now())
        studies.note_action(connection, study_id, Action.RESUME, by)


def cancel(engine: Engine, study_id: str, *, by: KeyName | None = None) -> None:
    """End a study for good, with its running trials, its trainings, its compression and its scoring."""
    reason = "the study was cancelled"
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.CANCELLED, lease_token=None)
        studies.note_action(connection, study_id, Action.CANCEL, by)
        trials.cancel_running(connection, study_id, reason)
        trainings.cancel_all(connection, study_id, reason)
        jobs.cancel_all(connection, study_id, reason)
        recipe_searches.end_all(connection, study_id, reason=reason)
        scorings.cancel_all(connection, study_id, reason)


def extend(
    engine: Engine,
    study_id: str,
    *,
    max_trials: int | None,
    max_minutes: float | None,
    by: KeyName | None = None,
) -> None:
    """Raise the budget. A study that has ended, or that is compressing, searches on; CANCELLED stays so."""
    with engine.begin() as connection:
        study = studies.get(connection, study_id, lock=True)
        if study.state is StudyState.CANCELLED:
            raise ConflictError(f"study {study_id} was cancelled: post a new one")
        _raise_budget(connection, study, max_trials=max_trials, max_minutes=max_minutes)
        _search_on(connection, study)
        studies.note_action(connection, study_id, Action.EXTEND, by)


def _raise_budget(connection: Connection, study: Study, *, max_trials: int | None, max_minutes: float | None) -> None:
    """Store the budget with these totals, and nothing else of the spec. RejectedError if they are too low or high."""
    budget = study.spec.budget
    if max_trials is not None and max_trials < budget.max_trials:
        raise RejectedError("budget.max_trials", f"can only be raised from {budget.max_trials}, got {max_trials}")
    if max_minutes is not None and budget.max_minutes is not None and max_minutes < budget.max_minutes:
        raise RejectedError(
            "budget.max_minutes", f"can only be raised from {budget.max_minutes:g}, got {max_minutes:g}"
        )
    used_minutes = study.search_elapsed_s / 60
    if max_minutes is not None and max_minutes < used_minutes:
        raise RejectedError(
            "budget.max_minutes", f"the search has taken {used_minutes:.1f} minutes already, got {max_minutes:g}"
        )
    changes = {"max_trials": max_trials, "max_minutes": max_minutes}
    raised = {name: value for name, value in changes.items() if value is not None}
    checked = admission.checked(BudgetSpec, {**budget.model_dump(), **raised}, within="budget.").model_dump(mode="json")
    studies.set_values(connection, study.id, spec={**study.stored_spec, "budget": checked})
    events.emit(connection, study.id, "budget", checked)


def _search_on(connection: Connection, study: Study) -> None:
    """Have a study searched again if its search has ended; a paused one once it is resumed."""
    ended = study.state in (StudyState.COMPLETED, StudyState.FAILED)
    searched = study.state is StudyState.RUNNING and study.searched_at is not None
    not_ended = {"searched_at": None, "retrained_at": None, "compressed_at": None}
    if ended or searched:
        studies.set_state(connection, study.id, StudyState.QUEUED, **not_ended, submissions=0, queued_at=func.now())
    elif study.state is StudyState.PAUSED:
        studies.set_values(connection, study.id, **not_ended)
    if study.searched_at is not None:
        # What they were to score is scored when the study ends again, if it is still a pick by then.
        scorings.cancel_all(connection, study.id, "the study searches on")


def retry(engine: Engine, trial_id: str, *, by: KeyName | None = None) -> str:
    """Run the candidate of a trial that gave no result once more, as a new trial beyond the budget; the study's id."""
    with engine.begin() as connection:
        trial = trials.get(connection, trial_id)
        if trial.state not in _RETRYABLE:
            raise ConflictError(f"trial {trial_id} is {trial.state}: only {', '.join(_RETRYABLE)} trials are run again")
        study = studies.get(connection, trial.study_id, lock=True)
        if study.state is StudyState.CANCELLED:
            raise ConflictError(f"study {study.id} was cancelled: post a new one")
        _raise_budget(connection, study, max_trials=study.spec.budget.max_trials + 1, max_minutes=None)
        studies.enqueue(connection, new_id("enqueued"), study.id, trial.enqueued_again(workers_lost=0))
        _search_on(connection, study)
        studies.note_action(connection, study.id, Action.RETRY, by)
        return study.id


def compress(engine: Engine, trial_id: str, recipe: Recipe, *, by: KeyName | None = None) -> CompressionJob:
    """Queue one more recipe for a completed trial; the same recipe for the same weights is queued once.

    ConflictError if the trial has ``MAX_JOBS`` jobs.
    """
    with engine.begin() as connection:
        trial = trials.get(connection, trial_id)
        if trial.state is not TrialState.COMPLETED:
            raise ConflictError(f"trial {trial_id} is {trial.state}: only completed trials have weights to compress")
        if studies.get(connection, trial.study_id, lock=True).state is StudyState.CANCELLED:
            raise ConflictError(f"study {trial.study_id} was cancelled: its trials are not compressed any more")
        job = life_cycle.add_job(connection, trial, recipe)
        if jobs.count_of_trial(connection, trial_id) > MAX_JOBS:
            raise ConflictError(f"trial {trial_id} has {MAX_JOBS} compression jobs, which is the most")
        studies.note_action(connection, trial.study_id, Action.COMPRESS, by)
        return job


def train(engine: Engine, trial_id: str, *, epochs: int, seeds: int, by: KeyName | None = None) -> Training:
    """Queue the full training of a trial's candidate. ConflictError if it has had ``MAX_TRAININGS``."""
    with engine.begin() as connection:
        trial = trials.get(connection, trial_id)
        if trial.state in (TrialState.RUNNING, TrialState.INFEASIBLE):
            raise ConflictError(f"trial {trial_id} is {trial.state}: only trials that ran are trained in full")
        if not trial.is_trained:
            raise ConflictError(
                f"trial {trial_id} is a probe, whose classifier is solved and not trained: train another trial, "
                "for example the one with the role plain"
            )
        if studies.get(connection, trial.study_id, lock=True).state is StudyState.CANCELLED:
            raise ConflictError(f"study {trial.study_id} was cancelled: its trials are not trained any more")
        if trainings.count_of_trial(connection, trial_id) >= MAX_TRAININGS:
            raise ConflictError(f"trial {trial_id} has had {MAX_TRAININGS} trainings, which is the most")
        studies.note_action(connection, trial.study_id, Action.TRAIN, by)
        return life_cycle.add_training(connection, trial, epochs=epochs, seeds=seeds)
