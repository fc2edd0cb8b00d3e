"""A study that waits says what it waits for."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, func

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
    return {found for process in psutil.process_iter(["cmdline"]) if (found := _searches(process)) is not None}


def _searches(process: psutil.Process) -> str | None:
    """The study whose driver a process is, the Python itself and not the shell around it; None if it is none."""
    call = process.info["cmdline"] or []
    return call[-1] if "import time; time.sleep(100000)" in call else None


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
        kill_driver(first)
        wait_for(lambda: second in drivers(), timeout_s=90, what="the second driver")
        assert read(engine, second).reason is None


def test_a_study_that_lost_its_driver_waits_where_there_are_fewer_places_now(
    engine: Engine, database_url: str, tmp_path: Path, ray_url: str
) -> None:
    older, newer = make_study(engine, StudyState.QUEUED), make_study(engine, StudyState.QUEUED)
    with controlling(database_url, tmp_path, ray_address=ray_url, max_searches=2):
        wait_for(lambda: {older, newer} <= drivers(), timeout_s=90, what="both drivers")
        with engine.begin() as connection:
            for study_id in (older, newer):
                studies.set_state(connection, study_id, StudyState.RUNNING, started_at=func.now())
    for study_id in (older, newer):
        kill_driver(study_id)
    posted = make_study(engine, StudyState.QUEUED)
    with controlling(database_url, tmp_path, ray_address=ray_url, max_searches=1):
        wait_for(lambda: older in drivers(), timeout_s=90, what="the older study's next driver")
        wait_for(lambda: read(engine, posted).reason, timeout_s=30, what="a reason")
    with engine.connect() as connection:
        assert [studies.queue_position(connection, each) for each in (older, newer, posted)] == [None, 1, 2]
    assert (read(engine, newer).state, read(engine, newer).reason) == (
        StudyState.QUEUED,
        "waits until another study's search ends",
    )
    assert drivers() & {newer, posted} == set()
    kill_driver(older)


def kill_driver(study_id: str) -> None:
    (driver,) = [each for each in psutil.process_iter(["cmdline"]) if _searches(each) == study_id]
    driver.kill()
    driver.wait(30)
