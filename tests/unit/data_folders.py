"""Small image folders for the tests of workers.data."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from search.contract.dataset import DatasetSpec


def picture(number: int, *, width_px: int = 24, height_px: int = 18) -> Image.Image:
    """A picture of noise; another number gives another picture."""
    pixels = np.random.default_rng(number).integers(0, 256, (height_px, width_px, 3), np.uint8)
    return Image.fromarray(pixels)


def encode(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def png(number: int) -> bytes:
    return encode(picture(number))


def write_classes(root: Path, counts: Mapping[str, int], *, first: int = 0) -> Path:
    """One folder a class, of so many different pictures."""
    number = first
    for class_name, count in counts.items():
        (root / class_name).mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            (root / class_name / f"{number:04}.png").write_bytes(png(number))
            number += 1
    return root


def folder_spec(root: Path, **fields: object) -> DatasetSpec:
    """Without a test split, unless the fields ask for one."""
    return DatasetSpec.model_validate({"source": "folder", "path": str(root), "test_fraction": 0, **fields})
