"""A study that waits says what it waits for."""

from pathlib import Path

from sqlalchemy import Engine

from search.contract.states import StudyState
from services.control.controller import Controller
from services.ray.jobs import RayJobs
from services.store import studies
from tests.integration.records import make_study
from tests.integration.security import make_settings
from tests.server import wait_for


def test_a_queued_study_says_that_ray_is_away(engine: Engine, database_url: str, tmp_path: Path) -> None:
    study_id = make_study(engine, StudyState.QUEUED)
    config = make_settings(database_url, tmp_path)
    controller = Controller(config, RayJobs.of(config))
    controller.start()

    def reason() -> str | None:
        with engine.connect() as connection:
            return studies.get(connection, study_id).reason

    try:
        assert wait_for(reason, timeout_s=30, what="a reason") == "waits for Ray, which does not answer"
    finally:
        controller.close()
    with engine.connect() as connection:
        assert studies.get(connection, study_id).state is StudyState.QUEUED
