"""``python -m workers.models.weights_file``: a task on a file of weights as JSON on standard input, its report as JSON.

``{"do": "check", "network": ..., "path": ...}``: whether a .safetensors file holds the network's weights.
``{"do": "convert", "path": ..., "out": ...}``: the one checked .pth file, as .safetensors with timm's names.
``{"do": "download", "network": ..., "out": ...}``: torchvision's weights, as .safetensors.
``{"do": "locate", "network": ...}``: the hub's repository of a network of timm.

The report is ``{"problem": ..., "network": ..., "origin": ..., "license": ...}``; a problem is one sentence.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from safetensors.torch import save_file
from torch import Tensor

from search.weights.catalog import KNOWN, PACKAGED, TORCHVISION
from search.weights.safetensors import read_head
from workers.models.pretrained import download_torchvision


class _Task(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Check(_Task):
    do: Literal["check"]
    network: str
    path: Path


class Convert(_Task):
    do: Literal["convert"]
    path: Path
    out: Path


class Download(_Task):
    do: Literal["download"]
    network: str
    out: Path


class Locate(_Task):
    do: Literal["locate"]
    network: str


@dataclass(frozen=True, kw_only=True)
class WeightsReport:
    """``problem`` says why the task failed."""

    problem: str | None = None
    network: str | None = None
    origin: str | None = None
    license: str | None = None


def check(task: Check) -> WeightsReport:
    """Compare names and shapes with the network's; the classifier may have any number of classes."""
    with task.path.open("rb") as file:
        shapes = read_head(file).shapes
    for name, shape in _shapes_of(task.network).items():
        if name not in shapes:
            raise ValueError(f"{task.path} holds no weights of {task.network}: it has no tensor {name}")
        if shapes[name] != shape:
            raise ValueError(
                f"{task.path} holds no weights of {task.network}: {name} has the shape {list(shapes[name])} there, and "
                f"{list(shape)} in {task.network}"
            )
    return WeightsReport(network=task.network)


def _shapes_of(network: str) -> Mapping[str, tuple[int, ...]]:
    """The shapes of all tensors of a network that a file must have, by name. ValueError for an unknown network."""
    with torch.device("meta"):
        module, classifier = _torchvision(network) if network.startswith(TORCHVISION) else _timm(network)
    return {
        name: tuple(tensor.shape)
        for name, tensor in module.state_dict().items()
        if not name.startswith(f"{classifier}.") and not name.endswith("num_batches_tracked")
    }


def _torchvision(network: str) -> tuple[torch.nn.Module, str]:
    import torchvision.models

    name = network.removeprefix(TORCHVISION)
    if name not in torchvision.models.list_models(module=torchvision.models):
        raise ValueError(f"torchvision has no classification network {name!r}")
    module: torch.nn.Module = torchvision.models.get_model(name)
    layers = [key for key, part in module.named_modules() if isinstance(part, torch.nn.Conv2d | torch.nn.Linear)]
    return module, layers[-1]


def _timm(network: str) -> tuple[torch.nn.Module, str]:
    import timm

    if network not in timm.list_models():
        raise ValueError(f"timm has no network {network!r}: name the file's network with --name")
    config = timm.models.get_pretrained_cfg(network)
    if config is None or not isinstance(config.classifier, str):
        raise ValueError(f"timm does not say what the classifier of {network} is")
    return timm.create_model(network, pretrained=False), config.classifier


def convert(task: Convert) -> WeightsReport:
    """Only a file whose SHA-256 is known: others may run code when they are read."""
    from workers.models.timm.weights import read_packaged

    digest = hashlib.sha256(task.path.read_bytes()).hexdigest()
    network = next((name for name, packaged in PACKAGED.items() if packaged.sha256 == digest), None)
    if network is None:
        raise ValueError(
            f"{task.path} is no .safetensors file, and other formats may run code when they are read: convert it by "
            "safetensors.torch.save_file(network.state_dict(), ...)"
        )
    _save(read_packaged(task.path, network, PACKAGED[network]), task.out)
    return WeightsReport(network=network, origin=PACKAGED[network].distribution, license=KNOWN[network].license)


def download(task: Download) -> WeightsReport:
    """torchvision's file, which must hold weights only."""
    _save(download_torchvision(task.network.removeprefix(TORCHVISION)), task.out)
    return WeightsReport(network=task.network)


def _save(tensors: Mapping[str, Tensor], out: Path) -> None:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, out)


def locate(task: Locate) -> WeightsReport:
    from workers.models.timm.weights import hub_repository

    repository, license_ = hub_repository(task.network)
    return WeightsReport(network=task.network, origin=repository, license=license_)


_TASKS: TypeAdapter[Check | Convert | Download | Locate] = TypeAdapter(
    Annotated[Check | Convert | Download | Locate, Field(discriminator="do")]
)


def run(task: Check | Convert | Download | Locate) -> WeightsReport:
    """The report of a task; what is wrong with its file or its network is a problem, not an error."""
    try:
        match task:
            case Check():
                return check(task)
            case Convert():
                return convert(task)
            case Download():
                return download(task)
            case Locate():
                return locate(task)
    except (OSError, RuntimeError, ValueError) as error:
        return WeightsReport(problem=" ".join(str(error).split()))


def main() -> None:
    json.dump(asdict(run(_TASKS.validate_json(sys.stdin.read()))), sys.stdout)


if __name__ == "__main__":
    main()
