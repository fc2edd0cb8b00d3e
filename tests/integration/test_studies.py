"""Studies in the record: created once, changed in one place, ended once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import IntegrityError

from search.contract.states import JobState, StudyState, TrialState
from services.errors import ConflictError, KeyReusedError, NotFoundError, RejectedError
from services.store import events, jobs, studies, trials
from services.store.tables import trials as trials_table
from services.studies import commands, life_cycle
from services.views import studies as study_views
from tests.integration.records import end_scoring, make_spec, make_study, make_trial


def _state(engine: Engine, study_id: str) -> StudyState:
    with engine.connect() as connection:
        return StudyState(studies.get(connection, study_id).state)


def test_fifty_posts_with_one_key_make_one_study(engine: Engine) -> None:
    spec = make_spec()
    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(lambda _: commands.create(engine, spec, idempotency_key="key").id, range(50)))
    assert len(ids) == 1
    with engine.connect() as connection:
        assert len(studies.list_with_progress(connection, state=None, before_id=None, limit=100)) == 1


def test_a_key_with_another_body_is_refused(engine: Engine) -> None:
    commands.create(engine, make_spec(), idempotency_key="key")
    with pytest.raises(KeyReusedError, match="new key"):
        commands.create(engine, make_spec(name="other"), idempotency_key="key")


def test_a_cancelled_study_stays_cancelled_with_all_that_belongs_to_it(engine: Engine) -> None:
    study_id = make_study(engine)
    running, done = make_trial(engine, study_id, TrialState.RUNNING), make_trial(engine, study_id)
    with engine.begin() as connection:
        job_id = jobs.add(
            connection, job_id="job", trial_id=done, study_id=study_id, recipe={"name": "fp32"}, weights_sha256="0" * 64
        ).id
    commands.cancel(engine, study_id)
    for change in (commands.pause, commands.resume, commands.cancel):
        with pytest.raises(ConflictError):
            change(engine, study_id)
    with pytest.raises(ConflictError, match="post a new one"):
        commands.extend(engine, study_id, max_trials=100, max_minutes=None)
    with engine.connect() as connection:
        assert trials.get(connection, running).state is TrialState.CANCELLED
        assert trials.get(connection, done).state is TrialState.COMPLETED
        assert jobs.get(connection, job_id).state is JobState.CANCELLED


def test_a_trial_ends_once(engine: Engine) -> None:
    trial_id = make_trial(engine, make_study(engine))
    for state in TrialState:
        with (
            engine.begin() as connection,
            pytest.raises(ConflictError, match=f"is COMPLETED: it cannot become {state}"),
        ):
            trials.end(connection, trial_id, state, reason="again")


@pytest.mark.parametrize("f1", [float("nan"), 1.5, -0.1])
def test_the_database_refuses_an_impossible_f1(engine: Engine, f1: float) -> None:
    trial_id = make_trial(engine, make_study(engine))
    with engine.begin() as connection, pytest.raises(IntegrityError, match="ck_trials_f1"):
        connection.execute(update(trials_table).where(trials_table.c.id == trial_id).values(f1=f1))


def test_every_change_of_state_leaves_an_event_in_order(engine: Engine) -> None:
    study_id = make_study(engine)
    commands.pause(engine, study_id)
    commands.resume(engine, study_id)
    commands.cancel(engine, study_id)
    with engine.connect() as connection:
        states = [event.payload["state"] for event in events.list_after(connection, study_id, 0, limit=100)]
    assert states == ["QUEUED", "RUNNING", "PAUSED", "QUEUED", "CANCELLED"]


def test_events_of_parallel_writers_commit_in_the_order_of_their_ids(engine: Engine) -> None:
    study_id = make_study(engine)
    seen: list[int] = []

    def write(number: int) -> None:
        with engine.begin() as connection:
            events.emit(connection, study_id, "note", {"number": number})
        with engine.connect() as connection:
            ids = [event.id for event in events.list_after(connection, study_id, 0, limit=1000)]
        seen.append(len(ids))
        assert ids == sorted(ids)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(64)))
    with engine.connect() as connection:
        assert len(events.list_after(connection, study_id, 0, limit=1000)) == 64 + 2
    assert max(seen) == 66


def test_a_search_that_ends_queues_the_front_and_completes_once_its_picks_were_scored(engine: Engine) -> None:
    study_id = make_study(engine, compression={"recipes": ["fp32", "static-int8"], "max_candidates": 2})
    good = make_trial(engine, study_id, f1=0.9, latency_ms=0.2)
    fast = make_trial(engine, study_id, f1=0.8, latency_ms=0.1, latency_low_ms=0.1, latency_high_ms=0.1)
    make_trial(engine, study_id, f1=0.7, latency_ms=0.3)
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
        queued = [jobs.lease(connection, "token", lease_s=60) for _ in range(4)]
        assert jobs.lease(connection, "token", lease_s=60) is None
    assert {job.trial_id for job in queued if job} == {good, fast}
    for job in queued:
        assert _state(engine, study_id) is StudyState.RUNNING
        with engine.begin() as connection:
            assert job is not None
            life_cycle.hold_job(connection, job, "token")
            life_cycle.end_job(connection, job, JobState.COMPLETED)
    assert _state(engine, study_id) is StudyState.RUNNING
    end_scoring(engine, study_id)
    assert _state(engine, study_id) is StudyState.COMPLETED


def test_a_search_without_a_completed_trial_fails_and_says_why(engine: Engine) -> None:
    study_id = make_study(engine)
    make_trial(engine, study_id, TrialState.FAILED)
    with engine.begin() as connection:
        life_cycle.end_search(connection, study_id, reason=None)
        study = studies.get(connection, study_id)
    assert (study.state, study.reason) == (StudyState.FAILED, "no trial was completed")


def test_extending_reopens_an_ended_study_and_never_lowers_the_budget(engine: Engine) -> None:
    study_id = make_study(engine, StudyState.COMPLETED)
    with pytest.raises(RejectedError, match=r"budget.max_trials: can only be raised from 20, got 5"):
        commands.extend(engine, study_id, max_trials=5, max_minutes=None)
    commands.extend(engine, study_id, max_trials=30, max_minutes=None)
    with engine.connect() as connection:
        study = studies.get(connection, study_id)
    assert (study.state, study.spec.budget.max_trials) == (StudyState.QUEUED, 30)


def test_a_failed_trial_is_run_again_beyond_the_budget_and_a_completed_one_is_not(engine: Engine) -> None:
    study_id = make_study(engine)
    failed, completed = make_trial(engine, study_id, TrialState.FAILED), make_trial(engine, study_id)
    commands.retry(engine, failed)
    with pytest.raises(ConflictError, match="COMPLETED"):
        commands.retry(engine, completed)
    with engine.connect() as connection:
        assert [queued.assignment for queued in studies.enqueued(connection, study_id).values()] == [{"width": 8}]
        assert studies.get(connection, study_id).spec.budget.max_trials == 21


def test_what_is_not_there_is_named(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="no study 'nothing'"):
        commands.pause(engine, "nothing")
    with pytest.raises(NotFoundError, match="no trial 'nothing'"):
        commands.retry(engine, "nothing")


def test_a_study_names_its_last_event(engine: Engine) -> None:
    study_id, other_id = make_study(engine), make_study(engine)
    with engine.connect() as connection:
        before = study_views.get(connection, study_id).last_event_id
    commands.pause(engine, study_id)
    with engine.connect() as connection:
        (paused,) = events.list_after(connection, study_id, before, limit=10)
        study = study_views.get(connection, study_id)
        listed = study_views.list_page(connection, state=None, cursor=None, limit=10).items
    assert paused.payload["state"] == study.state == StudyState.PAUSED
    assert study.last_event_id == paused.id
    assert {overview.id: overview.last_event_id for overview in listed} == {study_id: paused.id, other_id: before + 2}


def test_a_study_starts_from_the_latest_one_of_a_name_and_keeps_its_id(engine: Engine) -> None:
    make_study(engine, name="first")
    latest = make_study(engine, name="first")
    spec = make_spec(warm_start=["first"])
    study_id = commands.create(engine, spec, idempotency_key="warm").id
    make_study(engine, name="first")
    with engine.connect() as connection:
        assert studies.get(connection, study_id).spec.warm_start == (latest,)
    assert commands.create(engine, spec, idempotency_key="warm").id == study_id
    assert commands.create(engine, make_spec(warm_start=[latest])).id != study_id


def test_a_study_that_is_not_there_cannot_be_started_from(engine: Engine) -> None:
    with pytest.raises(RejectedError, match=r"warm_start\[0\]: there is no study 'gone'"):
        commands.create(engine, make_spec(warm_start=["gone"]))


def test_the_points_of_a_study_are_queued_in_their_order(engine: Engine) -> None:
    space = {"learning_rate": {"low": 0.01, "high": 0.3}}
    points = [{"learning_rate": 0.01 * number} for number in range(1, 20)]
    study_id = commands.create(engine, make_spec(space=space, enqueue=points)).id
    with engine.connect() as connection:
        queued = studies.enqueued(connection, study_id)
    assert [enqueued.assignment for enqueued in queued.values()] == points


def test_a_point_that_the_space_does_not_hold_is_rejected_by_its_place(engine: Engine) -> None:
    with pytest.raises(RejectedError, match=r"enqueue\[1\]: learning_rate lies between") as rejected:
        commands.create(engine, make_spec(enqueue=[{}, {"learning_rate": 5}]))
    assert rejected.value.field == "enqueue[1]"
