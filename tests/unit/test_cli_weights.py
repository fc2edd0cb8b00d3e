"""``seedleaf weights``: what is listed, added and refused."""

import json
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from typer.testing import CliRunner

from api.cli.errors import CommandError
from api.cli.main import app
from search.weights.catalog import PACKAGED
from search.weights.lookup import packaged_file
from tests.unit.scripted_server import Answer, scripted_server

_NAME = "mobilenetv3_small_050"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEEDLEAF_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture(scope="module")
def tensors() -> Mapping[str, Tensor]:
    torch.manual_seed(1)
    state: Mapping[str, Tensor] = timm.create_model(_NAME, pretrained=False, num_classes=7).state_dict()
    return state


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["weights", *arguments], catch_exceptions=True)
    if isinstance(result.exception, CommandError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_an_added_file_is_checked_kept_with_its_licence_and_listed(
    tmp_path: Path, folder: Path, tensors: Mapping[str, Tensor]
) -> None:
    file = tmp_path / f"{_NAME}.safetensors"
    save_file(dict(tensors), file)
    added = json.loads(run("add", str(file), "--license", "MIT", "--format", "json"))
    assert (added["name"], added["license"]) == (_NAME, "MIT")
    assert torch.equal(load_file(folder / f"{_NAME}.safetensors")["conv_stem.weight"], tensors["conv_stem.weight"])
    (row,) = [row for row in json.loads(run("list", "--format", "json")) if row["network"] == _NAME]
    assert (row["here"], row["license"], row["where"]) == ("folder", "MIT", str(folder / f"{_NAME}.safetensors"))


def test_what_holds_no_weights_of_the_network_is_refused_with_the_first_tensor_that_differs(
    tmp_path: Path, folder: Path, tensors: Mapping[str, Tensor]
) -> None:
    file = tmp_path / "mine.safetensors"
    save_file({**tensors, "conv_stem.weight": torch.zeros(8, 3, 3, 3)}, file)
    with pytest.raises(
        CommandError, match=r"conv_stem\.weight has the shape \[8, 3, 3, 3\] there, and \[16, 3, 3, 3\]"
    ):
        run("add", str(file), "--name", _NAME)
    save_file({key: value for key, value in tensors.items() if key != "bn1.weight"}, file)
    with pytest.raises(CommandError, match=r"holds no weights of .*: it has no tensor bn1\.weight"):
        run("add", str(file), "--name", _NAME)
    with pytest.raises(CommandError, match=r"timm has no network 'mine': .* --name"):
        run("add", str(file))
    assert not folder.exists()


def test_the_one_checked_pth_is_converted_and_any_other_is_refused(tmp_path: Path, folder: Path) -> None:
    packaged = packaged_file(PACKAGED["tf_efficientnet_lite0"])
    assert packaged is not None
    shutil.copy(packaged, tmp_path / "downloaded.pth")
    added = json.loads(run("add", str(tmp_path / "downloaded.pth"), "--format", "json"))
    assert (added["name"], added["license"]) == ("tf_efficientnet_lite0", "Apache-2.0")
    other = tmp_path / "other.pth"
    torch.save({"a": torch.zeros(1)}, other)
    with pytest.raises(CommandError, match="other formats may run code"):
        run("add", str(other))
    assert [path.name for path in folder.iterdir()] == ["tf_efficientnet_lite0.safetensors"]


def test_a_file_that_is_no_safetensors_file_is_refused(tmp_path: Path, folder: Path) -> None:
    file = tmp_path / f"{_NAME}.safetensors"
    file.write_bytes(b"<html>not found</html>")
    with pytest.raises(CommandError, match=rf"{file}: it is no \.safetensors file"):
        run("add", str(file))


def test_without_torch_a_file_is_added_with_a_note(
    tmp_path: Path, folder: Path, tensors: Mapping[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.cli.weights.find_spec", lambda name: None if name == "torch" else find_spec(name))
    file = tmp_path / f"{_NAME}.safetensors"
    save_file(dict(tensors), file)
    result = CliRunner().invoke(app, ["weights", "add", str(file)])
    assert result.exit_code == 0
    assert "workers check the tensors" in result.stderr
    assert (folder / file.name).exists()


def test_without_network_fetch_says_in_one_line_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(CommandError) as refused:
        run("fetch", _NAME)
    message = str(refused.value)
    assert "\n" not in message
    assert "does not answer" in message
    assert f"seedleaf weights add FILE --name {_NAME}" in message
    assert not folder.exists()


def test_fetch_downloads_from_the_hub(
    tmp_path: Path, folder: Path, tensors: Mapping[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(dict(tensors), tmp_path / "file.safetensors")
    with scripted_server([Answer(body=(tmp_path / "file.safetensors").read_bytes())]) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        fetched = json.loads(run("fetch", _NAME, "--format", "json"))
    assert (fetched["origin"], fetched["license"]) == (f"timm/{_NAME}.lamb_in1k", "Apache-2.0")
    assert (folder / f"{_NAME}.safetensors").exists()
