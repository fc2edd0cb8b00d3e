"""The queues of studies, checks and trainings: who is next, and how many jobs one trial may have."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.schemas import StudyView
from api.tabular import studies as study_rows
from search.contract.dataset import DatasetSpec
from search.contract.recipes import Recipe
from search.contract.states import StudyState
from services import datasets
from services.errors import ConflictError
from services.store import dataset_checks, studies, trainings
from services.studies import commands
from services.views import studies as study_views
from tests.integration.records import make_spec, make_study, make_trial
from tests.integration.security import serving


def position(engine: Engine, study_id: str) -> int | None:
    with engine.connect() as connection:
        listed = study_views.list_page(connection, state=None, cursor=None, limit=100).items
        alone = study_views.get(connection, study_id).queue_position
    assert [study.queue_position for study in listed if study.id == study_id] == [alone]
    return alone


def positions(engine: Engine, *study_ids: str) -> list[int | None]:
    return [position(engine, study_id) for study_id in study_ids]


def submit(engine: Engine, study_id: str) -> None:
    with engine.begin() as connection:
        studies.record_submission(connection, study_id, f"{study_id}-1", 1)


def test_studies_are_queued_in_the_order_in_which_they_were_posted(engine: Engine) -> None:
    posted = [commands.create(engine, make_spec()) for _ in range(3)]
    assert [study.queue_position for study in posted] == [1, 2, 3]
    first, second, third = (study.id for study in posted)
    submit(engine, first)
    assert positions(engine, first, second, third) == [None, 1, 2]


def test_a_round_looks_at_the_studies_at_work_and_at_those_that_have_waited_longest(engine: Engine) -> None:
    begun, first, second, third = (commands.create(engine, make_spec()).id for _ in range(4))
    submit(engine, begun)
    with engine.begin() as connection:
        assert [study.id for study in studies.list_active(connection, most_waiting=2)] == [begun, first, second]
        studies.put_back(connection, begun)
        assert [study.id for study in studies.list_active(connection, most_waiting=2)] == [begun, first]
        assert len(studies.list_active(connection)) == 4
    assert position(engine, third) == 4


def test_a_paused_study_leaves_the_queue_and_comes_last_when_it_is_resumed(engine: Engine) -> None:
    first, second = make_study(engine, StudyState.QUEUED), make_study(engine, StudyState.QUEUED)
    commands.pause(engine, first)
    assert positions(engine, first, second) == [None, 1]
    commands.resume(engine, first)
    assert positions(engine, first, second) == [2, 1]


def test_an_extended_study_comes_last(engine: Engine) -> None:
    ended, waits = make_study(engine, StudyState.COMPLETED), make_study(engine, StudyState.QUEUED)
    assert positions(engine, ended, waits) == [None, 1]
    commands.extend(engine, ended, max_trials=30, max_minutes=None)
    assert positions(engine, ended, waits) == [2, 1]


def test_a_study_that_is_put_back_comes_before_those_that_were_queued_after_it_had_started(engine: Engine) -> None:
    lost = make_study(engine, StudyState.QUEUED)
    submit(engine, lost)
    waits = make_study(engine, StudyState.QUEUED)
    with engine.begin() as connection:
        studies.put_back(connection, lost)
    assert positions(engine, lost, waits) == [1, 2]


def test_the_reason_why_a_study_waits_is_gone_when_its_driver_is_submitted(engine: Engine) -> None:
    study_id = make_study(engine, StudyState.QUEUED)
    with engine.begin() as connection:
        studies.explain(connection, study_id, StudyState.QUEUED, "waits")
        assert studies.get(connection, study_id).reason == "waits"
    submit(engine, study_id)
    with engine.connect() as connection:
        assert studies.get(connection, study_id).reason is None


def test_data_set_checks_show_their_place_until_their_job_is_submitted(engine: Engine) -> None:
    spec = DatasetSpec(source="sklearn")
    with engine.begin() as connection:
        first, second = datasets.register(connection, spec), datasets.register(connection, spec)
        assert (first.queue_position, second.queue_position) == (1, 2)
        assert dataset_checks.record_submission(connection, first.id, 0, 1)
        listed = datasets.list_page(connection, cursor=None, limit=10).items
        assert [check.queue_position for check in listed] == [1, None]


def test_trainings_show_their_place_and_those_of_paused_studies_are_passed_over(engine: Engine) -> None:
    paused, other = make_study(engine), make_study(engine)
    first = commands.train(engine, make_trial(engine, paused), epochs=1, seeds=1)
    second = commands.train(engine, make_trial(engine, other), epochs=1, seeds=1)
    assert (first.queue_position, second.queue_position) == (1, 2)
    commands.pause(engine, paused)
    with engine.connect() as connection:
        places = [trainings.get(connection, training.id).queue_position for training in (first, second)]
        tasks = {task.row_id: task.may_run for task in trainings.to_run(connection)}
    assert places == [None, 1]
    assert tasks == {first.id: False, second.id: True}


def test_a_trial_has_a_bounded_number_of_jobs_and_trainings(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_JOBS", 2)
    monkeypatch.setattr(commands, "MAX_TRAININGS", 2)
    trial_id = make_trial(engine, make_study(engine))
    first = commands.compress(engine, trial_id, Recipe(name="a", steps=()))
    commands.compress(engine, trial_id, Recipe(name="b", steps=()))
    with pytest.raises(ConflictError, match="has 2 compression jobs, which is the most"):
        commands.compress(engine, trial_id, Recipe(name="c", steps=()))
    assert commands.compress(engine, trial_id, Recipe(name="a", steps=())).id == first.id
    for _ in range(2):
        commands.train(engine, trial_id, epochs=1, seeds=1)
    with pytest.raises(ConflictError, match="has had 2 trainings, which is the most"):
        commands.train(engine, trial_id, epochs=1, seeds=1)


def test_http_tells_the_place_of_studies_trainings_and_checks(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    trial_id = make_trial(engine, make_study(engine))
    spec = make_spec().model_dump(mode="json")
    with serving(database_url, tmp_path) as client:
        places = [client.post("/studies", json=spec).json()["queue_position"] for _ in range(2)]
        check = client.post("/datasets", json=spec["dataset"]).json()
        training = client.post(f"/trials/{trial_id}/train", json={}).json()
        shown = client.get(f"/trainings/{training['id']}").json()
    assert places == [1, 2]
    assert [part["queue_position"] for part in (check, training, shown)] == [1, 1, 1]


def test_the_command_line_tells_the_place_of_a_study(engine: Engine) -> None:
    commands.create(engine, make_spec())
    waits = commands.create(engine, make_spec())
    with engine.begin() as connection:
        studies.explain(connection, waits.id, StudyState.QUEUED, "waits for more")
        overview = study_views.get(connection, waits.id)
    study = StudyView.model_validate(overview, from_attributes=True)
    assert dict(zip(study_rows.HEADERS, study_rows.row(study), strict=True))["reason"] == (
        "number 2 in the queue; waits for more"
    )
    assert dict(study_rows.details(study))["queue"] == "number 2"
    assert study_rows.flat(study)["queue_position"] == 2
