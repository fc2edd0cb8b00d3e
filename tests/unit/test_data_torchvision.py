"""Source ``torchvision``: its sets by name, from files under a local root."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.contract.dataset import DatasetSpec
from tests.unit.data_folders import encode, picture
from workers.data import DatasetFormatError, DatasetNotFoundError, inspect, load_dataset


def write_mnist(root: Path, part: str, labels: list[int], first: int) -> None:
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.stack(
        [np.asarray(picture(first + n, width_px=28, height_px=28).convert("L")) for n in range(len(labels))]
    )
    header = struct.pack(">IIII", 0x803, len(labels), 28, 28)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, len(labels)) + bytes(labels))


def torchvision_spec(root: Path, name: str, **fields: Any) -> DatasetSpec:
    required = {"source": "torchvision", "path": str(root), "name": name}
    return DatasetSpec.model_validate({**required, "test_fraction": 0, **fields})


def test_a_set_with_two_parts_gives_its_own_split_and_the_classes_that_it_has(tmp_path: Path) -> None:
    write_mnist(tmp_path, "train", [3, 7] * 6, first=0)
    write_mnist(tmp_path, "t10k", [3, 7] * 2, first=100)
    dataset = load_dataset(torchvision_spec(tmp_path, "MNIST"), side_px=28, cache_dir=tmp_path / "cache")
    assert dataset.classes == ("3 - three", "7 - seven")
    assert (len(dataset.splits.full_train), len(dataset.splits.validation)) == (12, 4)
    expected = {
        np.asarray(picture(n, width_px=28, height_px=28).convert("L")).tobytes() for n in (*range(12), *range(100, 104))
    }
    assert {image[:, :, 0].tobytes() for image in dataset.images} == expected


def test_a_set_in_one_piece_is_split_here(tmp_path: Path) -> None:
    for number in range(20):
        folder = tmp_path / "eurosat" / "2750" / ("Forest" if number % 2 else "River")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(encode(picture(number)))
    dataset = load_dataset(torchvision_spec(tmp_path, "EuroSAT"), side_px=16, cache_dir=tmp_path / "cache")
    assert dataset.classes == ("Forest", "River")
    assert (len(dataset.splits.full_train), len(dataset.splits.validation)) == (16, 4)


def test_a_set_that_is_not_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"no usable CIFAR10 under .*set download"):
        inspect(torchvision_spec(tmp_path, "CIFAR10"))


def test_an_unknown_name_is_an_error_that_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(DatasetFormatError, match=r"'CocoDetection' here; known: .*CIFAR10"):
        inspect(torchvision_spec(tmp_path, "CocoDetection"))
    with pytest.raises(DatasetFormatError, match="cannot download ImageNet"):
        inspect(torchvision_spec(tmp_path, "ImageNet", download=True))


def test_every_set_is_asked_for_in_a_way_that_torchvision_knows() -> None:
    import inspect as signatures

    import torchvision

    from workers.data.sources.torchvision import _NOT_DOWNLOADABLE, _PARTS

    for name, parts in _PARTS.items():
        parameters = signatures.signature(getattr(torchvision.datasets, name)).parameters
        takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
        asked = {"root"} | {argument for part in parts.values() for argument in part}
        asked |= set() if name in _NOT_DOWNLOADABLE else {"download"}
        assert takes_any or asked <= set(parameters), name
