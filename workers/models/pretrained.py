"""Weights that were trained elsewhere: torchvision's own, or those of a file."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file as load_safetensors
from torch import Tensor


def load_torchvision(name: str) -> Mapping[str, Tensor]:
    """ImageNet's weights of the network ``name``, from torchvision's cache or its download. ValueError without."""
    import torchvision.models

    try:
        with torch.device("cpu"):
            network: Any = torchvision.models.get_model(name, weights="DEFAULT")
    except OSError as error:
        raise ValueError(
            f"torchvision's weights of {name} cannot be downloaded ({error}): name a file of them instead, "
            "or null for fresh ones"
        ) from error
    weights: Mapping[str, Tensor] = network.state_dict()
    return weights


def load_file(path: str) -> Mapping[str, Tensor]:
    """The tensors of a .safetensors file, or of a .pt or .pth file without code in it. ValueError without."""
    try:
        if Path(path).suffix == ".safetensors":
            safe: Mapping[str, Tensor] = load_safetensors(path)
            return safe
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise ValueError(f"pretrained weights cannot be read from {path}: {error}") from error
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise ValueError(f"{path} holds no state dict: save network.state_dict() there")
    return loaded
