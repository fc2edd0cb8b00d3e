"""A moving average of a network's weights, and of the statistics of its normalization layers."""

import copy

import torch
from torch import Tensor, nn


class Average:
    """``network`` is a copy whose tensors follow those of the trained network: it is scored and returned in its place.

    Over the first steps the average is quicker, with a decay of (1 + step) / (10 + step), to leave the random start
    behind.
    """

    def __init__(self, trained: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(trained).requires_grad_(False)
        self._decay = decay
        pairs = list(zip(self.network.state_dict().values(), trained.state_dict().values(), strict=True))
        self._averages = [average for average, _ in pairs if average.is_floating_point()]
        self._values = [value for _, value in pairs if value.is_floating_point()]

    @torch.no_grad()
    def follow(self, step: Tensor) -> None:
        """Move towards the trained network, after the step that ``step``, a tensor of one number, counts from 0."""
        weight = 1 - ((1 + step) / (10 + step)).clamp(max=self._decay)
        distances = torch._foreach_sub(self._values, self._averages)
        torch._foreach_mul_(distances, weight)
        torch._foreach_add_(self._averages, distances)

    def copy_into(self, trained: nn.Module) -> None:
        trained.load_state_dict(self.network.state_dict())
