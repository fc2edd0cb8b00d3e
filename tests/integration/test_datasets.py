"""Data sets in the record: registered, checked by their job, found again by their content."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from search.contract.dataset import DatasetSpec
from services import datasets
from services.control.tasks import list_cancelled_jobs
from services.errors import ConflictError, NotFoundError, RejectedError
from services.jobs.dataset_job import run
from services.store import dataset_checks
from tests.unit.data_folders import folder_spec, write_classes


def registered(engine: Engine, spec: DatasetSpec) -> str:
    with engine.begin() as connection:
        return datasets.register(connection, spec).id


def test_a_check_ends_with_its_report_and_is_found_by_its_content(engine: Engine, tmp_path: Path) -> None:
    check_id = registered(engine, folder_spec(write_classes(tmp_path, {"cat": 5, "dog": 5})))
    run(engine, check_id)
    with engine.connect() as connection:
        check = datasets.get(connection, check_id)
        assert check.report is not None
        assert (check.state, check.report["loadable"]) == ("COMPLETED", True)
        assert check.dataset_id == check.report["id"]
        assert datasets.get(connection, str(check.dataset_id)) == check


def test_the_same_content_is_found_by_its_latest_check(engine: Engine, tmp_path: Path) -> None:
    spec = folder_spec(write_classes(tmp_path, {"cat": 5, "dog": 5}))
    first, second = registered(engine, spec), registered(engine, spec)
    run(engine, second)
    run(engine, first)
    with engine.connect() as connection:
        assert datasets.get(connection, str(datasets.get(connection, first).dataset_id)).id == second


def test_what_cannot_be_listed_is_a_failed_check_that_says_why(engine: Engine, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.json"
    boxes.write_text("no JSON")
    check_id = registered(engine, DatasetSpec(source="coco", path=str(tmp_path), annotations=str(boxes)))
    run(engine, check_id)
    with engine.connect() as connection:
        check = datasets.get(connection, check_id)
    assert (check.state, check.report) == ("FAILED", None)
    assert str(boxes) in str(check.reason)


def test_registrations_are_listed_newest_first_page_by_page(engine: Engine) -> None:
    ids = [registered(engine, DatasetSpec(source="sklearn")) for _ in range(3)]
    with engine.connect() as connection:
        first = datasets.list_page(connection, cursor=None, limit=2)
        rest = datasets.list_page(connection, cursor=first.next, limit=2)
    assert [check.id for check in [*first.items, *rest.items]] == sorted(ids, reverse=True)
    assert rest.next is None
    with engine.connect() as connection, pytest.raises(RejectedError, match="start again without it"):
        datasets.list_page(connection, cursor="gibberish", limit=2)


def test_a_check_that_has_ended_is_not_started_again(engine: Engine, tmp_path: Path) -> None:
    check_id = registered(engine, folder_spec(write_classes(tmp_path, {"cat": 5, "dog": 5})))
    run(engine, check_id)
    with engine.begin() as connection:
        dataset_checks.record_submission(connection, check_id, 1, 2)
        assert datasets.get(connection, check_id).state == "COMPLETED"
        assert not dataset_checks.to_run(connection)


def test_a_check_can_be_cancelled_once_and_its_job_finds_nothing_to_do(engine: Engine, tmp_path: Path) -> None:
    check_id = registered(engine, folder_spec(write_classes(tmp_path, {"cat": 5, "dog": 5})))
    with engine.begin() as connection:
        dataset_checks.record_submission(connection, check_id, 0, 1)
        cancelled = datasets.cancel(connection, check_id)
        assert list_cancelled_jobs(connection) == [f"{check_id}-1"]
    assert (cancelled.state, cancelled.reason) == ("CANCELLED", "its check was cancelled")
    with pytest.raises(ConflictError):
        run(engine, check_id)
    with engine.begin() as connection, pytest.raises(ConflictError, match="is CANCELLED"):
        datasets.cancel(connection, check_id)
    with engine.begin() as connection:
        assert not dataset_checks.to_run(connection)


def test_what_was_never_registered_is_not_found(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(NotFoundError, match="no data set 'nothing'"):
        datasets.get(connection, "nothing")
