"""A study that waits says what it waits for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine

from search.contract.states import StudyState
from services.control.controller import Controller
from services.local.ray import local_ray
from services.ray.jobs import RayJobs
from services.records.studies import Study
from services.store import studies
from services.studies import commands
from tests.integration.records import make_study
from tests.integration.security import make_settings
from tests.server import home_folder, wait_for

_SLEEPS = "python -c 'import time; time.sleep(100000)'"


@pytest.fixture(scope="module")
def ray_url() -> Iterator[str]:
    """A cluster that other nodes may join."""
    saved = dict(os.environ)
    try:
        with home_folder() as home, local_ray(home) as ray:
            yield ray.dashboard_url
    finally:
        os.environ.clear()
        os.environ.update(saved)


@contextmanager
def controlling(database_url: str, home: Path, **settings: object) -> Iterator[None]:
    config = make_settings(database_url, home, search_command=_SLEEPS, **settings)
    controller = Controller(config, RayJobs.of(config))
    controller.start()
    try:
        yield
    finally:
        controller.close()


def read(engine: Engine, study_id: str) -> Study:
    with engine.connect() as connection:
        return studies.get(connection, study_id)


def drivers() -> set[str]:
    """The studies whose drivers run."""
    calls = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return {call[-1] for call in calls if "import time; time.sleep(100000)" in call}


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


def test_a_study_that_no_node_can_run_says_so_and_holds_up_no_other(
    engine: Engine, database_url: str, tmp_path: Path, ray_url: str
) -> None:
    giant = make_study(engine, StudyState.QUEUED, resources={"cpus_per_trial": 4096})
    small = make_study(engine, StudyState.QUEUED)
    with controlling(database_url, tmp_path, ray_address=ray_url, max_searches=1):
        wait_for(lambda: small in drivers(), timeout_s=90, what="the driver of the other study")
        waits = read(engine, giant)
    assert (waits.state, waits.job_id) == (StudyState.QUEUED, None)
    assert waits.reason is not None
    assert waits.reason.startswith("waits for a node: no node has 4096 CPUs for a trial (the nodes have: ")


def test_a_study_waits_for_its_place_and_starts_when_another_ends(
    engine: Engine, database_url: str, tmp_path: Path, ray_url: str
) -> None:
    first, second = make_study(engine, StudyState.QUEUED), make_study(engine, StudyState.QUEUED)
    with controlling(database_url, tmp_path, ray_address=ray_url, max_searches=1):
        wait_for(lambda: first in drivers(), timeout_s=90, what="the first driver")
        wait_for(lambda: read(engine, second).reason, timeout_s=30, what="a reason")
        assert read(engine, second).reason == "waits until another study's search ends"
        assert second not in drivers()
        commands.cancel(engine, first)
        (sleeper,) = [each for each in psutil.process_iter(["cmdline"]) if _is_driver(each, first)]
        sleeper.kill()
        wait_for(lambda: second in drivers(), timeout_s=90, what="the second driver")
        assert read(engine, second).reason is None


def _is_driver(process: psutil.Process, study_id: str) -> bool:
    call = process.info["cmdline"] or []
    return "import time; time.sleep(100000)" in call and study_id == call[-1]
