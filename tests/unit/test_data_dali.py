"""Decoder ``dali``: the same images as Pillow's but for rounding, or an error that says what to install."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.contract.dataset import Resize
from tests.unit.data_folders import encode, folder_spec, picture, write_classes
from workers.data import MissingPackageError, load_dataset

HAS_DALI = importlib.util.find_spec("nvidia") is not None and importlib.util.find_spec("nvidia.dali") is not None


@pytest.mark.skipif(HAS_DALI, reason="nvidia.dali is installed")
def test_without_dali_the_error_says_what_to_install(tmp_path: Path) -> None:
    root = write_classes(tmp_path / "data", {"cat": 4, "dog": 4})
    with pytest.raises(MissingPackageError, match=r"install seedleaf\[dali\].*or choose decoder: pillow"):
        load_dataset(folder_spec(root, decoder="dali"), side_px=16, cache_dir=tmp_path / "cache")


@pytest.mark.skipif(not HAS_DALI, reason="nvidia.dali is not installed")
@pytest.mark.parametrize("resize", ["pad", "stretch", "crop"])
def test_dali_gives_the_images_that_pillow_gives_and_names_the_same_broken_files(
    tmp_path: Path, resize: Resize
) -> None:
    root = tmp_path / "data"
    for number in range(150):
        (root / f"class{number % 2}").mkdir(parents=True, exist_ok=True)
        smooth = picture(number, width_px=6, height_px=4).resize((90, 60 + number % 40))
        mode, form = (("RGB", "JPEG"), ("L", "JPEG"), ("RGB", "PNG"), ("CMYK", "JPEG"))[number % 4]
        exif = Image.Exif()
        exif[0x0112] = number % 8 + 1
        (root / f"class{number % 2}" / f"{number}").write_bytes(encode(smooth.convert(mode), form, exif=exif))
    (root / "class0" / "truncated").write_bytes((root / "class0" / "0").read_bytes()[:700])
    (root / "class1" / "text").write_bytes(b"not an image")
    pillow, dali = (
        load_dataset(folder_spec(root, decoder=decoder, resize=resize), side_px=32, cache_dir=tmp_path / "cache")
        for decoder in ("pillow", "dali")
    )
    assert dali.skipped == pillow.skipped
    assert len(dali.skipped) == 2
    difference = np.abs(dali.images.astype(int) - pillow.images)
    assert difference.max() <= (40 if resize == "crop" else 10)
    assert difference.mean() < 2
