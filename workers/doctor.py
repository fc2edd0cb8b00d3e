"""``python -m workers.doctor``: what of the workers' packages is here, as JSON on standard output."""

import json
import sys
from dataclasses import asdict, dataclass, field
from importlib import metadata

#: What no trial and no compression can do without.
_NEEDED = (
    "albumentations",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "pillow",
    "ray",
    "safetensors",
    "torch",
    "torchvision",
)


@dataclass(frozen=True, kw_only=True)
class RuntimeStatus:
    """``version`` where models can be timed in the runtime here; ``advice`` says how to get it where they cannot."""

    version: str | None
    advice: str | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``packages``: the version of each, None if it is missing. The others are empty where one is."""

    packages: dict[str, str | None]
    gpus: list[str] = field(default_factory=list)
    runtimes: dict[str, RuntimeStatus] = field(default_factory=dict)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _gpus() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def _runtimes() -> dict[str, RuntimeStatus]:
    from workers.latency.runtimes import RUNTIMES

    return {
        name: RuntimeStatus(version=None if runtime.missing else runtime.version(), advice=runtime.missing)
        for name, runtime in RUNTIMES.items()
    }


def main() -> None:
    packages = {name: _version(name) for name in _NEEDED}
    is_complete = all(packages.values())
    answer = Answer(packages=packages, gpus=_gpus(), runtimes=_runtimes()) if is_complete else Answer(packages=packages)
    json.dump(asdict(answer), sys.stdout)


if __name__ == "__main__":
    main()
