"""What stands in for cuDNN's convolutions computes the same, forwards and backwards, here on a CPU; on a GPU
test_training_execution.py trains with them.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.training.convolutions import GpuConvolutions


class SideStream:
    """Counts what it runs."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, work: Callable[[], Any], *read: Tensor) -> Any:
        self.runs += 1
        return work()


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
        nn.Conv2d(8, 16, 3, dilation=2),
        nn.Conv2d(8, 16, 1, padding=1),
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
        with GpuConvolutions(SideStream().run, convolution.parameters()):
            found = outcome()
    for own, other in zip(found, expected, strict=True):
        assert own.dtype == other.dtype
        assert torch.allclose(own, other, rtol=0.05, atol=0.05 * float(other.abs().max()))


@pytest.mark.parametrize("kernel", [1, 3])
def test_the_gradient_of_a_weight_that_others_wait_for_is_computed_at_once(kernel: int) -> None:
    side, images = SideStream(), torch.randn(2, 4, 6, 6)
    own, derived = (torch.randn(8, 4, kernel, kernel, requires_grad=True) for _ in range(2))
    with torch.autocast("cpu", dtype=torch.bfloat16), GpuConvolutions(side.run, [own]):
        result = functional.conv2d(images, own) + functional.conv2d(images, derived * 2)
    result.sum().backward()
    assert side.runs == 1
    assert derived.grad is not None
