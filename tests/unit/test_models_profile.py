"""What a network costs, against a count layer by layer and against PyTorch's counter on real weights."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import RandomSampler
from optuna.study import create_study
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from search.candidate import Architecture, Candidate, Layer
from search.space import draw
from search.spec import SpaceSpec
from workers.models import ArchitectureError, Network, build_network, profile
from workers.models.profile import count_macs, count_params

SPACE = SpaceSpec.model_validate({"image_size": [16, 24, 33]})
HEAD: tuple[Layer, ...] = ((1, "Conv", (32, 1, 1)), (1, "GlobalAvgPool", ()), (1, "FixedConv", (5,)))


def candidate(seed: int) -> Candidate:
    trial = create_study(sampler=RandomSampler(seed=seed)).ask()
    return draw(SPACE, trial, classes=5)


def fixed(*layers: Layer, image_size: int = 16) -> Candidate:
    architecture = Architecture(backbone=(*layers, *HEAD))
    return Candidate(architecture=architecture, image_size=image_size, batch_size=8, learning_rate=0.1, optimizer="sgd")


def macs_by_layer(network: Network, side_px: int) -> int:
    """Multiplications of every convolution: its outputs times the inputs of each."""
    counts = []

    def count(module: nn.Module, _: Any, output: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        counts.append(output.numel() * module.weight[0].numel())

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.no_grad():
        network.eval()(torch.rand(1, 3, side_px, side_px))
    return sum(counts)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2**16))
def test_a_profile_is_that_of_the_real_network(seed: int) -> None:
    drawn = candidate(seed)
    network = build_network(drawn.architecture)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.rand(1, 3, drawn.image_size, drawn.image_size))
    found = profile(drawn)
    assert found["macs"] == counter.get_total_flops() / 2 == macs_by_layer(network, drawn.image_size)
    assert found["params"] == sum(parameter.numel() for parameter in network.parameters())


def test_a_profile_by_hand() -> None:
    found = profile(fixed((1, "Conv", (8, 3, 2))))
    assert found["macs"] == 8 * 8 * 8 * 27 + 8 * 8 * 32 * 8 + 32 * 5
    assert found["params"] == (8 * 27 + 16) + (8 * 32 + 64) + (32 * 5 + 5)


def test_counting_leaves_the_mode_and_the_statistics_of_the_network_alone() -> None:
    network = build_network(fixed((1, "Conv", (8, 3, 2))).architecture)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    count_macs(network, 16)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert count_params(network) == profile(fixed((1, "Conv", (8, 3, 2))))["params"]


def test_an_image_that_is_too_small_for_the_network_is_an_error_that_says_so() -> None:
    with pytest.raises(ArchitectureError, match="Kernel size can't be greater"):
        profile(fixed((1, "Conv", (8, 9, 1, 0)), image_size=8))
