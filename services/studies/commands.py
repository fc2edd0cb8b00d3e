"""What can be done with a study and its trials. Each function is one transaction."""

import hashlib
import json
import statistics
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, func

from search.contract.recipes import Recipe
from search.contract.states import JobState, StudyState, TrialState
from search.pareto import front, losses_of, spread
from search.study.enqueue import PointError, checked_point
from search.study.spec import StudySpec
from services.errors import ConflictError, KeyReusedError, RejectedError
from services.store import events, jobs, recipe_searches, studies, trainings, trials, variants
from services.store.db import new_id
from services.views import studies as study_views

_RETRYABLE = (TrialState.FAILED, TrialState.CANCELLED, TrialState.STOPPED)


def create(engine: Engine, spec: StudySpec, *, idempotency_key: str | None = None) -> dict[str, Any]:
    """Queue a study and show it; with a key that was used before for the same spec, the study that it made then.

    RejectedError if it is to learn from a study that is not there, or to try what its space does not hold.
    """
    body = spec.model_dump(mode="json")
    sha256 = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    points = _points(spec)
    queue_ids = sorted(new_id("enqueued") for _ in points)
    with engine.begin() as connection:
        values = {
            "id": new_id("study"),
            "name": spec.name,
            "spec": {**body, "warm_start": _earlier(connection, spec)},
            "idempotency_key": idempotency_key,
            "request_sha256": sha256,
        }
        row = studies.add(connection, values)
        if row is not None:
            for queue_id, point in zip(queue_ids, points, strict=True):
                studies.enqueue(connection, queue_id, row.id, point)
            return study_views.of_new(row, last_event_id=events.write(connection))
        assert idempotency_key is not None
        first = studies.by_idempotency_key(connection, idempotency_key)
        if first.request_sha256 != sha256:
            raise KeyReusedError
        return study_views.one(connection, first.id)


def _points(spec: StudySpec) -> list[dict[str, Any]]:
    points = []
    for index, choices in enumerate(spec.enqueue):
        try:
            points.append(checked_point(spec.space, choices))
        except PointError as error:
            raise RejectedError(f"enqueue[{index}]", str(error)) from error
    return points


def _earlier(connection: Connection, spec: StudySpec) -> list[str]:
    """The ids of the studies to learn from: a name may be another study's one day."""
    ids = []
    for index, name in enumerate(spec.warm_start):
        study_id = studies.named(connection, name)
        if study_id is None:
            raise RejectedError(f"warm_start[{index}]", f"there is no study {name!r}; list them to see what there is")
        ids.append(study_id)
    return ids


def pause(engine: Engine, study_id: str) -> None:
    """Start no more trials; those that run go on to their end. The lease of the driver stays with it for that."""
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.PAUSED)


def resume(engine: Engine, study_id: str) -> None:
    with engine.begin() as connection:
        if studies.get(connection, study_id, lock=True).state is not StudyState.PAUSED:
            raise ConflictError(f"study {study_id} is not paused")
        studies.set_state(connection, study_id, StudyState.QUEUED, submissions=0)


def cancel(engine: Engine, study_id: str) -> None:
    """End a study for good, with its running trials and its compression jobs."""
    reason = "the study was cancelled"
    with engine.begin() as connection:
        studies.set_state(connection, study_id, StudyState.CANCELLED, lease_token=None)
        trials.cancel_running(connection, study_id, reason)
        trainings.cancel_all(connection, study_id, reason)
        jobs.cancel_all(connection, study_id, reason)
        recipe_searches.end_all(connection, study_id, reason=reason)


def extend(engine: Engine, study_id: str, *, max_trials: int | None, max_minutes: float | None) -> None:
    """Raise the budget. A study that has ended, or that is compressing, searches on; CANCELLED stays so."""
    with engine.begin() as connection:
        row = studies.get(connection, study_id, lock=True)
        if row.state is StudyState.CANCELLED:
            raise ConflictError(f"study {study_id} was cancelled: post a new one")
        spec = StudySpec.model_validate(row.spec)
        raised = _raised_budget(spec, max_trials=max_trials, max_minutes=max_minutes)
        studies.set_values(connection, study_id, spec=raised.model_dump(mode="json"))
        budget = raised.budget.model_dump(mode="json")
        events.emit(connection, study_id, "budget", budget)
        _search_on(connection, row)


def _raised_budget(spec: StudySpec, *, max_trials: int | None, max_minutes: float | None) -> StudySpec:
    budget = spec.budget
    if max_trials is not None and max_trials < budget.max_trials:
        raise RejectedError("budget.max_trials", f"can only be raised from {budget.max_trials}, got {max_trials}")
    if max_minutes is not None and budget.max_minutes is not None and max_minutes < budget.max_minutes:
        raise RejectedError(
            "budget.max_minutes", f"can only be raised from {budget.max_minutes:g}, got {max_minutes:g}"
        )
    changes = {"max_trials": max_trials, "max_minutes": max_minutes}
    known = {name: value for name, value in changes.items() if value is not None}
    return spec.model_copy(update={"budget": budget.model_copy(update=known)})


def _search_on(connection: Connection, row: Row[Any]) -> None:
    """Have a study searched again if its search has ended."""
    ended = row.state in (StudyState.COMPLETED, StudyState.FAILED)
    searched = row.state is StudyState.RUNNING and row.searched_at is not None
    if ended or searched:
        studies.set_state(connection, row.id, StudyState.QUEUED, searched_at=None, retrained_at=None, submissions=0)


def retry(engine: Engine, trial_id: str) -> None:
    """Run the candidate of a trial that gave no result once more, as a new trial beyond the budget."""
    with engine.begin() as connection:
        trial = trials.get(connection, trial_id)
        if trial.state not in _RETRYABLE:
            raise ConflictError(f"trial {trial_id} is {trial.state}: only {', '.join(_RETRYABLE)} trials are run again")
        row = studies.get(connection, trial.study_id, lock=True)
        if row.state is StudyState.CANCELLED:
            raise ConflictError(f"study {row.id} was cancelled: post a new one")
        spec = StudySpec.model_validate(row.spec)
        raised = _raised_budget(spec, max_trials=spec.budget.max_trials + 1, max_minutes=None)
        studies.set_values(connection, row.id, spec=raised.model_dump(mode="json"))
        events.emit(connection, row.id, "budget", raised.budget.model_dump(mode="json"))
        studies.enqueue(connection, new_id("enqueued"), row.id, trial.assignment)
        _search_on(connection, row)


def compress(engine: Engine, trial_id: str, recipe: Recipe) -> str:
    """Queue one more recipe for a completed trial; returns the job's id."""
    with engine.begin() as connection:
        trial = trials.get(connection, trial_id)
        if trial.state is not TrialState.COMPLETED:
            raise ConflictError(f"trial {trial_id} is {trial.state}: only completed trials have weights to compress")
        if studies.get(connection, trial.study_id, lock=True).state is StudyState.CANCELLED:
            raise ConflictError(f"study {trial.study_id} was cancelled: its trials are not compressed any more")
        return _add_job(connection, trial, recipe)


def train(engine: Engine, trial_id: str, *, epochs: int, seeds: int) -> str:
    """Have the candidate of a trial trained in full; returns the training's id."""
    with engine.begin() as connection:
        trial = trials.get(connection, trial_id)
        if trial.state in (TrialState.RUNNING, TrialState.INFEASIBLE):
            raise ConflictError(f"trial {trial_id} is {trial.state}: only trials that ran are trained in full")
        if studies.get(connection, trial.study_id, lock=True).state is StudyState.CANCELLED:
            raise ConflictError(f"study {trial.study_id} was cancelled: its trials are not trained any more")
        return _add_training(connection, trial, epochs=epochs, seeds=seeds)


def _add_training(connection: Connection, trial: Row[Any], *, epochs: int, seeds: int) -> str:
    training_id = new_id("training")
    trainings.add(
        connection, training_id=training_id, trial_id=trial.id, study_id=trial.study_id, epochs=epochs, seeds=seeds
    )
    return training_id


def end_training(connection: Connection, training_id: str, target: JobState, *, reason: str | None = None) -> None:
    """End a training, a completed one with its seeds' mean f1 and the best seed's weights; and go on with its study."""
    row = trainings.get(connection, training_id)
    studies.get(connection, row.study_id, lock=True)
    if target is JobState.COMPLETED:
        _record_result(connection, row)
    else:
        trainings.end(connection, training_id, target, reason=reason)
    go_on(connection, row.study_id)


def _record_result(connection: Connection, training: Row[Any]) -> None:
    runs = trainings.runs(connection, training.id)
    f1 = [run.f1 for run in runs]
    mean, deviation = statistics.fmean(f1), statistics.stdev(f1) if len(f1) > 1 else 0.0
    trainings.end(connection, training.id, JobState.COMPLETED, f1=mean, f1_deviation=deviation)
    trials.set_retrained(connection, training.trial_id, f1=mean, f1_deviation=deviation)
    best = max(runs, key=lambda run: run.f1)
    variants.add_artifact(
        connection,
        {
            "id": new_id("artifact"),
            "kind": "weights",
            "trial_id": training.trial_id,
            "sha256": best.weights_sha256,
            "size_bytes": best.weights_size_bytes,
        },
    )


def _add_job(connection: Connection, trial: Row[Any], recipe: Recipe) -> str:
    body = recipe.model_dump(mode="json")
    weights = variants.weights_of(connection, trial.id)
    return jobs.add(
        connection,
        job_id=new_id("job"),
        trial_id=trial.id,
        study_id=trial.study_id,
        recipe=body,
        weights_sha256=weights.sha256,
    )


def end_search(connection: Connection, study_id: str, *, reason: str | None) -> None:
    """The search of a running study is over: have its best trained in full and compressed, or end it."""
    spec = StudySpec.model_validate(studies.get(connection, study_id, lock=True).spec)
    completed = trials.of_study(connection, study_id, [TrialState.COMPLETED])
    if not completed:
        studies.set_state(connection, study_id, StudyState.FAILED, reason=reason or "no trial was completed")
        return
    for trial in best_trials(spec, completed, spec.retrain.top):
        _add_training(connection, trial, epochs=spec.retrain.epochs or spec.budget.epochs, seeds=spec.retrain.seeds)
    studies.set_values(connection, study_id, searched_at=func.now(), reason=reason)
    go_on(connection, study_id)


def best_trials(spec: StudySpec, completed: Sequence[Row[Any]], count: int) -> list[Row[Any]]:
    """The most spread trials of the front, or the best by score, as ``compression.candidates`` says."""
    if spec.compression.candidates == "top":
        return sorted(completed, key=lambda trial: trial.score)[:count]
    losses = losses_of(spec.objectives, [trial._asdict() for trial in completed])
    on_front = front(losses)
    return [completed[on_front[position]] for position in spread(losses[on_front], count)]


def best_model(connection: Connection, study_id: str) -> tuple[Row[Any], str]:
    """The completed trial with the best f1, as trained in full where it was, and its weights' sha256."""
    completed = trials.of_study(connection, study_id, [TrialState.COMPLETED])
    best = max(completed, key=lambda trial: trial.f1 if trial.retrained_f1 is None else trial.retrained_f1)
    return best, variants.weights_of(connection, best.id).sha256


def go_on(connection: Connection, study_id: str) -> None:
    """Take a searched study to its next phase when one is over: training in full, compression, the end."""
    row = studies.get(connection, study_id, lock=True)
    if row.state is not StudyState.RUNNING or row.searched_at is None:
        return
    if row.retrained_at is None and not trainings.unfinished(connection, study_id):
        _queue_compression(connection, StudySpec.model_validate(row.spec), study_id)
        studies.set_values(connection, study_id, retrained_at=func.now())
        row = studies.get(connection, study_id)
    compressing = jobs.unfinished(connection, study_id) or recipe_searches.unfinished(connection, study_id)
    if row.retrained_at is not None and not compressing:
        studies.set_state(connection, study_id, StudyState.COMPLETED, reason=row.reason)


def _queue_compression(connection: Connection, spec: StudySpec, study_id: str) -> None:
    """Of the trials that were trained in full, best mean f1 first; without any, of the best of the search."""
    completed = trials.of_study(connection, study_id, [TrialState.COMPLETED])
    count = spec.compression.max_candidates
    retrained = [trial for trial in completed if trial.retrained_f1 is not None] if spec.retrain.top else []
    retrained.sort(key=lambda trial: -trial.retrained_f1)
    for trial in retrained[:count] or best_trials(spec, completed, count):
        if spec.compression.recipes == "search":
            _add_recipe_search(connection, trial)
            continue
        for recipe in spec.compression.recipes:
            _add_job(connection, trial, recipe)


def _add_recipe_search(connection: Connection, trial: Row[Any]) -> None:
    recipe_searches.add(
        connection,
        search_id=new_id("recipes"),
        trial_id=trial.id,
        study_id=trial.study_id,
        weights_sha256=variants.weights_of(connection, trial.id).sha256,
    )


def hold_job(connection: Connection, job: Row[Any], token: str) -> None:
    """Lock a compression job to write its result. LeaseLostError if ``token`` no longer holds it."""
    # First the study, then its jobs: the order in which cancelling locks them.
    studies.get(connection, job.study_id, lock=True)
    jobs.hold(connection, job.id, token)


def end_job(connection: Connection, job: Row[Any], target: JobState, *, reason: str | None = None) -> None:
    """End a compression job that is held, and with the last one its study."""
    jobs.set_state(connection, job.id, target, reason=reason)
    go_on(connection, job.study_id)


def set_aside_poisoned(engine: Engine) -> None:
    """Fail the jobs that lost every worker they were given to, so that their studies go on without them."""
    with engine.connect() as connection:
        poisoned = jobs.poisoned(connection)
    for job in poisoned:
        with engine.begin() as connection:
            studies.get(connection, job.study_id, lock=True)
            if jobs.lock_poisoned(connection, job.id):
                reason = f"set aside: its worker was lost {job.attempts} times; the last time: {job.reason or 'untold'}"
                end_job(connection, job, JobState.FAILED, reason=reason)
