"""torchvision's networks as a block: width, small images, pretrained weights from a file, frozen bodies, and errors."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision import models

from search.contract.candidate import Architecture
from search.spaces.presets import PRESETS
from search.weights.catalog import KNOWN, TORCHVISION
from workers.models import ArchitectureError, Network, build_network
from workers.models.blocks.torchvision_network import TorchVisionNetwork
from workers.models.profile import layer_costs

NAME, CLASSES = "shufflenet_v2_x0_5", 5


def architecture(
    name: str = NAME, *, width: float = 1.0, weights: str | None = None, frozen: bool = False, side_px: int = 32
) -> Architecture:
    return Architecture(backbone=((1, "TorchVision", (name, width, weights, frozen, CLASSES, side_px)),))


def body(network: Network) -> nn.Module:
    block = network.layers[0]
    assert isinstance(block, TorchVisionNetwork)
    return block.body


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network with 1,000 classes, as a file."""
    torch.manual_seed(1)
    weights = models.get_model(NAME).state_dict()
    file = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_file(weights, file)
    return file


@pytest.mark.parametrize("preset", ["torchvision", "torchvision-pretrained"])
def test_every_network_of_the_presets_is_one_of_torchvisions(preset: str) -> None:
    (stage,) = PRESETS[preset].stages
    scopes = [PRESETS[preset].scope(stage, label) for label in stage.blocks]
    names = [name for scope in scopes for name in scope["name"][1].choices or ()]
    assert len(names) == 11
    assert set(names) <= set(models.list_models(module=models))


@pytest.mark.parametrize("side_px", [32, 64])
def test_the_stem_keeps_the_side_of_small_images_only(side_px: int) -> None:
    network = body(build_network(architecture("resnet18", side_px=side_px), device="meta"))
    small = side_px < 64
    assert network.get_submodule("conv1").stride == ((1, 1) if small else (2, 2))
    assert isinstance(network.get_submodule("maxpool"), nn.Identity if small else nn.MaxPool2d)


def test_patches_of_a_transformer_stay_as_they_are() -> None:
    network = body(build_network(architecture("vit_b_16"), device="meta"))
    assert network.get_submodule("conv_proj").stride == (16, 16)
    assert layer_costs(architecture("vit_b_16"), 32)[0].shape == (CLASSES,)


@pytest.mark.parametrize(("name", "width"), [("mobilenet_v2", 0.5), ("mobilenet_v3_small", 0.35), ("resnet50", 0.5)])
def test_a_width_makes_a_network_narrower_where_its_constructor_has_one(name: str, width: float) -> None:
    narrow, whole = (layer_costs(architecture(name, width=factor), 32)[0] for factor in (width, 1.0))
    assert narrow.params < 0.8 * whole.params


def test_pretrained_weights_come_from_a_file_for_all_but_the_classifier(trained: Path) -> None:
    found = body(build_network(architecture(weights=str(trained)))).state_dict()
    given = load_file(trained)
    assert all(torch.equal(value, given[key]) for key, value in found.items() if not key.startswith("fc."))
    assert found["fc.weight"].shape == (CLASSES, 1024)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_frozen_network_trains_its_classifier_only(frozen: bool) -> None:
    weights = "default" if frozen else None
    network = build_network(architecture(weights=weights, frozen=frozen, side_px=8), pretrained=False).train()
    trains = {name for name, parameter in body(network).named_parameters() if parameter.requires_grad}
    assert (trains == {"fc.weight", "fc.bias"}) == frozen
    before = body(network).get_buffer("conv1.1.running_mean").clone()
    network(torch.rand(2, 3, 8, 8))
    assert torch.equal(body(network).get_buffer("conv1.1.running_mean"), before) == frozen


def test_pretrained_weights_are_left_out_where_others_are_loaded_next(trained: Path) -> None:
    written = architecture(weights=str(trained.with_name("gone.safetensors")))
    assert build_network(written, pretrained=False)(torch.rand(2, 3, 32, 32)).shape == (2, CLASSES)


def test_pretrained_networks_take_images_as_imagenets() -> None:
    torch.manual_seed(0)
    plain, normalized = (
        build_network(architecture(weights=weights), pretrained=False).eval() for weights in (None, "default")
    )
    body(normalized).load_state_dict(body(plain).state_dict())
    images = torch.rand(2, 3, 32, 32)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = plain((images - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1))
    assert torch.allclose(normalized(images), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"name": "resnet17"}, "torchvision has no classification network 'resnet17'; it has: alexnet, "),
        ({"name": "resnet18", "width": 0.5}, "resnet18 has no width to choose: give 1, got 0.5"),
        ({"name": "mobilenet_v2", "width": 0.5, "weights": "default"}, "pretrained weights for width 1 only, got 0.5"),
        ({"frozen": True}, "a frozen network needs pretrained weights"),
        ({"name": "vit_b_16", "side_px": 33}, "vit_b_16 does not work with {'image_size': 33}"),
        ({"side_px": 4}, "side_px should be greater than or equal to 8, got 4"),
    ],
)
def test_what_cannot_be_is_an_error_before_anything_is_loaded(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        layer_costs(architecture(**fields), 32)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(("content", "complaint"), [(None, "No such file"), (b"no weights", "cannot be read from")])
def test_a_file_without_weights_is_an_error_that_names_it(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArchitectureError) as caught:
        build_network(architecture(weights=str(path)))
    assert complaint in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_pickle_is_not_opened_whatever_is_in_it(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    path = tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps(_Payload(ran)))
    with pytest.raises(ArchitectureError, match=r"weights\.pt is no \.safetensors file"):
        build_network(architecture(weights=str(path)))
    assert not ran.exists()


class _Payload:
    """Runs code where it is unpickled."""

    def __init__(self, ran: Path) -> None:
        self.ran = ran

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.ran,)


def test_weights_of_another_network_are_an_error_that_names_the_first_tensor(trained: Path) -> None:
    with pytest.raises(ArchitectureError, match=r"holds no weights of resnet18: bn1\.bias is missing or differs"):
        build_network(architecture("resnet18", weights=str(trained)))


def test_weights_that_cannot_be_downloaded_are_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(ArchitectureError, match=r"cannot be downloaded .*`seedleaf weights add FILE .*write null"):
        build_network(architecture(weights="default"))


class _Code:
    """Creates a file when it is unpickled."""

    def __init__(self, made: Path) -> None:
        self._made = made

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self._made,)


def test_a_downloaded_file_that_holds_code_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    checkpoint = tmp_path / "hub" / "checkpoints" / KNOWN[f"{TORCHVISION}{NAME}"].origin
    checkpoint.parent.mkdir(parents=True)
    torch.save({"weight": _Code(tmp_path / "made")}, checkpoint)
    with pytest.raises(ArchitectureError, match="holds more than weights"):
        build_network(architecture(weights="default"))
    assert not (tmp_path / "made").exists()
