"""What stands in for cuDNN's convolutions computes the same, forwards and backwards."""

import pytest
import torch
from torch import Tensor, nn

from workers.training.convolutions import GpuConvolutions


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(8, 16, 1),
        nn.Conv2d(8, 16, 1, bias=False),
        nn.Conv2d(8, 16, 1, stride=2),
        nn.Conv2d(8, 16, 1, groups=2),
        nn.Conv2d(8, 16, 3, padding="same"),
        nn.Conv2d(8, 8, 5, stride=2, padding=2, groups=8, bias=False),
        nn.Conv2d(8, 8, 5, stride=2, padding=2, groups=8),
        nn.Conv2d(8, 8, 5, stride=2, padding="valid", groups=8, bias=False),
        nn.Conv2d(8, 8, 1, padding="valid"),
        nn.Conv2d(8, 8, 5, padding=2, groups=8, bias=False),
    ],
    ids=str,
)
def test_results_and_gradients_are_those_of_conv2d(convolution: nn.Conv2d) -> None:
    images = torch.randn(4, 8, 12, 12, generator=torch.Generator().manual_seed(0))
    images = images.to(memory_format=torch.channels_last).requires_grad_()

    def outcome() -> list[Tensor]:
        convolution.zero_grad()
        images.grad = None
        result = convolution(images)
        result.square().sum().backward()
        assert result.is_contiguous(memory_format=torch.channels_last)
        assert images.grad is not None
        return [result.detach(), images.grad, *(weight.grad for weight in convolution.parameters())]

    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected = outcome()
        with GpuConvolutions():
            found = outcome()
    for own, other in zip(found, expected, strict=True):
        assert own.dtype == other.dtype
        assert torch.allclose(own, other, rtol=0.05, atol=0.05 * float(other.abs().max()))
