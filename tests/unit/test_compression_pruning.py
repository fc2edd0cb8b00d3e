"""Unstructured and structured pruning and fine-tuning, on the network itself."""

from typing import Any

import pytest
import torch
from torch import nn

from search.candidate import Layer
from search.recipes import FineTuning, StructuredPruning, UnstructuredPruning
from tests.unit.training_sets import CLASSES, EVERY_BLOCK, SIDE_PX, small_network
from tests.unit.workpieces import trained, workpiece
from workers.compression import fine_tuning, structured, unstructured
from workers.compression.registry import NotApplicableError
from workers.models import Network
from workers.models.profile import count_macs, count_params
from workers.training.engine import evaluate

SHARES = {"conv": 0.5, "pointwise": 0.4, "depthwise": 0.25}


def kind(module: nn.Conv2d) -> str:
    if module.groups > 1:
        return "depthwise"
    return "pointwise" if module.kernel_size == (1, 1) else "conv"


def zero_share(weight: torch.Tensor) -> float:
    return float((weight == 0).float().mean())


def layers(network: Network) -> list[nn.Conv2d]:
    """The convolutions but the classifier."""
    found = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    return found[:-1]


def test_each_type_of_layer_loses_its_share_of_weights_and_the_classifier_none() -> None:
    piece = workpiece()
    unstructured.prune(UnstructuredPruning(**SHARES), piece)
    assert {kind(module) for module in layers(piece.network)} == set(SHARES)
    for module in layers(piece.network):
        assert zero_share(module.weight) == pytest.approx(SHARES[kind(module)], abs=0.5 / module.weight.numel())
    assert zero_share(piece.network.classifier.weight) == 0


def test_linear_layers_have_a_share_of_their_own() -> None:
    network = Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE_PX**2, 16), nn.ReLU(), nn.Linear(16, CLASSES)))
    piece = workpiece(network=network)
    unstructured.prune(UnstructuredPruning(linear=0.75), piece)
    assert zero_share(network.get_parameter("layers.1.weight")) == 0.75
    assert zero_share(network.get_parameter("layers.3.weight")) == 0


def test_the_smallest_weights_go() -> None:
    piece, before = workpiece(), trained()
    unstructured.prune(UnstructuredPruning(), piece)
    for name, mask in piece.masks.items():
        weight = before.get_parameter(name)
        assert weight[mask].abs().min() >= weight[~mask].abs().max()
        assert torch.equal(piece.network.get_parameter(name), weight * mask)


def test_a_share_of_nothing_prunes_nothing_and_one_weight_always_stays() -> None:
    piece = workpiece()
    unstructured.prune(UnstructuredPruning(conv=0, pointwise=0, depthwise=0.999999), piece)
    for module in layers(piece.network):
        assert int((module.weight != 0).sum()) == (1 if kind(module) == "depthwise" else module.weight.numel())


def test_fine_tuning_keeps_the_zeros_and_changes_the_rest() -> None:
    piece = workpiece()
    unstructured.prune(UnstructuredPruning(), piece)
    pruned = {name: piece.network.get_parameter(name).detach().clone() for name in piece.masks}
    fine_tuning.fine_tune(FineTuning(epochs=2), piece)
    for name, mask in piece.masks.items():
        weight = piece.network.get_parameter(name)
        assert not weight[~mask].any()
        assert not torch.equal(weight, pruned[name])


def test_fine_tuning_brings_back_what_pruning_lost() -> None:
    piece = workpiece()
    structured.prune(StructuredPruning(ratio=0.5), piece)
    before = evaluate(piece.network, piece.validation).f1
    fine_tuning.fine_tune(FineTuning(epochs=3), piece)
    assert evaluate(piece.network, piece.validation).f1 >= max(before, 0.9)


@pytest.mark.parametrize("ratio", [0.3, 0.5])
def test_structured_pruning_makes_the_network_smaller_and_keeps_its_classes(ratio: float) -> None:
    piece, before = workpiece(), trained()
    structured.prune(StructuredPruning(ratio=ratio), piece)
    assert count_params(piece.network) < count_params(before)
    assert count_macs(piece.network, SIDE_PX) < count_macs(before, SIDE_PX)
    assert all(module.out_channels % 8 == 0 for module in layers(piece.network))
    assert piece.network.eval()(torch.rand(2, 3, SIDE_PX, SIDE_PX)).shape == (2, CLASSES)


def test_structured_pruning_works_on_every_block_and_leaves_shuffled_channels_as_they_are() -> None:
    network, before = small_network(backbone=EVERY_BLOCK), small_network(backbone=EVERY_BLOCK)
    structured.prune(StructuredPruning(ratio=0.5), workpiece(network=network))
    params = [
        (count_params(layer), count_params(old)) for layer, old in zip(network.layers, before.layers, strict=True)
    ]
    names = [name for _, name, _ in EVERY_BLOCK]
    assert {name for name, (after, old) in zip(names, params, strict=True) if 0 < after == old} <= {
        "ShuffleNetV2",
        "Linear",
    }
    assert network.eval()(torch.rand(2, 3, SIDE_PX, SIDE_PX)).shape == (2, CLASSES)


def test_structured_pruning_does_not_apply_where_dependencies_cannot_be_followed() -> None:
    network = small_network(backbone=((1, "TorchVision", ("shufflenet_v2_x0_5", 1, None, False, CLASSES, 8)),))
    with pytest.raises(NotApplicableError, match="torch-pruning cannot follow this network"):
        structured.prune(StructuredPruning(ratio=0.5), workpiece(network=network))


def narrow(*first: Any) -> tuple[Layer, ...]:
    return ((1, "Conv", (8, 3, 2)), *first, (1, "GlobalAvgPool", ()), (1, "FixedConv", (CLASSES,)))


def test_structured_pruning_does_not_apply_where_no_group_is_wide_enough() -> None:
    with pytest.raises(NotApplicableError, match="no group of channels is wide enough to lose 30% in steps of 8"):
        structured.prune(StructuredPruning(ratio=0.3), workpiece(backbone=narrow((1, "Conv", (8, 1, 1)))))


def test_structured_pruning_does_not_apply_after_unstructured() -> None:
    piece = workpiece()
    unstructured.prune(UnstructuredPruning(), piece)
    with pytest.raises(NotApplicableError, match="put it before unstructured"):
        structured.prune(StructuredPruning(), piece)
