"""Source ``torchvision``: its classification sets by name, under a local root or downloaded there.

Of a set that comes in parts, the training part and one held-out part are the two splits; other parts are left alone.
https://docs.pytorch.org/vision/stable/datasets.html#image-classification
"""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from search.contract.dataset import DatasetSpec
from workers.data.decode import to_ppm
from workers.data.errors import DatasetFormatError, DatasetNotFoundError, MissingPackageError
from workers.data.files import list_tree
from workers.data.listing import Listing, Photo, Sample, Split
from workers.data.sources.registry import SOURCES

if TYPE_CHECKING:
    from torchvision.datasets import VisionDataset

_Parts = dict[Split | None, dict[str, object]]

_WHOLE: _Parts = {None: {}}
_BY_FLAG: _Parts = {"train": {"train": True}, "validation": {"train": False}}


def _by_split(train: str, held_out: str) -> _Parts:
    return {"train": {"split": train}, "validation": {"split": held_out}}


#: How the parts of each set are asked for.
_PARTS: dict[str, _Parts] = {
    "Caltech101": _WHOLE,
    "Caltech256": _WHOLE,
    "CIFAR10": _BY_FLAG,
    "CIFAR100": _BY_FLAG,
    "Country211": _by_split("train", "valid"),
    "DTD": _by_split("train", "val"),
    "EMNIST": {split: {"split": "balanced", **flag} for split, flag in _BY_FLAG.items()},
    "EuroSAT": _WHOLE,
    "FashionMNIST": _BY_FLAG,
    "FER2013": _by_split("train", "test"),
    "FGVCAircraft": _by_split("train", "val"),
    "Flowers102": _by_split("train", "val"),
    "Food101": _by_split("train", "test"),
    "GTSRB": _by_split("train", "test"),
    "Imagenette": _by_split("train", "val"),
    "ImageNet": _by_split("train", "val"),
    "KMNIST": _BY_FLAG,
    "MNIST": _BY_FLAG,
    "OxfordIIITPet": _by_split("trainval", "test"),
    "PCAM": _by_split("train", "val"),
    "Places365": _by_split("train-standard", "val"),
    "QMNIST": _BY_FLAG,
    "RenderedSST2": _by_split("train", "val"),
    "SEMEION": _WHOLE,
    "StanfordCars": _by_split("train", "test"),
    "STL10": _by_split("train", "test"),
    "SUN397": _WHOLE,
    "SVHN": _by_split("train", "test"),
    "USPS": _BY_FLAG,
}
_NOT_DOWNLOADABLE = ("FER2013", "ImageNet")

#: Where the sets keep their labels, or pairs that end in them; reading each item is the slow way that always works.
_LABELS = ("targets", "labels", "_labels", "y")
_PAIRS = ("_samples", "samples")


@SOURCES.register("torchvision")
def list_samples(spec: DatasetSpec) -> Listing:
    """Classes are those that have an image; names are the set's own, or the numbers of its labels."""
    import torchvision

    assert spec.path is not None
    parts = {split: _open(spec, arguments) for split, arguments in _parts_of(spec).items()}
    labels = {split: _labels(part) for split, part in parts.items()}
    present = sorted(set().union(*labels.values()))
    label_of = {label: index for index, label in enumerate(present)}
    root_stamp = _stamp(spec.path)
    photos: list[Photo] = []
    samples: list[Sample] = []
    for split, part in parts.items():
        for index, label in enumerate(labels[split]):
            samples.append(Sample(photo=len(photos), label=label_of[label], split=split))
            photos.append(
                Photo(
                    name=f"{spec.name} {split or 'image'} {index}",
                    stamp=f"{root_stamp} torchvision {torchvision.__version__}",
                    read=partial(_read, part, index),
                )
            )
    names = getattr(next(iter(parts.values())), "classes", None)
    return Listing(
        classes=tuple(str(names[label]) if names else str(label) for label in present),
        photos=tuple(photos),
        samples=tuple(samples),
    )


def _parts_of(spec: DatasetSpec) -> _Parts:
    if spec.name not in _PARTS:
        raise DatasetFormatError(
            f"torchvision has no classification set {spec.name!r} here; known: {', '.join(_PARTS)}"
        )
    if spec.download and spec.name in _NOT_DOWNLOADABLE:
        raise DatasetFormatError(f"torchvision cannot download {spec.name}: put its files under {spec.path}")
    return _PARTS[spec.name]


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
