"""A study that waits says what it waits for."""

from pathlib import Path

from sqlalchemy import Engine

from search.contract.states import StudyState
from services.control.controller import Controller
from services.ray.jobs import RayJobs
from services.store import studies
from tests.integration.security import make_settings
from tests.server import wait_for


def test_a_queued_study_says_that_ray_is_away(engine: Engine, database_url: str, tmp_path: Path) -> None:
    with engine.begin() as connection:
        study = studies.add(
            connection, study_id="study_1", name="waits", spec={}, idempotency_key=None, request_sha256="0"
        )
        assert study is not None
    config = make_settings(database_url, tmp_path)
    controller = Controller(config, RayJobs.of(config))
    controller.start()

    def reason() -> str | None:
        with engine.connect() as connection:
            return studies.get(connection, study.id).reason

    try:
        assert wait_for(reason, timeout_s=30, what="a reason") == "waits for Ray, which does not answer"
    finally:
        controller.close()
    with engine.connect() as connection:
        assert studies.get(connection, study.id).state is StudyState.QUEUED
