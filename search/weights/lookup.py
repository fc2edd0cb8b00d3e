"""Where the weights of a network are on this machine, in the order in which workers look for them.

1. the weights folder, which a cluster's nodes share;
2. an installed package;
3. the cache of earlier downloads, of the Hugging Face hub or of torchvision.

What is nowhere is downloaded by workers that have access to the internet.
"""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from search.contract.weights import Place
from search.weights.catalog import KNOWN, PACKAGED, TORCHVISION, PackagedWeights
from search.weights.folder import WeightsFolder


@dataclass(frozen=True, kw_only=True)
class FoundWeights:
    """``address`` is a path or a URL."""

    place: Place
    address: str
    size_bytes: int
    origin: str
    license: str | None


def find_weights(name: str, folder: WeightsFolder) -> FoundWeights | None:
    """The weights of the network ``name``; None if they are not here. WeightsFolderError if it cannot be asked."""
    if (stored := folder.find(name)) is not None:
        return FoundWeights(
            place="folder",
            address=stored.address,
            size_bytes=stored.size_bytes,
            origin=stored.origin,
            license=stored.license,
        )
    known = KNOWN.get(name)
    if name in PACKAGED and (path := packaged_file(PACKAGED[name])) is not None:
        return _found("package", path, origin=PACKAGED[name].distribution, license_=known.license if known else None)
    if known is not None and (path := _cached(name, known.origin)) is not None:
        return _found("cache", path, origin=known.origin, license_=known.license)
    return None


def _found(place: Place, path: Path, *, origin: str, license_: str | None) -> FoundWeights:
    size_bytes = path.stat().st_size
    return FoundWeights(place=place, address=str(path), size_bytes=size_bytes, origin=origin, license=license_)


def packaged_file(packaged: PackagedWeights) -> Path | None:
    """The file of weights of a package; None if it is not installed."""
    spec = find_spec(packaged.package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / packaged.file


def _cached(name: str, origin: str) -> Path | None:
    path = _in_torch_cache(origin) if name.startswith(TORCHVISION) else _in_hub_cache(origin)
    return path if path is not None and path.is_file() else None


def _in_torch_cache(file: str) -> Path:
    """Where torch.hub keeps a downloaded file."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return Path(os.environ.get("TORCH_HOME", cache / "torch")).expanduser() / "hub" / "checkpoints" / file


def _in_hub_cache(repository: str) -> Path | None:
    """Where huggingface_hub keeps the newest file that it has of a repository; without it there is no cache."""
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(repository, "model.safetensors")
    return Path(cached) if isinstance(cached, str) else None
