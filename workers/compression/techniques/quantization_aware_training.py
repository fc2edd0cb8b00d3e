"""Quantization-aware training: weights and activations are rounded in every forward pass as static int8 rounds them.

https://arxiv.org/abs/1712.05877. Gradients pass a rounding unchanged within its range, and are zero outside. The
rounding goes when the training ends: the static quantization that follows puts it into the file.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from search.contract.recipes import QuantizationAwareTraining
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.techniques.registry import NETWORK_TECHNIQUES
from workers.compression.training import train_on
from workers.models import Network

_SMALLEST_SCALE = 1e-8
_FOLLOW = 0.05


@NETWORK_TECHNIQUES.register("quantization_aware_training")
def train_aware(config: QuantizationAwareTraining, state: CompressionState) -> None:
    """NotApplicableError without a convolution or linear layer."""
    with rounding(state.network):
        train_on(config, state)


class RoundedWeight(nn.Module):
    """Weights [out, ...] rounded to 255 steps from -largest to largest of each output channel.

    A batch normalization that follows scales whole channels, so it is the same whether it is folded before or after.
    """

    def forward(self, weight: Tensor) -> Tensor:
        largest = weight.detach().abs().flatten(1).amax(1)
        scale = (largest / 127).clamp(min=_SMALLEST_SCALE)
        zero = torch.zeros_like(scale, dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -127, 127)


class RoundedInput:
    """A forward pre-hook that rounds a layer's input to 256 steps over the range that the training batches show."""

    def __init__(self) -> None:
        self._range: tuple[Tensor, Tensor] | None = None

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        values, *rest = inputs
        if module.training or self._range is None:
            self._follow(values.detach())
        assert self._range is not None
        low, high = self._range
        scale = ((high - low) / 255).clamp(min=_SMALLEST_SCALE)
        zero = (-low / scale).round().clamp(0, 255).to(torch.int32)
        return (torch.fake_quantize_per_tensor_affine(values.float(), scale, zero, 0, 255), *rest)

    def _follow(self, values: Tensor) -> None:
        """A moving average of the batches' ranges, with zero inside, so that it is exact."""
        low, high = values.amin().float().clamp(max=0), values.amax().float().clamp(min=0)
        if self._range is not None:
            low, high = self._range[0].lerp(low, _FOLLOW), self._range[1].lerp(high, _FOLLOW)
        self._range = (low, high)


@contextmanager
def rounding(network: Network) -> Iterator[None]:
    """Within it, all convolutions and linear layers of the network round their weights and inputs."""
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    if not layers:
        raise NotApplicableError("quantization-aware training treats convolutions and linear layers; there are none")
    hooks = [layer.register_forward_pre_hook(RoundedInput()) for layer in layers]
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", RoundedWeight())
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for layer in layers:
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
