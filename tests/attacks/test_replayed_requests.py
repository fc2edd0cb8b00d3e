"""Requests that are sent again, or change what has been used already."""

from pathlib import Path

from sqlalchemy import Engine

from services.store import studies
from tests.integration.records import make_study
from tests.integration.security import serving


def test_a_study_is_given_again_after_its_images_are_gone(database_url: str, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    body = {"name": "a", "dataset": {"source": "folder", "path": str(images)}}
    with serving(database_url, tmp_path) as client:
        first = client.post("/studies", json=body, headers={"Idempotency-Key": "one"})
        images.rmdir()
        again = client.post("/studies", json=body, headers={"Idempotency-Key": "one"})
        other = client.post("/studies", json={**body, "name": "b"}, headers={"Idempotency-Key": "one"})
        new = client.post("/studies", json=body, headers={"Idempotency-Key": "two"})
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert (other.status_code, "Idempotency-Key" in other.json()["detail"]) == (422, True)
    assert (new.status_code, new.json()["errors"][0]["field"]) == (422, "dataset.path")


def test_an_empty_idempotency_key_is_none(database_url: str, tmp_path: Path) -> None:
    body = {"name": "a", "dataset": {"source": "sklearn"}}
    with serving(database_url, tmp_path) as client:
        refused = client.post("/studies", json=body, headers={"Idempotency-Key": ""})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "idempotency-key")


def test_a_time_limit_below_what_was_used_is_refused(engine: Engine, database_url: str, tmp_path: Path) -> None:
    study_id = make_study(engine)
    with engine.begin() as connection:
        studies.set_values(connection, study_id, search_elapsed_s=600.0)
    with serving(database_url, tmp_path) as client:
        refused = client.patch(f"/studies/{study_id}", json={"budget": {"max_minutes": 5}})
        raised = client.patch(f"/studies/{study_id}", json={"budget": {"max_minutes": 11}})
    assert (refused.status_code, "10.0 minutes already" in refused.json()["detail"]) == (422, True)
    assert raised.json()["spec"]["budget"]["max_minutes"] == 11
