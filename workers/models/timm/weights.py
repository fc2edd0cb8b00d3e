"""Pretrained weights of timm's networks: the first that ``find_weights`` finds here, or the Hugging Face hub's.

Other formats than safetensors may run code when they are read. The one exception is a packaged file whose SHA-256 is
written in ``search.weights.catalog``.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import timm
import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from torch import Tensor

from search.weights.catalog import PACKAGED, PackagedWeights, ways_to_get
from search.weights.folder import folder_of_environment
from search.weights.lookup import find_weights
from workers.models.pretrained import load_file, load_from_folder


class MissingWeightsError(ValueError):
    """No weights of a network can be had here; the message says how to get them."""


def load_weights_of(name: str) -> Mapping[str, Tensor]:
    """The tensors of timm's network ``name`` with its own names. MissingWeightsError where there are none."""
    folder = folder_of_environment()
    found = find_weights(name, folder)
    if found is not None and found.place == "folder":
        return load_from_folder(folder, name)
    if found is not None and found.place == "package":
        return read_packaged(Path(found.address), name, PACKAGED[name])
    return load_file(_from_hub(name, folder.where))


def read_packaged(path: Path, name: str, packaged: PackagedWeights) -> Mapping[str, Tensor]:
    """The tensors of a package's file, with timm's names. MissingWeightsError for any other file."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != packaged.sha256:
        raise MissingWeightsError(
            f"{path} is not the file that {packaged.distribution} brought (SHA-256 {digest}): install it again"
        )
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    values = [value for key, value in tensors.items() if not key.endswith("num_batches_tracked")]
    with torch.device("meta"):
        own = timm.create_model(name, pretrained=False).state_dict()
    names = [key for key in own if not key.endswith("num_batches_tracked")]
    return dict(zip(names, values, strict=True))


def hub_repository(name: str) -> tuple[str, str | None]:
    """The repository of the hub with timm's weights of ``name``, and their licence. MissingWeightsError without."""
    config = timm.models.get_pretrained_cfg(name)
    if config is None or not config.hf_hub_id:
        raise MissingWeightsError(f"timm knows no pretrained weights of {name}")
    return config.hf_hub_id, config.license


def _from_hub(name: str, folder: str) -> str:
    repository, _ = hub_repository(name)
    try:
        return hf_hub_download(repository, "model.safetensors")
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise MissingWeightsError(
            f"there are no pretrained weights of {name} here: not in the weights folder {folder}, and the hub cannot "
            f"be reached ({reason}). {ways_to_get(name)}"
        ) from error
