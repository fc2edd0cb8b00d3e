"""Optimizers: what they are given, the state they begin with, and Muon's orthogonal updates."""

from typing import Any

import pytest
import torch

from search.contract.training_settings import OptimizerName
from tests.unit.training_sets import small_network
from workers.training.muon import Muon, orthogonalized
from workers.training.optimizers import OPTIMIZERS, make_optimizers, set_rates, state_tensors
from workers.training.plan import TrainingPlan


def plan(optimizer: OptimizerName, **fields: Any) -> TrainingPlan:
    return TrainingPlan(epochs=1, batch_size=1, learning_rate=0.2, optimizer=optimizer, seed=0, **fields)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_parameter_is_trained_once_and_only_weights_of_several_dimensions_decay(name: OptimizerName) -> None:
    network = small_network()
    optimizers = make_optimizers(network, plan(name))
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    given = [parameter for group in groups for parameter in group["params"]]
    assert sorted(map(id, given)) == sorted(map(id, network.parameters()))
    for group in groups:
        assert all((parameter.ndim > 1) == (group["weight_decay"] > 0) for parameter in group["params"])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_begin_with_an_empty_memory_and_leave_the_weights_as_they_are(name: OptimizerName) -> None:
    network, untouched = small_network(), small_network()
    optimizers = make_optimizers(network, plan(name))
    for tensor, before in zip(network.parameters(), untouched.parameters(), strict=True):
        assert torch.equal(tensor, before)
        assert tensor.grad is None
    memory = state_tensors(optimizers)
    assert len(memory) >= len(list(network.parameters()))
    assert not any(tensor.any() for tensor in memory.values())


def test_rates_are_shares_of_the_highest_ones_and_adamw_has_a_twentieth_of_the_rate_of_sgd() -> None:
    rates = {}
    for name in ("sgd", "adamw"):
        optimizers = make_optimizers(small_network(), plan(name))
        set_rates(optimizers, torch.tensor(0.5))
        rates[name] = optimizers[0].param_groups[0]["lr"].item()
    assert rates == pytest.approx({"sgd": 0.1, "adamw": 0.005})


def test_muon_takes_the_matrices_between_channels_and_adamw_the_rest() -> None:
    network = small_network()
    muon, adamw = make_optimizers(network, plan("muon"))
    assert isinstance(muon, Muon)
    assert isinstance(adamw, torch.optim.AdamW)
    weights = [parameter for group in muon.param_groups for parameter in group["params"]]
    assert all(weight.ndim == 4 and weight.shape[1] > 1 for weight in weights)
    last = [parameter for parameter in network.parameters() if parameter.ndim > 1][-1]
    assert id(last) not in set(map(id, weights))


@pytest.mark.parametrize("shape", [(8, 8), (8, 72), (48, 16)])
def test_orthogonalizing_brings_the_singular_values_near_1(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    values = torch.linalg.svdvals(orthogonalized(matrix))
    assert values.max() < 1.3
    assert values.median() > 0.6
    assert torch.equal(orthogonalized(torch.zeros(shape)), torch.zeros(shape))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_is_frozen_is_not_trained(name: OptimizerName) -> None:
    network = small_network()
    frozen = network.get_parameter("layers.0.0.weight").requires_grad_(False)
    optimizers = make_optimizers(network, plan(name))
    given = {id(parameter) for made in optimizers for group in made.param_groups for parameter in group["params"]}
    assert id(frozen) not in given
    assert len(given) == len(list(network.parameters())) - 1


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rate_of_a_line_falls_by_the_layer_decay_with_each_line_before_the_classifier(name: OptimizerName) -> None:
    network = small_network()
    peaks = {
        id(parameter): (group["peak"], parameter.ndim > 1)
        for optimizer in make_optimizers(network, plan(name, layer_decay=0.5))
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    plain = {
        id(parameter): group["peak"]
        for optimizer in make_optimizers(network, plan(name))
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    lines = [line for line in network.layers if list(line.parameters())]
    for depth, line in enumerate(reversed(lines)):
        for parameter in line.parameters():
            peak, is_weight = peaks[id(parameter)]
            assert peak == pytest.approx(plain[id(parameter)] * 0.5**depth)
            assert is_weight == (parameter.ndim > 1)
    assert len(peaks) == len(list(network.parameters()))
