"""Weights that were trained elsewhere: how a block takes them, torchvision's own, and those of a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file as load_safetensors
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Source:
    """A trained network in ``parts``, and the indices of those ``channels`` that go into the next part."""

    parts: tuple[nn.Sequential, ...]
    channels: Sequence[int]


class Pretrained(nn.Module):
    """A block that may start from weights that were trained elsewhere."""

    def load_pretrained(self, source: Source | None) -> Source | None:
        """Fill it with them, from what the part before it has left, and return what the next part needs.

        ValueError says what to do where they cannot be had.
        """
        raise NotImplementedError


def load_torchvision(name: str) -> Mapping[str, Tensor]:
    """ImageNet's weights of the network ``name``, from torchvision's cache or its download. ValueError without."""
    import torchvision.models

    try:
        with torch.device("cpu"):
            network: nn.Module = torchvision.models.get_model(name, weights="DEFAULT")
    except OSError as error:
        raise ValueError(
            f"torchvision's weights of {name} cannot be downloaded ({error}): name a file of them instead, "
            "or null for fresh ones"
        ) from error
    weights: Mapping[str, Tensor] = network.state_dict()
    return weights


def load_file(path: str) -> Mapping[str, Tensor]:
    """The tensors of a .safetensors file. ValueError without, or for another format: nothing of a user is unpickled."""
    if Path(path).suffix != ".safetensors":
        raise ValueError(
            f"{path} is no .safetensors file, and other formats may run code when they are read: "
            "convert it by safetensors.torch.save_file(network.state_dict(), ...)"
        )
    try:
        tensors: Mapping[str, Tensor] = load_safetensors(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"pretrained weights cannot be read from {path}: {error}") from error
    return tensors
