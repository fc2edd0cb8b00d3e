"""Source ``torchvision``: its classification sets by name, under a local root or downloaded there.

Of a set that comes in parts, each part is what torchvision calls it; parts without labels are left alone.
https://docs.pytorch.org/vision/stable/datasets.html#image-classification
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from search.contract.dataset import DatasetSpec
from search.data_roots import data_roots
from workers.data.decode import to_ppm
from workers.data.errors import DatasetFormatError, DatasetNotFoundError, MissingPackageError
from workers.data.files import list_tree, require_allowed
from workers.data.listing import Listing, Part, Photo, Sample, Split
from workers.data.sources.registry import SOURCES

if TYPE_CHECKING:
    from torchvision.datasets import VisionDataset

#: How each part is asked for; None is a set in one piece.
_Parts = dict[Part | None, dict[str, object]]

_WHOLE: _Parts = {None: {}}
_BY_FLAG: _Parts = {"train": {"train": True}, "test": {"train": False}}


def _by_split(train: str = "train", *, validation: str | None = None, test: str | None = None) -> _Parts:
    named: dict[Part | None, str | None] = {"train": train, "validation": validation, "test": test}
    return {part: {"split": name} for part, name in named.items() if name}


#: How the parts of each set are asked for.
_PARTS: dict[str, _Parts] = {
    "Caltech101": _WHOLE,
    "Caltech256": _WHOLE,
    "CIFAR10": _BY_FLAG,
    "CIFAR100": _BY_FLAG,
    "Country211": _by_split(validation="valid", test="test"),
    "DTD": _by_split(validation="val", test="test"),
    "EMNIST": {part: {"split": "balanced", **flag} for part, flag in _BY_FLAG.items()},
    "EuroSAT": _WHOLE,
    "FashionMNIST": _BY_FLAG,
    "FER2013": _by_split(test="test"),
    "FGVCAircraft": _by_split(validation="val", test="test"),
    "Flowers102": _by_split(validation="val", test="test"),
    "Food101": _by_split(test="test"),
    "GTSRB": _by_split(test="test"),
    "Imagenette": _by_split(validation="val"),
    "ImageNet": _by_split(validation="val"),
    "KMNIST": _BY_FLAG,
    "MNIST": _BY_FLAG,
    "OxfordIIITPet": _by_split("trainval", test="test"),
    "PCAM": _by_split(validation="val", test="test"),
    "Places365": _by_split("train-standard", validation="val"),
    "QMNIST": _BY_FLAG,
    "RenderedSST2": _by_split(validation="val", test="test"),
    "SEMEION": _WHOLE,
    "StanfordCars": _by_split(test="test"),
    "STL10": _by_split(test="test"),
    "SUN397": _WHOLE,
    "SVHN": _by_split(test="test"),
    "USPS": _BY_FLAG,
}
_NOT_DOWNLOADABLE = ("FER2013", "ImageNet")

#: Where the sets keep their labels, or pairs that end in them; reading each item is the slow way that always works.
_LABELS = ("targets", "labels", "_labels", "y")
_PAIRS = ("_samples", "samples")


@SOURCES.register("torchvision")
def list_samples(spec: DatasetSpec) -> Listing:
    """Classes are those that have an image; names are the set's own, or the numbers of its labels."""
    parts = dict(_parts_of(spec))
    test = parts.pop("test", None)
    listing = _listing(spec, parts)
    return listing if test is None else replace(listing, test=partial(_listing, spec, {"test": test}))


def _listing(spec: DatasetSpec, arguments_of: _Parts) -> Listing:
    import torchvision

    assert spec.path is not None
    _require_own_files(spec)
    parts = {part: _open(spec, arguments) for part, arguments in arguments_of.items()}
    labels = {part: _labels(opened) for part, opened in parts.items()}
    present = sorted(set().union(*labels.values()))
    label_of = {label: index for index, label in enumerate(present)}
    root_stamp = _stamp(spec.path)
    photos: list[Photo] = []
    samples: list[Sample] = []
    for part, opened in parts.items():
        split = _split(part) if "validation" in parts else None
        for index, label in enumerate(labels[part]):
            samples.append(Sample(photo=len(photos), label=label_of[label], split=split))
            photos.append(
                Photo(
                    name=f"{spec.name} {part or 'image'} {index}",
                    stamp=f"{root_stamp} torchvision {torchvision.__version__}",
                    read=partial(_read, opened, index),
                )
            )
    names = getattr(next(iter(parts.values())), "classes", None)
    return Listing(
        classes=tuple(str(names[label]) if names else str(label) for label in present),
        photos=tuple(photos),
        samples=tuple(samples),
    )


def _split(part: Part | None) -> Split:
    return "validation" if part == "validation" else "train"


def _parts_of(spec: DatasetSpec) -> _Parts:
    if spec.name not in _PARTS:
        raise DatasetFormatError(
            f"torchvision has no classification set {spec.name!r} here; known: {', '.join(_PARTS)}"
        )
    if spec.download and spec.name in _NOT_DOWNLOADABLE:
        raise DatasetFormatError(f"torchvision cannot download {spec.name}: put its files under {spec.path}")
    return _PARTS[spec.name]


def _require_own_files(spec: DatasetSpec) -> None:
    """torchvision opens files by their names: where there are data roots, no link may be among them."""
    assert spec.path is not None
    require_allowed(spec.path)
    if data_roots() is None or (spec.download and not Path(spec.path).exists()):
        return
    if refused := list_tree(spec.path).refused:
        raise DatasetNotFoundError(f"{spec.path}, {refused[0].name}: {refused[0].reason}")


def _open(spec: DatasetSpec, arguments: dict[str, object]) -> "VisionDataset":
    import torchvision.datasets

    assert spec.name is not None
    download = {} if spec.name in _NOT_DOWNLOADABLE else {"download": spec.download}
    try:
        return getattr(torchvision.datasets, spec.name)(root=spec.path, **arguments, **download)
    except ImportError as error:
        raise MissingPackageError(f"torchvision's {spec.name} needs another package: {error}") from error
    except (RuntimeError, OSError, ValueError) as error:
        raise DatasetNotFoundError(
            f"torchvision found no usable {spec.name} under {spec.path} ({error}): set download, or put its files there"
        ) from error


def _labels(part: "VisionDataset") -> list[int]:
    for attribute in _LABELS:
        if hasattr(part, attribute):
            return [int(label) for label in getattr(part, attribute)]
    for attribute in _PAIRS:
        if hasattr(part, attribute):
            return [int(pair[-1]) for pair in getattr(part, attribute)]
    return [int(part[index][1]) for index in range(len(part))]


def _stamp(root: str) -> str:
    stamps: Sequence[str] = [f"{name} {file.stamp}" for name, file in list_tree(root).files.items()]
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()


def _read(part: "VisionDataset", index: int) -> bytes:
    try:
        image = part[index][0]
        return to_ppm(np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB")))
    except Exception as error:  # these sets decode their own files, which can raise nearly anything
        raise OSError(str(error) or type(error).__name__) from error
