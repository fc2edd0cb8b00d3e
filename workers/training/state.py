"""TrainingState: all that a training changes, by name, so that it can be copied and brought back in place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Copies of a state's tensors, and what its generators will draw."""

    tensors: dict[str, Tensor]
    generators: tuple[Tensor, ...]


class TrainingState:
    """Tensors whose memory stays where it is, and generators; PyTorch's own generator of the device comes first."""

    def __init__(
        self, tensors: Mapping[str, Tensor], generators: Sequence[torch.Generator], device: torch.device
    ) -> None:
        self.tensors = dict(tensors)
        self.device = device
        self.own_generators = tuple(generators)
        self._generators = (_default_generator(device), *generators)

    def copy(self) -> Snapshot:
        return Snapshot(
            tensors={name: tensor.detach().clone() for name, tensor in self.tensors.items()},
            generators=tuple(generator.get_state() for generator in self._generators),
        )

    @torch.no_grad()
    def restore(self, snapshot: Snapshot) -> None:
        """Write a copy's values into the tensors, which keep their addresses: a CUDA graph goes on with them."""
        for name, tensor in self.tensors.items():
            tensor.copy_(snapshot.tensors[name])
        for generator, state in zip(self._generators, snapshot.generators, strict=True):
            generator.set_state(state)


def _default_generator(device: torch.device) -> torch.Generator:
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        return torch.cuda.default_generators[index]
    return torch.default_generator
