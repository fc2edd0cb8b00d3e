"""Networks of timm part by part: whole they equal timm's, cut and thinned they cost what was told, and errors."""

from pathlib import Path

import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from search.contract.candidate import Architecture, Candidate, Layer
from search.spaces.draw import draw_architecture
from search.spaces.pretrained import BACKBONES, backbone_space
from tests.unit.choosers import Chance
from workers.models import ArchitectureError, build_network, profile
from workers.models.profile import count_macs, count_params
from workers.models.timm.backbone import outline
from workers.models.timm.parts import TimmPart
from workers.models.timm.thinning import kept_channels
from workers.models.timm.weights import load_weights_of

NAME, CLASSES = "mobilenetv3_small_050", 5
IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def architecture(name: str = NAME, *, width: float = 1.0, weights: str | None = None, stages: int = 99) -> Architecture:
    shape = BACKBONES[name]
    lines: list[Layer] = [(1, "TimmStem", (name, width, weights))]
    lines += [(1, "TimmStage", (name, number, blocks, width)) for number, blocks in enumerate(shape.blocks, start=1)]
    if shape.head:
        lines.append((1, "TimmHead", (name, width)))
    return Architecture(backbone=(*lines[: stages + 1], (1, "GlobalAvgPool", ()), (1, "FixedConv", (CLASSES,))))


def candidate(network: Architecture, side_px: int) -> Candidate:
    settings = {"batch_size": 8, "learning_rate": 0.1, "optimizer": "sgd"}
    return Candidate.model_validate({"architecture": network, "image_size": side_px, **settings})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a network with 1,000 classes, as a file."""
    torch.manual_seed(1)
    file = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_file(timm.create_model(NAME, pretrained=False).state_dict(), file)
    return file


def whole(weights: Path) -> nn.Module:
    """timm's own network with the weights of a file."""
    network: nn.Module = timm.create_model(NAME, pretrained=False, checkpoint_path=str(weights))
    return network.eval()


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_the_shapes_of_the_backbones_are_those_of_timm(name: str) -> None:
    assert outline(name).blocks == BACKBONES[name].blocks
    assert outline(name).backbone.has_head == BACKBONES[name].head


def test_a_whole_network_computes_what_timm_computes(trained: Path) -> None:
    theirs = whole(trained)
    ours = build_network(architecture(weights=str(trained))).eval()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_DEVIATION))
    with torch.inference_mode():
        features = (images - mean) / deviation
        for name in ("conv_stem", "bn1", "blocks"):
            features = theirs.get_submodule(name)(features)
        assert torch.equal(ours.layers[:-2](images), features)


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_a_width_of_1_keeps_every_channel(name: str) -> None:
    whole = outline(name).backbone.parts
    expected = sum(parameter.numel() for part in whole for parameter in part.parameters())
    costs = profile(candidate(architecture(name), 64))
    assert costs.params == expected + CLASSES * (outline(name).channels[-1] + 1)


@pytest.mark.parametrize("name", sorted(BACKBONES))
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), side_px=st.sampled_from([32, 64, 96]))
def test_every_drawn_network_costs_what_its_profile_says(name: str, seed: int, side_px: int) -> None:
    drawn = draw_architecture(backbone_space(name, weights=None), Chance(seed), side_px=side_px, classes=CLASSES)
    network = build_network(drawn)
    costs = profile(candidate(drawn, side_px))
    assert costs.params == count_params(network)
    assert costs.macs == count_macs(network, side_px)
    with torch.inference_mode():
        assert network.eval()(torch.zeros(1, 3, side_px, side_px)).shape == (1, CLASSES)


def test_thinning_keeps_the_channels_with_the_largest_weights(trained: Path) -> None:
    network = build_network(architecture(width=0.5, weights=str(trained), stages=1))
    stem = network.layers[0]
    assert isinstance(stem, TimmPart)
    thinned = stem.body.get_submodule("0").get_parameter("weight")
    original = whole(trained).get_submodule("conv_stem").get_parameter("weight")
    norms = original.flatten(1).norm(dim=1)
    kept = [int((original - row).flatten(1).abs().sum(dim=1).argmin()) for row in thinned]
    assert kept == sorted(kept)
    assert len(kept) == kept_channels(16, 0.5) == 8
    assert norms[kept].sum() > norms.sum() / 2


def test_the_same_file_gives_the_same_network(trained: Path) -> None:
    first, second = (build_network(architecture(width=0.375, weights=str(trained))).state_dict() for _ in range(2))
    classifier = list(first)[-2:]
    assert all(torch.equal(first[key], second[key]) for key in first if key not in classifier)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ((1, "TimmStem", ("no_such_network", 1.0, None)), "timm has no network 'no_such_network'"),
        ((1, "TimmStem", ("vit_tiny_patch16_224", 1.0, None)), "no stages to cut"),
        ((1, "TimmStem", (NAME, 1.0, "/nowhere.safetensors")), "cannot be read from /nowhere"),
        ((1, "TimmStem", (NAME, 1.0, "/nowhere.pth")), "no .safetensors file"),
        ((1, "TimmStem", (NAME, 0.0, None)), "width"),
        ((1, "TimmStage", (NAME, 9, 1, 1.0)), "no 1 of stage 9"),
    ],
)
def test_what_cannot_be_built_is_an_error_that_names_it(layer: Layer, message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        build_network(Architecture(backbone=(layer,)))


def test_weights_are_looked_for_in_the_folder_that_the_environment_names(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (trained.parent / f"{NAME}.safetensors").write_bytes(trained.read_bytes())
    monkeypatch.setenv("SEEDLEAF_WEIGHTS", str(trained.parent))
    by_folder, by_path = (build_network(architecture(weights=weights)) for weights in ("default", str(trained)))
    assert torch.equal(by_folder.layers[0](torch.ones(1, 3, 32, 32)), by_path.layers[0](torch.ones(1, 3, 32, 32)))


@pytest.mark.parametrize("side_px", [64, 65])
def test_with_the_packaged_weights_the_network_computes_what_timm_computes(side_px: int) -> None:
    name = "tf_efficientnet_lite0"
    theirs = timm.create_model(name, pretrained=False)
    assert isinstance(theirs, nn.Module)
    theirs.load_state_dict(load_weights_of(name), strict=False)
    ours = build_network(architecture(name, weights="default")).eval()
    assert not any(type(module).__module__.startswith("timm.layers.conv") for module in ours.modules())
    images = torch.rand(2, 3, side_px, side_px, generator=torch.Generator().manual_seed(0))
    features = (images - 0.5) / 0.5
    with torch.inference_mode():
        for part in ("conv_stem", "bn1", "blocks", "conv_head", "bn2"):
            features = theirs.eval().get_submodule(part)(features)
        assert torch.equal(ours.layers[:-2](images), features)


def test_weights_that_are_nowhere_are_an_error_that_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("SEEDLEAF_WEIGHTS", str(tmp_path))
    with pytest.raises(
        ArchitectureError, match=rf"no pretrained weights of {NAME} here.*{tmp_path}.*`seedleaf weights"
    ):
        build_network(architecture(weights="default"))


def test_weights_of_another_network_are_refused(trained: Path) -> None:
    with pytest.raises(ArchitectureError, match=r"no weights of tinynet_e: .* is missing or differs"):
        build_network(architecture("tinynet_e", weights=str(trained)))
