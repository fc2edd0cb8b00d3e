"""Low-rank layers: a layer becomes two or three thin ones where that lowers its multiply-accumulates.

Linear layers by a truncated singular value decomposition. Convolutions [out, in, k, k] by Tucker-2
(https://arxiv.org/abs/1511.06530): 1x1 from ``in`` to r, k x k from r to s, 1x1 from s to ``out``; the factors are the
leading left singular vectors of the weight unfolded along each kind of channel.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from search.contract.recipes import LowRank
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.techniques.registry import NETWORK_TECHNIQUES
from workers.models import Network

_SMALLEST_KERNEL = 3


@NETWORK_TECHNIQUES.register("low_rank")
def lower_ranks(config: LowRank, state: CompressionState) -> None:
    """NotApplicableError if there is no such layer, or splitting saves nothing in any of them."""
    if state.masks:
        raise NotApplicableError("low rank replaces the layers whose weights are pruned: put it before unstructured")
    layers = list(_treatable(state.network))
    if not layers:
        raise NotApplicableError(
            "low rank treats linear layers and convolutions with a kernel over 2; the network has none of them"
        )
    split = [_split_layer(state.network, name, module, config.energy) for name, module in layers]
    if not any(split):
        raise NotApplicableError(f"at {config.energy:.0%} of the energy no layer gets cheaper by splitting it")


def _treatable(network: Network) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    for name, module in network.named_modules():
        is_spatial = isinstance(module, nn.Conv2d) and min(module.kernel_size) >= _SMALLEST_KERNEL
        if isinstance(module, nn.Linear) or (is_spatial and module.groups == 1 and module.padding_mode == "zeros"):
            yield name, module


def _split_layer(network: Network, name: str, module: nn.Linear | nn.Conv2d, energy: float) -> bool:
    """Whether the layer was replaced."""
    parts = split_linear(module, energy) if isinstance(module, nn.Linear) else split_convolution(module, energy)
    if parts is None:
        return False
    network.set_submodule(name, parts)
    return True


@torch.no_grad()
def split_linear(layer: nn.Linear, energy: float) -> nn.Sequential | None:
    """Two linear layers that compute nearly the same, or None where they would cost as much."""
    left, values, right = torch.linalg.svd(layer.weight, full_matrices=False)
    rank = _rank(values, energy)
    if rank * (layer.in_features + layer.out_features) >= layer.weight.numel():
        return None
    first = nn.Linear(layer.in_features, rank, bias=False)
    second = nn.Linear(rank, layer.out_features, bias=layer.bias is not None)
    first.weight.copy_(right[:rank])
    second.weight.copy_(left[:, :rank] * values[:rank])
    _copy_bias(layer, second)
    return nn.Sequential(first, second)


@torch.no_grad()
def split_convolution(layer: nn.Conv2d, energy: float) -> nn.Sequential | None:
    """Three convolutions that compute nearly the same, or None where they would cost as much.

    The first costs its MACs at the input's size, the others at the output's: with a stride it counts that much more.
    """
    out, channels = layer.weight.shape[:2]
    outputs = _leading_vectors(layer.weight.flatten(1), energy)
    inputs = _leading_vectors(layer.weight.transpose(0, 1).flatten(1), energy)
    r, s = inputs.shape[1], outputs.shape[1]
    taps, inputs_an_output = layer.weight[0, 0].numel(), layer.stride[0] * layer.stride[1]
    if channels * r * inputs_an_output + r * s * taps + s * out >= out * channels * taps:
        return None
    first = nn.Conv2d(channels, r, 1, bias=False)
    stride, padding, dilation = layer.stride, layer.padding, layer.dilation
    core = nn.Conv2d(r, s, layer.kernel_size, stride, padding, dilation, bias=False)  # type: ignore[arg-type]
    last = nn.Conv2d(s, out, 1, bias=layer.bias is not None)
    first.weight.copy_(inputs.T[:, :, None, None])
    core.weight.copy_(torch.einsum("oikl,os,ir->srkl", layer.weight, outputs, inputs))
    last.weight.copy_(outputs[:, :, None, None])
    _copy_bias(layer, last)
    return nn.Sequential(first, core, last)


def _leading_vectors(matrix: Tensor, energy: float) -> Tensor:
    vectors, values, _ = torch.linalg.svd(matrix, full_matrices=False)
    leading: Tensor = vectors[:, : _rank(values, energy)]
    return leading


def _rank(values: Tensor, energy: float) -> int:
    """How many of the largest singular values hold ``energy`` of the sum of their squares."""
    held = values.double().square().cumsum(0)
    return min(int((held < energy * held[-1]).sum()) + 1, len(values))


def _copy_bias(layer: nn.Linear | nn.Conv2d, last: nn.Linear | nn.Conv2d) -> None:
    if layer.bias is not None:
        assert last.bias is not None
        last.bias.copy_(layer.bias)
