"""The test split of a whole study: nothing reads it before the end, then the picks are scored on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.studies import post_study, trials_of, wait_until_ended
from tests.server import Server
from tests.unit.data_folders import write_classes

CLASSES = ("cup", "fork", "plate")


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def images(root: Path) -> Path:
    write_classes(root / "train", dict.fromkeys(CLASSES, 20))
    write_classes(root / "test", dict.fromkeys(CLASSES, 4), first=1000)
    return root


def ended_study(client: httpx.Client, root: Path) -> dict[str, Any]:
    dataset = {"source": "folder", "path": str(root)}
    study_id = post_study(client, dataset=dataset, compression={"max_candidates": 1, "recipes": ["fp32"]})
    study = wait_until_ended(client, study_id)
    assert study["state"] == "COMPLETED", study["reason"]
    return study


def test_a_study_does_not_notice_that_its_test_images_are_broken_before_it_scores_its_picks(
    client: httpx.Client, tmp_path: Path
) -> None:
    root = images(tmp_path / "kitchen")
    for image in (root / "test").rglob("*.png"):
        image.write_bytes(b"no image")
    study = ended_study(client, root)
    assert (study["skipped"], study["test_looks"]) == ([], 0)
    assert study["test_reason"].startswith("the test split cannot be read: none of its 12 images can be used")
    variants = client.get("/variants", params={"study_id": study["id"]}).json()["items"]
    assert variants
    assert {model["f1_test"] for model in (*variants, *trials_of(client, study["id"]))} == {None}


def test_the_picks_of_a_study_and_only_they_are_scored_on_its_test_images(client: httpx.Client, tmp_path: Path) -> None:
    study = ended_study(client, images(tmp_path / "kitchen"))
    assert (study["test_looks"], study["test_reason"]) == (1, None)
    front = client.get(f"/studies/{study['id']}/pareto").json()["variants"][0]
    chosen = {front["recommended"], front["knee"], front["best_score"], front["items"][0]["id"]} - {None}
    variants = client.get("/variants", params={"study_id": study["id"], "runtime": front["runtime"]}).json()["items"]
    assert {model["id"] for model in variants if model["f1_test"] is not None} == chosen
    for model in variants:
        if model["id"] in chosen:
            assert model["f1_test_low"] <= model["f1_test"] <= model["f1_test_high"]
            assert model["test_images"] == 12
    scored = [trial for trial in trials_of(client, study["id"]) if trial["f1_test"] is not None]
    assert max(trials_of(client, study["id"]), key=lambda trial: trial["metrics"].get("f1", 0)) in scored
