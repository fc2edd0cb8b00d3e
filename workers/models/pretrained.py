"""Weights that were trained elsewhere: how a block takes them, torchvision's own, and those of a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import load_file as load_safetensors
from torch import Tensor, nn

from search.data_roots import data_roots, open_file
from search.weights.catalog import TORCHVISION, ways_to_get
from search.weights.folder import WeightsFolder, folder_of_environment


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
    """ImageNet's weights of the network ``name``: the weights folder's, or torchvision's, which it downloads once.

    ValueError says how to get them where there are none.
    """
    folder = folder_of_environment()
    if folder.find(f"{TORCHVISION}{name}") is not None:
        return load_from_folder(folder, f"{TORCHVISION}{name}")
    return download_torchvision(name)


def download_torchvision(name: str) -> Mapping[str, Tensor]:
    """torchvision's own weights of ``name``, from its cache or its download. ValueError if they cannot be had."""
    import torchvision.models

    try:
        # torchvision would run code that a file has: it reads only a file that was found to have tensors alone.
        torchvision.models.get_model_weights(name).DEFAULT.get_state_dict(weights_only=True, check_hash=True)
        with torch.device("cpu"):
            network: nn.Module = torchvision.models.get_model(name, weights="DEFAULT")
    except OSError as error:
        raise ValueError(
            f"torchvision's weights of {name} cannot be downloaded ({error}). {ways_to_get(f'{TORCHVISION}{name}')}"
        ) from error
    except UnpicklingError as error:
        raise ValueError(
            f"torchvision's file of {name} holds more than weights, so it was not loaded: {error}"
        ) from error
    weights: Mapping[str, Tensor] = network.state_dict()
    return weights


def load_from_folder(folder: WeightsFolder, name: str) -> Mapping[str, Tensor]:
    """The tensors that the weights folder has for ``name``; it must have them."""
    address = folder.address(name)
    return load_file(address) if "://" not in address else _download(folder.where, name)


@lru_cache(maxsize=4)
def _download(where: str, name: str) -> Mapping[str, Tensor]:
    """Read once per process: a worker builds many networks from the same weights."""
    tensors: Mapping[str, Tensor] = parse_safetensors(WeightsFolder(where).read(name))
    return tensors


def load_named_file(path: str) -> Mapping[str, Tensor]:
    """As ``load_file``, for a path that a request names: where there are data roots, the file must lie in them."""
    if data_roots() is None:
        return load_file(path)
    _require_safetensors(path)
    try:
        with open_file(Path(path)) as file:
            tensors: Mapping[str, Tensor] = parse_safetensors(file.read())
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error
    return tensors


def load_file(path: str) -> Mapping[str, Tensor]:
    """The tensors of a .safetensors file. ValueError without, or for another format: nothing of a user is unpickled."""
    _require_safetensors(path)
    try:
        tensors: Mapping[str, Tensor] = load_safetensors(path)
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from error
    return tensors


def _require_safetensors(path: str) -> None:
    if Path(path).suffix != ".safetensors":
        raise ValueError(
            f"{path} is no .safetensors file, and other formats may run code when they are read: "
            "convert it by safetensors.torch.save_file(network.state_dict(), ...)"
        )


def _unreadable(path: str, error: Exception) -> ValueError:
    return ValueError(f"pretrained weights cannot be read from {path}: {error}")
