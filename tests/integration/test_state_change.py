"""A state changes in one function, whatever its table: what is not allowed changes nothing."""

import pytest
from sqlalchemy import Engine

from search.contract.dataset import DatasetSpec
from search.contract.states import JobState, StudyState
from services import datasets
from services.errors import ConflictError, NotFoundError
from services.store import dataset_checks, events, jobs, recipe_searches, studies, trainings
from services.studies import commands
from tests.integration.records import make_study, make_trial


def _told(engine: Engine, study_id: str) -> int:
    with engine.connect() as connection:
        return len(events.list_after(connection, study_id, 0, limit=100))


def test_a_refused_change_leaves_the_row_as_it_is_and_tells_nobody(engine: Engine) -> None:
    study_id = make_study(engine, StudyState.CANCELLED)
    told = _told(engine, study_id)
    with engine.begin() as connection:
        with pytest.raises(ConflictError, match=f"study {study_id} is CANCELLED: it cannot become QUEUED"):
            studies.set_state(connection, study_id, StudyState.QUEUED, submissions=9)
        assert studies.get(connection, study_id).state is StudyState.CANCELLED
    assert _told(engine, study_id) == told


def test_a_check_ends_once(engine: Engine) -> None:
    with engine.begin() as connection:
        check_id = datasets.register(connection, DatasetSpec(source="sklearn")).id
        dataset_checks.begin(connection, check_id)
        dataset_checks.fail(connection, check_id, "for a test")
    with engine.begin() as connection, pytest.raises(ConflictError, match="FAILED: it cannot become COMPLETED"):
        dataset_checks.complete(connection, check_id, {"id": "0"})


def test_a_recipe_search_ends_once(engine: Engine) -> None:
    study_id = make_study(engine)
    trial_id = make_trial(engine, study_id)
    with engine.begin() as connection:
        recipe_searches.add(
            connection, search_id="search", trial_id=trial_id, study_id=study_id, weights_sha256="0" * 64
        )
        recipe_searches.end(connection, "search", reason="the first")
    with engine.begin() as connection, pytest.raises(ConflictError, match="ENDED: it cannot become ENDED"):
        recipe_searches.end(connection, "search", reason="the second")
    with engine.connect() as connection:
        assert [search.reason for search in recipe_searches.of_trial(connection, trial_id)] == ["the first"]


def test_a_job_that_waits_cannot_be_completed(engine: Engine) -> None:
    study_id = make_study(engine)
    trial_id = make_trial(engine, study_id)
    with engine.begin() as connection:
        job = jobs.add(
            connection,
            job_id="job",
            trial_id=trial_id,
            study_id=study_id,
            recipe={"name": "fp32", "steps": []},
            weights_sha256="0" * 64,
        )
    with engine.begin() as connection, pytest.raises(ConflictError, match="QUEUED: it cannot become COMPLETED"):
        jobs.end(connection, job.id, JobState.COMPLETED)


def test_a_training_of_a_cancelled_study_stays_cancelled(engine: Engine) -> None:
    study_id = make_study(engine)
    training = commands.train(engine, make_trial(engine, study_id), epochs=3, seeds=1)
    commands.cancel(engine, study_id)
    with engine.begin() as connection, pytest.raises(ConflictError, match="CANCELLED: it cannot become RUNNING"):
        trainings.begin(connection, training.id)


def test_a_row_that_is_not_there_is_named(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(NotFoundError, match="no training 'nothing'"):
        trainings.begin(connection, "nothing")
