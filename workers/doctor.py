"""``python -m workers.doctor``: what of the workers' packages is here, as JSON on standard output."""

import json
import sys
from importlib import metadata
from typing import Any

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


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _gpus() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


def _runtimes() -> dict[str, dict[str, str | None]]:
    """By name, the version of what models can be timed in here, or why it cannot be used and how to get it."""
    from workers.latency.runtimes import RUNTIMES

    return {
        name: {"version": None if runtime.missing else runtime.version(), "advice": runtime.missing}
        for name, runtime in RUNTIMES.items()
    }


def main() -> None:
    packages = {name: _version(name) for name in _NEEDED}
    answer: dict[str, Any] = {"packages": packages, "gpus": [], "runtimes": {}}
    if all(packages.values()):
        answer |= {"gpus": _gpus(), "runtimes": _runtimes()}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
