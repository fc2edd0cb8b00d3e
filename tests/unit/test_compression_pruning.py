"""Unstructured and structured pruning and fine-tuning, on the network itself."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from search.contract.candidate import Layer
from search.contract.recipes import (
    FineTuning,
    GlobalPruning,
    GradualPruning,
    Importance,
    PruningScope,
    Step,
    StructuredPruning,
    UnstructuredPruning,
)
from tests.unit.compression_states import compression_state, trained
from tests.unit.training_sets import CLASSES, EVERY_BLOCK, SIDE_PX, small_network
from workers.compression.state import NotApplicableError
from workers.compression.techniques import (
    fine_tuning,
    global_pruning,
    gradual_pruning,
    structured_pruning,
    unstructured_pruning,
)
from workers.compression.techniques.registry import NetworkTechnique
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
    state = compression_state()
    unstructured_pruning.prune(UnstructuredPruning(**SHARES), state)
    assert {kind(module) for module in layers(state.network)} == set(SHARES)
    for module in layers(state.network):
        assert zero_share(module.weight) == pytest.approx(SHARES[kind(module)], abs=0.5 / module.weight.numel())
    assert zero_share(state.network.get_parameter("classifier.weight")) == 0


def test_linear_layers_have_a_share_of_their_own() -> None:
    network = Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE_PX**2, 16), nn.ReLU(), nn.Linear(16, CLASSES)))
    state = compression_state(network=network)
    unstructured_pruning.prune(UnstructuredPruning(linear=0.75), state)
    assert zero_share(network.get_parameter("layers.1.weight")) == 0.75
    assert zero_share(network.get_parameter("layers.3.weight")) == 0


@pytest.mark.parametrize(
    ("prune", "config"),
    [(unstructured_pruning.prune, UnstructuredPruning()), (gradual_pruning.prune_gradually, GradualPruning())],
)
def test_pruning_of_weights_does_not_apply_to_a_classifier_alone(prune: NetworkTechnique, config: Step) -> None:
    network = Network(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE_PX**2, CLASSES)))
    with pytest.raises(NotApplicableError, match="the network has no other layer"):
        prune(config, compression_state(network=network))


def test_the_smallest_weights_go() -> None:
    state, before = compression_state(), trained()
    unstructured_pruning.prune(UnstructuredPruning(), state)
    for name, mask in state.masks.items():
        weight = before.get_parameter(name)
        assert weight[mask].abs().min() >= weight[~mask].abs().max()
        assert torch.equal(state.network.get_parameter(name), weight * mask)


def test_global_pruning_takes_the_smallest_weights_wherever_they_are() -> None:
    state, before = compression_state(), trained()
    global_pruning.prune(GlobalPruning(ratio=0.6), state)
    kept = torch.cat([mask.flatten() for mask in state.masks.values()])
    weights = torch.cat([before.get_parameter(name).detach().abs().flatten() for name in state.masks])
    assert kept.float().mean() == pytest.approx(0.4, abs=1e-3)
    assert weights[kept].min() >= weights[~kept].max()
    assert len({round(zero_share(module.weight), 2) for module in layers(state.network)}) > 3
    assert zero_share(state.network.get_parameter("classifier.weight")) == 0


def test_gradual_pruning_raises_the_share_of_zeros_along_a_cubic_curve_while_it_trains() -> None:
    config = GradualPruning(ratio=0.8, epochs=6)
    shares = [gradual_pruning.rising_fraction(config, epoch) for epoch in range(1, 7)]
    assert shares == pytest.approx([0.8 * (1 - (1 - part) ** 3) for part in (0.25, 0.5, 0.75, 1, 1, 1)])
    state, before = compression_state(), trained()
    gradual_pruning.prune_gradually(config, state)
    zeros = torch.cat([state.network.get_parameter(name).detach().flatten() == 0 for name in state.masks])
    assert float(zeros.float().mean()) == pytest.approx(0.8, abs=1e-3)
    assert not torch.equal(state.network.get_parameter("classifier.weight"), before.get_parameter("classifier.weight"))


@given(ratio=st.floats(0.01, 0.99), epochs=st.integers(1, 50))
def test_a_gradual_share_only_rises_and_ends_at_its_ratio(ratio: float, epochs: int) -> None:
    config = GradualPruning(ratio=ratio, epochs=epochs)
    shares = [gradual_pruning.rising_fraction(config, epoch) for epoch in range(1, epochs + 1)]
    assert shares == sorted(shares)
    assert shares[-1] == ratio


def test_a_share_of_nothing_prunes_nothing_and_one_weight_always_stays() -> None:
    state = compression_state()
    unstructured_pruning.prune(UnstructuredPruning(conv=0, pointwise=0, depthwise=0.999999), state)
    for module in layers(state.network):
        assert int((module.weight != 0).sum()) == (1 if kind(module) == "depthwise" else module.weight.numel())


def test_fine_tuning_keeps_the_zeros_and_changes_the_rest() -> None:
    state = compression_state()
    unstructured_pruning.prune(UnstructuredPruning(), state)
    pruned = {name: state.network.get_parameter(name).detach().clone() for name in state.masks}
    fine_tuning.fine_tune(FineTuning(epochs=2), state)
    for name, mask in state.masks.items():
        weight = state.network.get_parameter(name)
        assert not weight[~mask].any()
        assert not torch.equal(weight, pruned[name])


def test_zeros_stay_where_the_weights_are_averaged() -> None:
    state = compression_state()
    state.candidate = state.candidate.model_copy(update={"ema_decay": 0.9})
    global_pruning.prune(GlobalPruning(), state)
    fine_tuning.fine_tune(FineTuning(epochs=1), state)
    for name, mask in state.masks.items():
        assert not state.network.get_parameter(name)[~mask].any()


def tuned(**settings: Any) -> torch.Tensor:
    state = compression_state()
    state.candidate = state.candidate.model_copy(update=settings)
    fine_tuning.fine_tune(FineTuning(epochs=2), state)
    return state.network.get_parameter("classifier.weight").detach()


def test_fine_tuning_trains_as_the_candidate_was_trained() -> None:
    plain = tuned()
    assert torch.equal(plain, tuned())
    settings: dict[str, Any] = {
        "loss": "focal",
        "label_smoothing": 0.3,
        "weight_decay": 0.1,
        "schedule": "cosine",
        "ema_decay": 0.5,
        "optimizer": "adamw",
    }
    for name, value in settings.items():
        assert not torch.equal(plain, tuned(**{name: value})), name


def test_fine_tuning_brings_back_what_pruning_lost() -> None:
    state = compression_state()
    structured_pruning.prune(StructuredPruning(ratio=0.5), state)
    before = evaluate(state.network, state.validation).f1
    fine_tuning.fine_tune(FineTuning(epochs=3), state)
    assert evaluate(state.network, state.validation).f1 >= max(before, 0.9)


@pytest.mark.parametrize("ratio", [0.3, 0.5])
def test_structured_pruning_makes_the_network_smaller_and_keeps_its_classes(ratio: float) -> None:
    state, before = compression_state(), trained()
    structured_pruning.prune(StructuredPruning(ratio=ratio), state)
    assert count_params(state.network) < count_params(before)
    assert count_macs(state.network, SIDE_PX) < count_macs(before, SIDE_PX)
    assert all(module.out_channels % 8 == 0 for module in layers(state.network))
    assert state.network.eval()(torch.rand(2, 3, SIDE_PX, SIDE_PX)).shape == (2, CLASSES)


@pytest.mark.parametrize("importance", ["batchnorm", "taylor"])
@pytest.mark.parametrize("scope", ["group", "global"])
def test_every_importance_removes_channels_in_every_scope(importance: Importance, scope: PruningScope) -> None:
    state = compression_state()
    structured_pruning.prune(StructuredPruning(importance=importance, scope=scope, ratio=0.5), state)
    assert count_params(state.network) < count_params(trained())
    assert all(module.out_channels % 8 == 0 for module in layers(state.network))
    assert state.network.eval()(torch.rand(2, 3, SIDE_PX, SIDE_PX)).shape == (2, CLASSES)
    assert all(parameter.grad is None for parameter in state.network.parameters())


def test_the_channels_of_least_scale_go_first() -> None:
    network = trained()
    convolution, norm = network.get_submodule("layers.3.0"), network.get_submodule("layers.3.1")
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    weak = list(range(0, 32, 2))
    with torch.no_grad():
        norm.weight[weak] *= 1e-3
        kept = convolution.weight[[channel for channel in range(32) if channel not in weak], 0, 0, 0].clone()
    structured_pruning.prune(StructuredPruning(importance="batchnorm", ratio=0.5), compression_state(network=network))
    assert set(convolution.weight[:, 0, 0, 0].tolist()) <= set(kept.tolist())


def test_pruning_by_scale_does_not_apply_without_normalization() -> None:
    layers = (nn.Conv2d(3, 32, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(32, CLASSES, 1))
    with pytest.raises(NotApplicableError, match="in steps of 8 by batchnorm"):
        structured_pruning.prune(
            StructuredPruning(importance="batchnorm", ratio=0.5),
            compression_state(network=Network(nn.Sequential(*layers))),
        )


def test_structured_pruning_works_on_every_block_and_leaves_shuffled_channels_as_they_are() -> None:
    network, before = small_network(backbone=EVERY_BLOCK), small_network(backbone=EVERY_BLOCK)
    structured_pruning.prune(StructuredPruning(ratio=0.5), compression_state(network=network))
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
        structured_pruning.prune(StructuredPruning(ratio=0.5), compression_state(network=network))


def narrow(*first: Any) -> tuple[Layer, ...]:
    return ((1, "Conv", (8, 3, 2)), *first, (1, "GlobalAvgPool", ()), (1, "FixedConv", (CLASSES,)))


def test_structured_pruning_does_not_apply_where_no_group_is_wide_enough() -> None:
    with pytest.raises(NotApplicableError, match="no group of channels is wide enough to lose 30% in steps of 8"):
        structured_pruning.prune(
            StructuredPruning(ratio=0.3), compression_state(backbone=narrow((1, "Conv", (8, 1, 1))))
        )


def test_structured_pruning_does_not_apply_after_unstructured() -> None:
    state = compression_state()
    unstructured_pruning.prune(UnstructuredPruning(), state)
    with pytest.raises(NotApplicableError, match="put it before unstructured"):
        structured_pruning.prune(StructuredPruning(), state)
