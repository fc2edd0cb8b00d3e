"""What a study goes through once its search has ended: training in full, compression, test scoring, the end.

Each function works within its caller's transaction. It locks the study before its jobs, as cancelling does, so that two
transactions never wait for each other.
"""

import statistics
from collections.abc import Sequence

from sqlalchemy import Connection, func

from search.contract.recipes import Recipe, default_recipe
from search.contract.states import JobState, StudyState, TrialState
from search.pareto import front, losses_of, spread
from search.study.spec import StudySpec
from services.records.jobs import CompressionJob
from services.records.scorings import ScoringResult
from services.records.studies import Study
from services.records.trainings import Training
from services.records.trials import Trial
from services.store import jobs, recipe_searches, scorings, studies, trainings, trials, variants
from services.store.ids import new_id
from services.views import picks


def end_search(connection: Connection, study_id: str, *, reason: str | None) -> None:
    """End the search of a running study: queue what follows for its best trials, or fail it if none was completed.

    A study that was paused after its search goes on with the phase that it was in.
    """
    study = studies.get(connection, study_id, lock=True)
    if study.searched_at is not None:
        advance(connection, study_id)
        return
    spec = study.spec
    completed = trials.list_by_study(connection, study_id, [TrialState.COMPLETED])
    if not completed:
        studies.set_state(connection, study_id, StudyState.FAILED, reason=reason or "no trial was completed")
        return
    trained = [trial for trial in completed if trial.is_trained]
    for trial in best_trials(spec, trained, spec.retrain.top) if trained else ():
        epochs = spec.retrain.epochs or spec.epochs_for(trial.assignment)
        add_training(connection, trial, epochs=epochs, seeds=spec.retrain.seeds)
    studies.set_values(connection, study_id, searched_at=func.now(), reason=reason)
    advance(connection, study_id)


def add_training(connection: Connection, trial: Trial, *, epochs: int, seeds: int) -> Training:
    """Queue the full training of a trial's candidate."""
    return trainings.add(
        connection,
        training_id=new_id("training"),
        trial_id=trial.id,
        study_id=trial.study_id,
        epochs=epochs,
        seeds=seeds,
    )


def complete_training(connection: Connection, training_id: str) -> None:
    """End a training with the mean f1 of its seeds and the weights of its best seed, and advance its study.

    ConflictError if it has ended already.
    """
    training = trainings.get(connection, training_id)
    study = studies.get(connection, training.study_id, lock=True)
    _record_result(connection, training)
    if study.spec.dataset.test_fraction and (study.state is StudyState.COMPLETED or study.compressed_at is not None):
        scorings.add(connection, scoring_id=new_id("scoring"), study_id=study.id, trial_id=training.trial_id)
    advance(connection, training.study_id)


def end_for_changed_dataset(connection: Connection, study_id: str, reason: str) -> bool:
    """Fail a study whose search is over and whose images are no longer what it read, and cancel all that it waits for.

    Its searches for recipes stay open: they go on once the study does. False, and nothing is done, for a study that
    searches, whose driver notices by itself, and for one that is over or paused.
    """
    study = studies.get(connection, study_id, lock=True)
    if study.state is not StudyState.RUNNING or study.searched_at is None:
        return False
    trainings.cancel_all(connection, study_id, reason)
    jobs.cancel_all(connection, study_id, reason)
    scorings.cancel_all(connection, study_id, reason)
    studies.set_state(connection, study_id, StudyState.FAILED, reason=f"dataset: {reason}")
    return True


def fail_training(connection: Connection, training_id: str, reason: str) -> None:
    """End a training without a result, and advance its study. ConflictError if it has ended already."""
    training = trainings.get(connection, training_id)
    studies.get(connection, training.study_id, lock=True)
    trainings.end(connection, training_id, JobState.FAILED, reason=reason)
    advance(connection, training.study_id)


def _record_result(connection: Connection, training: Training) -> None:
    runs = trainings.runs(connection, training.id)
    f1 = [run.f1 for run in runs]
    mean, deviation = statistics.fmean(f1), statistics.stdev(f1) if len(f1) > 1 else 0.0
    trainings.complete(connection, training.id, f1=mean, f1_deviation=deviation)
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


def trial_completed(connection: Connection, spec: StudySpec, trial: Trial) -> None:
    """Queue the exported network of a completed probe: the first model of a study is there while it searches."""
    if not trial.is_trained and spec.compression.max_candidates:
        add_job(connection, trial, default_recipe("fp32"))


def add_job(connection: Connection, trial: Trial, recipe: Recipe) -> CompressionJob:
    """Queue a recipe for a trial's latest weights. ConflictError if these were collected."""
    weights = variants.get_weights(connection, trial.id)
    return jobs.add(
        connection,
        job_id=new_id("job"),
        trial_id=trial.id,
        study_id=trial.study_id,
        recipe=recipe.model_dump(mode="json"),
        weights_sha256=weights.sha256,
    )


def best_trials(spec: StudySpec, completed: Sequence[Trial], count: int) -> list[Trial]:
    """The most widely spread trials of the front, or the best by score, as ``compression.candidates`` says."""
    if spec.compression.candidates == "top":
        return sorted(completed, key=lambda trial: trial.metrics["score"])[:count]
    losses = losses_of(spec.objectives, [trial.metrics for trial in completed])
    on_front = front(losses)
    return [completed[on_front[position]] for position in spread(losses[on_front], count)]


def best_model(connection: Connection, study_id: str) -> tuple[Trial, str]:
    """The completed trial with the best f1, that of its full training where it has one, and its weights' sha256."""
    completed = trials.list_by_study(connection, study_id, [TrialState.COMPLETED])
    best = max(completed, key=lambda trial: trial.best_f1)
    return best, variants.get_weights(connection, best.id).sha256


def advance(connection: Connection, study_id: str) -> None:
    """Take a study whose search has ended to its next phase once the current one is done."""
    study = studies.get(connection, study_id, lock=True)
    if study.state is not StudyState.RUNNING or study.searched_at is None:
        return
    if study.retrained_at is None and not trainings.unfinished(connection, study_id):
        _queue_compression(connection, study.spec, study_id)
        studies.set_values(connection, study_id, retrained_at=func.now())
        study = studies.get(connection, study_id)
    compressing = jobs.unfinished(connection, study_id) or recipe_searches.unfinished(connection, study_id)
    if study.retrained_at is None or compressing:
        return
    if study.compressed_at is None:
        _queue_scoring(connection, study)
        studies.set_values(connection, study_id, compressed_at=func.now())
    if not scorings.unfinished(connection, study_id):
        studies.set_state(connection, study_id, StudyState.COMPLETED, reason=study.reason)


def _queue_scoring(connection: Connection, study: Study) -> None:
    """Have the picks scored on the test split, unless they were scored when the study ended before."""
    if not study.spec.dataset.test_fraction:
        reason = "the study has no test split: its dataset.test_fraction is 0"
        studies.set_values(connection, study.id, test_reason=reason)
    elif picks.variants_to_score(connection, study.id) or picks.trials_to_score(connection, study.id):
        scorings.add(connection, scoring_id=new_id("scoring"), study_id=study.id)


def complete_scoring(connection: Connection, scoring_id: str, attempt: int, result: ScoringResult) -> None:
    """Record what a scoring found, count the look at the test split, and advance its study.

    Nothing found is no look. LeaseLostError if the scoring has ended or a later attempt has it.
    """
    study_id = scorings.get(connection, scoring_id).study_id
    studies.get(connection, study_id, lock=True)
    scorings.hold(connection, scoring_id, attempt)
    for variant_id, scores in result.variants.items():
        variants.set_on_test(connection, variant_id, scores)
    for (trial_id, weights_sha256), scores in result.trials.items():
        # A full training that ended meanwhile has a scoring of its own.
        if variants.get_weights(connection, trial_id).sha256 == weights_sha256:
            trials.set_on_test(connection, trial_id, scores)
    if result.variants or result.trials:
        studies.count_test_look(connection, study_id)
        if result.test_id is not None:
            studies.set_test_id(connection, study_id, result.test_id)
    _end_scoring(connection, scoring_id, study_id, JobState.COMPLETED, reason=result.reason)


def fail_scoring(connection: Connection, scoring_id: str, reason: str) -> None:
    """End a scoring without a score, and advance its study. ConflictError if it has ended already."""
    study_id = scorings.get(connection, scoring_id).study_id
    studies.get(connection, study_id, lock=True)
    _end_scoring(connection, scoring_id, study_id, JobState.FAILED, reason=reason)


def _end_scoring(
    connection: Connection, scoring_id: str, study_id: str, target: JobState, *, reason: str | None
) -> None:
    scorings.end(connection, scoring_id, target, reason=reason)
    studies.set_values(connection, study_id, test_reason=reason)
    advance(connection, study_id)


def _queue_compression(connection: Connection, spec: StudySpec, study_id: str) -> None:
    """Queue recipes for the trials that were trained in full, best mean f1 first, or else for the search's best."""
    completed = trials.list_by_study(connection, study_id, [TrialState.COMPLETED])
    count = spec.compression.max_candidates
    retrained = [trial for trial in completed if trial.retrained_f1 is not None] if spec.retrain.top else []
    retrained.sort(key=lambda trial: -trial.best_f1)
    for trial in retrained[:count] or best_trials(spec, completed, count):
        if spec.compression.recipes == "search":
            _add_recipe_search(connection, trial)
            continue
        for recipe in spec.compression.recipes:
            add_job(connection, trial, recipe)


def _add_recipe_search(connection: Connection, trial: Trial) -> None:
    recipe_searches.add(
        connection,
        search_id=new_id("recipes"),
        trial_id=trial.id,
        study_id=trial.study_id,
        weights_sha256=variants.get_weights(connection, trial.id).sha256,
    )


def hold_job(connection: Connection, job: CompressionJob, token: str) -> None:
    """Lock a compression job to write its result. LeaseLostError if ``token`` no longer holds it."""
    studies.get(connection, job.study_id, lock=True)
    jobs.hold(connection, job.id, token)


def end_job(connection: Connection, job: CompressionJob, target: JobState, *, reason: str | None = None) -> None:
    """End a compression job that is held, and advance its study."""
    jobs.end(connection, job.id, target, reason=reason)
    advance(connection, job.study_id)


def fail_abandoned_job(connection: Connection, job: CompressionJob) -> None:
    """Fail a job that lost every pool that leased it, unless that has changed meanwhile, and advance its study."""
    studies.get(connection, job.study_id, lock=True)
    if jobs.lock_abandoned(connection, job.id):
        reason = f"set aside: its worker was lost {job.attempts} times; the last time: {job.reason or 'untold'}"
        end_job(connection, job, JobState.FAILED, reason=reason)
