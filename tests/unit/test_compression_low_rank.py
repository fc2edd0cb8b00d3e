"""Low-rank layers, and folded batch normalization: the same function, or nearly so, with less to compute."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from search.contract.candidate import Layer
from search.contract.recipes import BatchNormFolding, GlobalPruning, LowRank
from tests.unit.compression_states import compression_state, trained
from tests.unit.training_sets import CLASSES, EVERY_BLOCK, SIDE_PX, small_network
from workers.compression.state import NotApplicableError
from workers.compression.techniques import batchnorm_folding, global_pruning, low_rank
from workers.models import Network
from workers.models.profile import count_macs

POINTWISE: tuple[Layer, ...] = (
    (1, "Conv", (16, 1, 2)),
    (1, "Conv", (32, 1, 2)),
    (1, "GlobalAvgPool", ()),
    (1, "FixedConv", (CLASSES,)),
)


def low_rank_convolution(rank: int, **geometry: int) -> nn.Conv2d:
    """16 to 24 channels, of which only ``rank`` directions are used on both sides."""
    convolution = nn.Conv2d(16, 24, 3, padding=1, **geometry)  # type: ignore[arg-type]
    with torch.no_grad():
        convolution.weight.copy_(
            torch.einsum(
                "os,srkl,ri->oikl", torch.randn(24, rank), torch.randn(rank, rank, 3, 3), torch.randn(rank, 16)
            )
        )
    return convolution


@settings(deadline=None, max_examples=25)
@given(rank=st.integers(1, 6), stride=st.integers(1, 2), dilation=st.integers(1, 2), seed=st.integers(0, 2**32 - 1))
def test_a_convolution_of_low_rank_is_split_without_loss(rank: int, stride: int, dilation: int, seed: int) -> None:
    torch.manual_seed(seed)
    convolution = low_rank_convolution(rank, stride=stride, dilation=dilation)
    split = low_rank.split_convolution(convolution, energy=1 - 1e-9)
    assert split is not None
    assert [layer.out_channels for layer in split][:2] == [rank, rank]
    images = torch.randn(2, 16, 12, 12)
    torch.testing.assert_close(split(images), convolution(images), rtol=1e-3, atol=1e-2)


@settings(deadline=None, max_examples=25)
@given(rank=st.integers(1, 9), bias=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_a_linear_layer_of_low_rank_is_split_without_loss(rank: int, bias: bool, seed: int) -> None:
    torch.manual_seed(seed)
    layer = nn.Linear(40, 20, bias=bias)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(20, rank) @ torch.randn(rank, 40))
    split = low_rank.split_linear(layer, energy=1 - 1e-9)
    assert split is not None
    assert split[0].out_features == rank
    vectors = torch.randn(3, 40)
    torch.testing.assert_close(split(vectors), layer(vectors), rtol=1e-3, atol=1e-3)


def test_layers_are_split_only_where_that_is_cheaper() -> None:
    assert low_rank.split_linear(nn.Linear(40, 20), energy=1.0) is None
    assert low_rank.split_convolution(nn.Conv2d(16, 24, 3), energy=1.0) is None
    # With a stride the first of the three convolutions works on four times as many places.
    assert low_rank.split_convolution(low_rank_convolution(16, stride=1), energy=1 - 1e-9) is not None
    assert low_rank.split_convolution(low_rank_convolution(16, stride=2), energy=1 - 1e-9) is None


def test_less_energy_means_fewer_multiplications_and_the_classes_stay() -> None:
    macs = []
    for energy in (0.7, 0.4):
        state = compression_state(network=small_network(backbone=EVERY_BLOCK))
        low_rank.lower_ranks(LowRank(energy=energy), state)
        macs.append(count_macs(state.network, SIDE_PX))
        assert state.network.eval()(torch.rand(2, 3, SIDE_PX, SIDE_PX)).shape == (2, CLASSES)
        assert isinstance(state.network.classifier, nn.Linear)
        assert state.network.classifier.out_features == CLASSES
    assert macs[1] < macs[0] < count_macs(small_network(backbone=EVERY_BLOCK), SIDE_PX)


def test_low_rank_does_not_apply_to_kernels_of_one_pixel() -> None:
    with pytest.raises(
        NotApplicableError, match="linear layers and convolutions with a kernel over 2; the network has"
    ):
        low_rank.lower_ranks(LowRank(energy=0.5), compression_state(network=small_network(backbone=POINTWISE)))


def test_low_rank_does_not_apply_where_it_saves_nothing_or_weights_are_pruned() -> None:
    with pytest.raises(NotApplicableError, match="at 100% of the energy no layer gets cheaper"):
        low_rank.lower_ranks(LowRank(energy=1.0), compression_state())
    state = compression_state()
    global_pruning.prune(GlobalPruning(), state)
    with pytest.raises(NotApplicableError, match="put it before unstructured"):
        low_rank.lower_ranks(LowRank(energy=0.5), state)


def norms(network: Network) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_folding_computes_the_same_without_batch_normalization() -> None:
    state, images = compression_state(), torch.rand(4, 3, SIDE_PX, SIDE_PX)
    batchnorm_folding.fold(BatchNormFolding(), state)
    assert norms(state.network) == 0 < norms(trained())
    with torch.no_grad():
        torch.testing.assert_close(state.network.eval()(images), trained().eval()(images), rtol=1e-4, atol=1e-4)


def test_folding_leaves_what_does_not_follow_a_convolution() -> None:
    network = Network(nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten()))
    batchnorm_folding.fold(BatchNormFolding(), compression_state(network=network))
    assert norms(network) == 1


def test_folding_does_not_apply_without_a_pair() -> None:
    network = Network(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.BatchNorm2d(8), nn.Flatten()))
    with pytest.raises(NotApplicableError, match="no convolution with a batch normalization right after it"):
        batchnorm_folding.fold(BatchNormFolding(), compression_state(network=network))


class _TwoUses(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        assert self.norm.running_mean is not None
        self.norm.running_mean += 1.0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        made = self.convolution(images)
        return torch.add(self.norm(made), made).flatten(1)


def test_folding_does_not_apply_where_the_convolution_is_used_twice() -> None:
    with pytest.raises(NotApplicableError, match="used elsewhere"):
        batchnorm_folding.fold(BatchNormFolding(), compression_state(network=Network(nn.Sequential(_TwoUses()))))
