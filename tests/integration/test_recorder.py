"""The recorder: one writer per study, and the next driver takes over what a lost one leaves."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from search.contract.candidate import Candidate, Enqueued
from search.contract.reports import CompletedTrial, FailedTrial
from search.contract.states import JobState, StudyState, TrialState
from search.contract.trials import TrialRole
from services.errors import ConflictError, LeaseLostError
from services.jobs.recorder import MAX_RULED_OUT, MAX_RUNS_AGAIN, Recorder
from services.storage.artifacts import ArtifactStore
from services.store import events, jobs, studies, totals, trials, variants
from services.studies import commands
from tests.integration.records import CANDIDATE, MEASUREMENT, make_study, make_trial
from tests.server import wait_for


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path)


def _start(recorder: Recorder) -> str:
    candidate = Candidate.model_validate(CANDIDATE)
    return recorder.started(assignment={"width": 8}, candidate=candidate, metrics={"macs": 1}, enqueued=None)


def test_a_new_driver_takes_over_and_the_old_one_writes_nothing_more(engine: Engine, artifacts: ArtifactStore) -> None:
    study_id = make_study(engine, StudyState.QUEUED)
    old = Recorder(engine, artifacts, study_id)
    trial_id = _start(old)
    new = Recorder(engine, artifacts, study_id)
    old.ended(trial_id, CompletedTrial(measurement=MEASUREMENT))
    with pytest.raises(LeaseLostError):
        _start(old)
    with engine.connect() as connection:
        assert trials.get(connection, trial_id).state is TrialState.CANCELLED
    wait_for(lambda: old.lease_lost, timeout_s=10, what="the old driver to notice")
    assert not old.accepts_more()
    assert [queued.assignment for queued in new.enqueued().values()] == [{"width": 8}]
    old.close()
    new.close()


def test_a_cut_off_trial_uses_no_budget_and_is_run_first(engine: Engine, artifacts: ArtifactStore) -> None:
    study_id = make_study(engine, budget={"max_trials": 3})
    make_trial(engine, study_id)
    make_trial(engine, study_id, TrialState.RUNNING)
    recorder = Recorder(engine, artifacts, study_id)
    assert recorder.remaining() == 2
    (queue_id,) = recorder.enqueued()
    candidate = Candidate.model_validate(CANDIDATE)
    recorder.started(assignment={"width": 8}, candidate=candidate, metrics={}, enqueued=queue_id)
    assert recorder.enqueued() == {}
    assert recorder.remaining() == 1
    recorder.close()


def test_a_trial_has_the_role_it_was_queued_with_whatever_becomes_of_its_driver(
    engine: Engine, artifacts: ArtifactStore
) -> None:
    study_id = make_study(engine, StudyState.QUEUED)
    with engine.begin() as connection:
        studies.enqueue(connection, "queued", study_id, Enqueued(assignment={"width": 8}, role=TrialRole.PLAIN))
    candidate = Candidate.model_validate(CANDIDATE)
    old = Recorder(engine, artifacts, study_id)
    cut_off = old.started(assignment={"width": 8}, candidate=candidate, metrics={}, enqueued="queued")
    new = Recorder(engine, artifacts, study_id)
    ((queue_id, queued),) = new.enqueued().items()
    assert queued.role is TrialRole.PLAIN
    again = new.started(assignment=queued.assignment, candidate=candidate, metrics={}, enqueued=queue_id)
    new.run_again_on_whole_gpu(again, "its memory was full")
    ((queue_id, queued),) = new.enqueued().items()
    assert (queued.role, queued.whole_gpu) == (TrialRole.PLAIN, True)
    last = new.started(assignment=queued.assignment, candidate=candidate, metrics={}, enqueued=queue_id)
    new.ended(last, FailedTrial(reason="it broke"))
    commands.retry(engine, last)
    assert [trial.role for trial in new.history] == [TrialRole.PLAIN]
    with engine.connect() as connection:
        plain = trials.list_by_role(connection, study_id, TrialRole.PLAIN)
        (retried,) = studies.enqueued(connection, study_id).values()
    assert [trial.id for trial in plain] == [cut_off, again, last]
    assert retried.role is TrialRole.PLAIN
    old.close()
    new.close()


def _run_queued(recorder: Recorder) -> str:
    """Start the trial that waits first."""
    queue_id, queued = next(iter(recorder.enqueued().items()))
    candidate = Candidate.model_validate(CANDIDATE)
    return recorder.started(assignment=queued.assignment, candidate=candidate, metrics={}, enqueued=queue_id)


def test_lost_workers_are_counted_on_the_trial_whatever_becomes_of_its_driver(
    engine: Engine, artifacts: ArtifactStore
) -> None:
    study_id = make_study(engine, StudyState.QUEUED, budget={"max_trials": 1})
    recorder = Recorder(engine, artifacts, study_id)
    trial_id = _start(recorder)
    for _ in range(MAX_RUNS_AGAIN):
        recorder.worker_lost(trial_id, "it was killed")
        assert recorder.remaining() == 1
        recorder.close()
        cut_off = _run_queued(recorder)
        recorder = Recorder(engine, artifacts, study_id)
        with engine.connect() as connection:
            assert trials.get(connection, cut_off).state is TrialState.CANCELLED
        trial_id = _run_queued(recorder)
    recorder.worker_lost(trial_id, "it was killed")
    assert (recorder.remaining(), recorder.enqueued()) == (0, {})
    with engine.connect() as connection:
        poisoned = trials.get(connection, trial_id)
    assert (poisoned.state, poisoned.workers_lost) == (TrialState.FAILED, MAX_RUNS_AGAIN)
    assert (poisoned.reason or "").startswith("poisoned: its worker was lost 4 times")
    recorder.close()


def test_an_interruption_counts_against_the_trial_that_caused_it_only(engine: Engine, artifacts: ArtifactStore) -> None:
    recorder = Recorder(engine, artifacts, make_study(engine, budget={"max_trials": 2}))
    cause, _ = _start(recorder), _start(recorder)
    recorder.interrupted("the node ran low on memory", lost={cause})
    assert recorder.remaining() == 2
    assert [queued.workers_lost for queued in recorder.enqueued().values()] == [1, 0]
    recorder.close()


def test_a_queued_trial_that_a_limit_rules_out_is_off_the_queue(engine: Engine, artifacts: ArtifactStore) -> None:
    study_id = make_study(engine)
    with engine.begin() as connection:
        studies.enqueue(connection, "queued", study_id, Enqueued(assignment={"width": 8}, role=TrialRole.PLAIN))
    recorder = Recorder(engine, artifacts, study_id)
    candidate = Candidate.model_validate(CANDIDATE)
    recorder.infeasible(assignment={}, candidate=candidate, metrics={}, reason="macs 9 is too many", enqueued="queued")
    assert recorder.enqueued() == {}
    assert [(trial.role, trial.state) for trial in recorder.history] == [(TrialRole.PLAIN, TrialState.INFEASIBLE)]
    recorder.close()


def test_a_completed_trial_has_its_weights(engine: Engine, artifacts: ArtifactStore) -> None:
    recorder = Recorder(engine, artifacts, make_study(engine))
    trial_id = _start(recorder)
    recorder.ended(trial_id, CompletedTrial(measurement=MEASUREMENT, files={"weights": b"weights"}))
    with engine.connect() as connection:
        assert artifacts.get(variants.get_weights(connection, trial_id).sha256) == b"weights"
    recorder.close()


@pytest.mark.parametrize(("role", "queued"), [(TrialRole.PROBE, ["fp32"]), (TrialRole.PLAIN, []), (None, [])])
def test_a_completed_probe_is_exported_at_once(
    engine: Engine, artifacts: ArtifactStore, role: TrialRole | None, queued: list[str]
) -> None:
    study_id = make_study(engine)
    with engine.begin() as connection:
        studies.enqueue(connection, "queued", study_id, Enqueued(assignment={"width": 8}, role=role))
    recorder = Recorder(engine, artifacts, study_id)
    candidate = Candidate.model_validate(CANDIDATE)
    trial_id = recorder.started(assignment={"width": 8}, candidate=candidate, metrics={}, enqueued="queued")
    recorder.ended(trial_id, CompletedTrial(measurement=MEASUREMENT, files={"weights": b"weights"}))
    with engine.connect() as connection:
        waiting = jobs.of_trial(connection, trial_id)
    assert [(job.recipe["name"], job.state) for job in waiting] == [(name, JobState.QUEUED) for name in queued]
    recorder.close()


def test_no_probe_is_exported_where_nothing_is_to_be_compressed(engine: Engine, artifacts: ArtifactStore) -> None:
    study_id = make_study(engine, compression={"max_candidates": 0})
    with engine.begin() as connection:
        studies.enqueue(connection, "queued", study_id, Enqueued(assignment={"width": 8}, role=TrialRole.PROBE))
    recorder = Recorder(engine, artifacts, study_id)
    candidate = Candidate.model_validate(CANDIDATE)
    trial_id = recorder.started(assignment={"width": 8}, candidate=candidate, metrics={}, enqueued="queued")
    recorder.ended(trial_id, CompletedTrial(measurement=MEASUREMENT, files={"weights": b"weights"}))
    with engine.connect() as connection:
        assert jobs.of_trial(connection, trial_id) == []
    recorder.close()


def test_failures_in_a_row_end_the_search_and_a_success_in_between_does_not(
    engine: Engine, artifacts: ArtifactStore
) -> None:
    recorder = Recorder(engine, artifacts, make_study(engine, budget={"max_failures": 2}))
    failed = FailedTrial(reason="it broke")
    for result in (failed, CompletedTrial(measurement=MEASUREMENT), failed):
        recorder.ended(_start(recorder), result)
        assert recorder.accepts_more()
    recorder.ended(_start(recorder), FailedTrial(reason="Traceback\nValueError: it broke"))
    assert not recorder.accepts_more()
    assert recorder.stop_reason() == "2 trials failed in a row; the last one: ValueError: it broke"
    recorder.close()


def test_a_result_for_a_cancelled_study_is_discarded(engine: Engine, artifacts: ArtifactStore) -> None:
    study_id = make_study(engine)
    recorder = Recorder(engine, artifacts, study_id)
    trial_id = _start(recorder)
    commands.cancel(engine, study_id)
    recorder.ended(trial_id, CompletedTrial(measurement=MEASUREMENT))
    with engine.connect() as connection:
        assert trials.get(connection, trial_id).state is TrialState.CANCELLED
    recorder.close()


def test_a_budget_that_is_raised_meanwhile_is_noticed(engine: Engine, artifacts: ArtifactStore) -> None:
    study_id = make_study(engine, budget={"max_trials": 1})
    recorder = Recorder(engine, artifacts, study_id)
    _start(recorder)
    assert not recorder.accepts_more()
    commands.extend(engine, study_id, max_trials=2, max_minutes=None)
    wait_for(recorder.accepts_more, timeout_s=10, what="the raised budget")
    recorder.close()


def test_time_is_short_only_where_the_minutes_look_like_running_out_first(
    engine: Engine, artifacts: ArtifactStore
) -> None:
    minutes = Recorder(engine, artifacts, make_study(engine, budget={"max_trials": 1000, "max_minutes": 1}))
    assert minutes.time_is_short()
    few = Recorder(engine, artifacts, make_study(engine, budget={"max_trials": 2, "max_minutes": 100}))
    _start(few)
    assert not few.time_is_short()
    _start(minutes)
    wait_for(minutes.time_is_short, timeout_s=10, what="a pace of less than 999 trials a minute")
    unlimited = Recorder(engine, artifacts, make_study(engine, budget={"max_trials": 1000}))
    assert not unlimited.time_is_short()
    for recorder in (minutes, few, unlimited):
        recorder.close()


@pytest.mark.parametrize("state", [StudyState.PAUSED, StudyState.COMPLETED, StudyState.CANCELLED])
def test_there_is_nothing_to_search_in_a_study_that_is_not_queued_or_running(
    engine: Engine, artifacts: ArtifactStore, state: StudyState
) -> None:
    study_id = make_study(engine, state)
    with pytest.raises(ConflictError, match="nothing to search"):
        Recorder(engine, artifacts, study_id)
    with engine.connect() as connection:
        assert studies.get(connection, study_id).state is state


def test_what_is_ruled_out_before_it_runs_costs_no_budget_until_it_is_all_there_is(
    engine: Engine, artifacts: ArtifactStore
) -> None:
    study_id = make_study(engine, budget={"max_trials": 1})
    recorder = Recorder(engine, artifacts, study_id)
    candidate = Candidate.model_validate(CANDIDATE)
    for _ in range(MAX_RULED_OUT):
        assert recorder.remaining() == 1
        assert recorder.accepts_more()
        recorder.sampled(0.5)
        recorder.infeasible(
            assignment={}, candidate=candidate, metrics={"macs": 9}, reason="macs 9 is too many", enqueued=None
        )
    assert not recorder.accepts_more()
    assert recorder.stop_reason() == "200 candidates in a row were ruled out before training: macs 9 is too many"
    with engine.connect() as connection:
        assert studies.get_with_progress(connection, study_id)[1].spent == 0
        (sampled,) = [row for row in totals.list_overall(connection) if row.name == "sampler_seconds"]
    assert sampled.amount == 0.5 * MAX_RULED_OUT
    recorder.close()


def test_a_connection_that_breaks_in_a_transaction_says_so(engine: Engine) -> None:
    study_id = make_study(engine)

    def break_it() -> None:
        with engine.begin() as connection, engine.connect() as another:
            events.emit(connection, study_id, "note", {})
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            another.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
            connection.execute(text("SELECT 1"))

    with pytest.raises(OperationalError):
        break_it()
