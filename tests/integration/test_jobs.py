"""Compression jobs: a queue that several workers share and that survives each of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, func, update

from search.contract.recipes import default_recipe
from search.contract.states import JobState, StudyState, TrialState
from services.errors import ConflictError, LeaseLostError
from services.store import events, jobs, studies, totals
from services.store.tables import compression_jobs
from services.studies import commands, life_cycle
from tests.integration.records import end_scoring, make_study, make_trial


@pytest.fixture
def study_id(engine: Engine) -> str:
    return make_study(engine, compression={"recipes": ["fp32"]})


def _expire_leases(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(compression_jobs).values(lease_expires_at=func.now()))


def _lease(engine: Engine, token: str) -> str | None:
    with engine.begin() as connection:
        job = jobs.lease(connection, token, lease_s=60)
    return job.id if job is not None else None


def _fail_abandoned(engine: Engine) -> int:
    """As a pool does in each round; how many jobs were abandoned."""
    with engine.begin() as connection:
        abandoned = jobs.abandoned(connection)
        for job in abandoned:
            life_cycle.fail_abandoned_job(connection, job)
    return len(abandoned)


def test_the_same_recipe_is_queued_once_a_trial(engine: Engine, study_id: str) -> None:
    trial_id = make_trial(engine, study_id)
    first = commands.compress(engine, trial_id, default_recipe("static-int8"))
    assert commands.compress(engine, trial_id, default_recipe("static-int8")).id == first.id
    assert commands.compress(engine, trial_id, default_recipe("fp32")).id != first.id


def test_only_a_completed_trial_can_be_compressed(engine: Engine, study_id: str) -> None:
    trial_id = make_trial(engine, study_id, TrialState.FAILED)
    with pytest.raises(ConflictError, match="FAILED"):
        commands.compress(engine, trial_id, default_recipe("fp32"))


def test_workers_that_lease_at_once_get_different_jobs(engine: Engine, study_id: str) -> None:
    for _ in range(20):
        commands.compress(engine, make_trial(engine, study_id), default_recipe("fp32"))
    with ThreadPoolExecutor(8) as pool:
        leased = list(pool.map(lambda number: _lease(engine, f"worker-{number}"), range(20)))
    assert None not in leased
    assert len(set(leased)) == 20


def test_a_lost_workers_job_is_taken_up_again_and_its_late_word_counts_for_nothing(
    engine: Engine, study_id: str
) -> None:
    commands.compress(engine, make_trial(engine, study_id), default_recipe("fp32"))
    job_id = _lease(engine, "lost")
    assert job_id is not None
    assert _lease(engine, "other") is None
    _expire_leases(engine)
    assert _lease(engine, "other") == job_id
    with engine.begin() as connection, pytest.raises(LeaseLostError):
        jobs.hold(connection, job_id, "lost")
    with engine.begin() as connection:
        jobs.hold(connection, job_id, "other")
        assert jobs.get(connection, job_id).attempts == 2
        (lost,) = [row for row in totals.list_overall(connection) if row.name == "leases_lost"]
    assert (lost.label, lost.amount) == ("compression", 1)


def test_a_job_that_loses_every_worker_is_set_aside_and_its_study_goes_on(engine: Engine, study_id: str) -> None:
    make_trial(engine, study_id)
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
    job_id = _lease(engine, "one")
    assert job_id is not None
    for worker in ("two", "three"):
        _expire_leases(engine)
        assert _lease(engine, worker) == job_id
    assert _fail_abandoned(engine) == 0
    with engine.connect() as connection:
        assert jobs.get(connection, job_id).state is JobState.RUNNING
    _expire_leases(engine)
    assert _lease(engine, "four") is None
    assert _fail_abandoned(engine) == 1
    end_scoring(engine, study_id)
    with engine.connect() as connection:
        job, study = jobs.get(connection, job_id), studies.get(connection, study_id)
    assert job.state is JobState.FAILED
    assert "its worker was lost 3 times" in (job.reason or "")
    assert study.state is StudyState.COMPLETED


def test_a_job_that_waits_for_a_place_says_so_once(engine: Engine, study_id: str) -> None:
    trial_id = make_trial(engine, study_id)
    commands.compress(engine, trial_id, default_recipe("fp32"))
    for _ in range(2):
        with engine.begin() as connection:
            jobs.explain_waiting(connection, "no node offers a place")
    with engine.connect() as connection:
        happened = events.list_after(connection, study_id, 0, limit=100)
        (job,) = jobs.of_trial(connection, trial_id)
    payloads = [event.payload for event in happened if event.kind == "compression"]
    assert [payload.get("reason") for payload in payloads] == [None, "no node offers a place"]
    assert (job.state, job.reason) == (JobState.QUEUED, "no node offers a place")


def test_jobs_of_a_paused_study_wait(engine: Engine, study_id: str) -> None:
    commands.compress(engine, make_trial(engine, study_id), default_recipe("fp32"))
    commands.pause(engine, study_id)
    assert _lease(engine, "worker") is None
    commands.resume(engine, study_id)
    assert _lease(engine, "worker") is not None


def test_a_recipe_for_a_trial_of_a_finished_study_is_queued(engine: Engine) -> None:
    study_id = make_study(engine, StudyState.RUNNING)
    trial_id = make_trial(engine, study_id)
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
    while (job_id := _lease(engine, "worker")) is not None:
        with engine.begin() as connection:
            life_cycle.end_job(connection, jobs.get(connection, job_id), JobState.COMPLETED)
    end_scoring(engine, study_id)
    commands.compress(engine, trial_id, default_recipe("fp32").model_copy(update={"name": "another"}))
    assert _lease(engine, "worker") is not None
