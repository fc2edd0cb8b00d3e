"""Trainings in the record: queued, written under their attempt, and what becomes of their study."""

from typing import Any

import pytest
from sqlalchemy import Engine

from search.contract.recipes import default_recipe
from search.contract.states import JobState, StudyState, TrialState
from search.contract.trials import TrialRole
from services.errors import ConflictError, LeaseLostError
from services.records.trainings import Training, TrainingRun
from services.store import events, jobs, studies, trainings, trials, variants
from services.studies import commands, life_cycle
from tests.integration.records import EPOCH, end_scoring, make_study, make_trial

RETRAIN: dict[str, Any] = {
    "retrain": {"top": 2, "seeds": 2, "epochs": 7},
    "compression": {"candidates": "top", "recipes": ["fp32"]},
}


def searched_study(engine: Engine) -> tuple[str, list[str]]:
    """A study with three trials, the last the best by score, whose search has just ended."""
    study_id = make_study(engine, **RETRAIN)
    trial_ids = [make_trial(engine, study_id, score=score) for score in (0.3, 0.2, 0.1)]
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
    return study_id, trial_ids


def open_trainings(engine: Engine, trial_ids: list[str]) -> dict[str, Training]:
    with engine.connect() as connection:
        by_trial = trainings.of_trials(connection, trial_ids)
    return {trial_id: listed[0] for trial_id, listed in by_trial.items() if listed}


def complete(engine: Engine, training_id: str, f1: tuple[float, ...]) -> None:
    with engine.begin() as connection:
        trainings.record_submission(connection, training_id, 0, 1)
        trainings.begin(connection, training_id)
        for seed, value in enumerate(f1):
            run = TrainingRun(
                seed=seed,
                f1=value,
                accuracy=value,
                per_class_f1=[value],
                confusion=[[1]],
                weights_sha256=f"{seed + 1:064x}",
                weights_size_bytes=4,
            )
            trainings.add_run(connection, training_id, run)
        life_cycle.complete_training(connection, training_id)


def state_of(engine: Engine, study_id: str) -> StudyState:
    with engine.connect() as connection:
        return StudyState(studies.get(connection, study_id).state)


def test_the_best_are_trained_in_full_and_then_compressed_with_their_best_weights(engine: Engine) -> None:
    study_id, trial_ids = searched_study(engine)
    queued = open_trainings(engine, trial_ids)
    assert set(queued) == set(trial_ids[1:])
    assert {(row.epochs, row.seeds, row.state) for row in queued.values()} == {(7, 2, "QUEUED")}
    complete(engine, queued[trial_ids[1]].id, (0.9, 0.8))
    with engine.connect() as connection:
        assert not jobs.unfinished(connection, study_id)
    complete(engine, queued[trial_ids[2]].id, (0.6, 0.7))
    with engine.begin() as connection:
        row = trials.get(connection, trial_ids[1])
        assert row.retrained_f1 == pytest.approx(0.85)
        assert row.retrained_f1_deviation == pytest.approx(0.0707, abs=1e-4)
        leased = [jobs.lease(connection, "token", lease_s=30) for _ in range(3)]
    assert leased[2] is None
    assert [(job.trial_id, job.weights_sha256) for job in leased[:2] if job] == [
        (trial_ids[1], f"{1:064x}"),
        (trial_ids[2], f"{2:064x}"),
    ]
    assert state_of(engine, study_id) is StudyState.RUNNING
    for job in leased[:2]:
        assert job is not None
        with engine.begin() as connection:
            life_cycle.end_job(connection, job, JobState.COMPLETED)
    end_scoring(engine, study_id)
    assert state_of(engine, study_id) is StudyState.COMPLETED


def test_trainings_that_fail_leave_the_best_of_the_search_to_compress(engine: Engine) -> None:
    study_id, trial_ids = searched_study(engine)
    for row in open_trainings(engine, trial_ids).values():
        with engine.begin() as connection:
            life_cycle.fail_training(connection, row.id, "for a test")
    with engine.connect() as connection:
        assert studies.get_with_progress(connection, study_id)[1].compression == {JobState.QUEUED: 3}


def test_a_training_asked_for_later_changes_no_study(engine: Engine) -> None:
    study_id = make_study(engine, StudyState.COMPLETED)
    trial_id = make_trial(engine, study_id)
    complete(engine, commands.train(engine, trial_id, epochs=3, seeds=1).id, (0.95,))
    assert state_of(engine, study_id) is StudyState.COMPLETED
    with engine.connect() as connection:
        assert variants.get_weights(connection, trial_id).sha256 == f"{1:064x}"
        assert trials.get(connection, trial_id).retrained_f1_deviation == 0.0


def test_the_same_recipe_is_queued_again_for_other_weights(engine: Engine) -> None:
    trial_id = make_trial(engine, make_study(engine, StudyState.COMPLETED))
    first = commands.compress(engine, trial_id, default_recipe("fp32"))
    assert commands.compress(engine, trial_id, default_recipe("fp32")).id == first.id
    complete(engine, commands.train(engine, trial_id, epochs=3, seeds=1).id, (0.95,))
    assert commands.compress(engine, trial_id, default_recipe("fp32")).id != first.id


def test_a_lost_attempt_writes_nothing_more_and_one_that_got_further_is_not_counted(engine: Engine) -> None:
    trial_id = make_trial(engine, make_study(engine))
    training_id = commands.train(engine, trial_id, epochs=3, seeds=1).id
    with engine.begin() as connection:
        trainings.record_submission(connection, training_id, 0, 1)
        trainings.add_epoch(connection, trainings.hold(connection, training_id, 1), 0, EPOCH)
    with engine.begin() as connection:
        trainings.record_submission(connection, training_id, 1, 2)
        assert [(row.attempts, row.lost) for row in trainings.to_run(connection)] == [(2, 1)]
    with engine.begin() as connection, pytest.raises(LeaseLostError):
        trainings.hold(connection, training_id, 1)


def test_an_epoch_that_a_checkpoint_brings_again_is_no_progress(engine: Engine) -> None:
    training_id = commands.train(engine, make_trial(engine, make_study(engine)), epochs=3, seeds=1).id
    for attempt in (1, 2):
        with engine.begin() as connection:
            trainings.record_submission(connection, training_id, attempt - 1, attempt)
            trainings.add_epoch(connection, trainings.hold(connection, training_id, attempt), 0, EPOCH)
    with engine.begin() as connection:
        assert [(row.attempts, row.lost) for row in trainings.to_run(connection)] == [(2, 1)]
        assert len(trainings.curves(connection, training_id)) == 1


def test_cancelling_a_study_cancels_its_trainings_and_pausing_holds_them_back(engine: Engine) -> None:
    study_id = make_study(engine)
    training_id = commands.train(engine, make_trial(engine, study_id), epochs=3, seeds=1).id
    commands.pause(engine, study_id)
    with engine.connect() as connection:
        assert [task.may_run for task in trainings.to_run(connection)] == [False]
    commands.cancel(engine, study_id)
    with engine.connect() as connection:
        assert trainings.get(connection, training_id).state is JobState.CANCELLED


def test_what_never_ran_is_not_trained_in_full(engine: Engine) -> None:
    trial_id = make_trial(engine, make_study(engine), TrialState.INFEASIBLE)
    with pytest.raises(ConflictError, match="INFEASIBLE: only trials that ran"):
        commands.train(engine, trial_id, epochs=3, seeds=1)


def test_a_probe_is_not_trained_in_full(engine: Engine) -> None:
    study_id = make_study(engine, **RETRAIN)
    probe = make_trial(engine, study_id, role=TrialRole.PROBE, score=0.0)
    with pytest.raises(ConflictError, match="is a probe, whose classifier is solved and not trained"):
        commands.train(engine, probe, epochs=3, seeds=1)
    plain = make_trial(engine, study_id, role=TrialRole.PLAIN)
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
    assert open_trainings(engine, [probe, plain]).keys() == {plain}


def test_a_study_of_which_only_the_probe_was_completed_compresses_it(engine: Engine) -> None:
    study_id = make_study(engine, **RETRAIN)
    probe = make_trial(engine, study_id, role=TrialRole.PROBE)
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
    with engine.connect() as connection:
        assert [job.recipe["name"] for job in jobs.of_trial(connection, probe)] == ["fp32"]


def test_an_attempt_is_noted_once_and_again_only_under_its_own_number(engine: Engine) -> None:
    training_id = commands.train(engine, make_trial(engine, make_study(engine)), epochs=3, seeds=1).id
    with engine.begin() as connection:
        assert trainings.record_submission(connection, training_id, 0, 1)
        assert not trainings.record_submission(connection, training_id, 0, 1)
        assert trainings.record_submission(connection, training_id, 1, 1)
        trainings.begin(connection, training_id)
        assert [(row.state, row.attempts) for row in trainings.to_run(connection)] == [(JobState.RUNNING, 1)]


def test_a_training_tells_of_every_change_of_its_state_and_ends_once(engine: Engine) -> None:
    study_id = make_study(engine)
    training_id = commands.train(engine, make_trial(engine, study_id), epochs=3, seeds=1).id
    with engine.begin() as connection:
        trainings.record_submission(connection, training_id, 0, 1)
        trainings.begin(connection, training_id)
    with engine.begin() as connection, pytest.raises(ConflictError, match="RUNNING: it cannot become RUNNING"):
        trainings.begin(connection, training_id)
    with engine.begin() as connection:
        trainings.record_submission(connection, training_id, 1, 2)
        life_cycle.fail_training(connection, training_id, "for a test")
    with engine.begin() as connection, pytest.raises(ConflictError, match="FAILED: it cannot become COMPLETED"):
        trainings.complete(connection, training_id, f1=0.9, f1_deviation=0.0)
    with engine.connect() as connection:
        happened = events.list_after(connection, study_id, 0, limit=100)
    states = [event.payload["state"] for event in happened if event.kind == "training"]
    assert states == ["QUEUED", "RUNNING", "QUEUED", "FAILED"]
