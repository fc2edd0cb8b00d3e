"""Augmented copies made ahead: a data set written out as class folders, originals and copies; and a grid to look at.

An image and a copy's number always give the same file for the same seed, whoever writes it: the work is spread over
processes, and what is there already is not written again.
"""

import hashlib
import io
import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from search.contract.augmentation import Policy
from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from search.files import replace_file
from workers.augmentation.kinds import Image as Pixels
from workers.augmentation.single import augment_image
from workers.data.content import rows_without_test
from workers.data.decode import decode, open_photo
from workers.data.errors import DatasetFormatError, UnreadableImageError
from workers.data.listing import Listing
from workers.data.resize import RESIZERS
from workers.data.sources import list_samples

_ROWS_A_PART = 64
_JOB_FILE = "augmentation.json"
_GRID_SIDE_PX, _GRID_ROWS, _GRID_COPIES, _GRID_GAP_PX = 96, 8, 7, 4


@dataclass(frozen=True, kw_only=True)
class CopyJob:
    """``copies`` augmented images of each original, written under ``out`` in one folder a class."""

    dataset: DatasetSpec
    policy: Policy
    copies: int
    seed: int
    out: Path


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one part of the work came to."""

    images: int
    skipped: tuple[Skipped, ...]


def write_copies(job: CopyJob) -> Iterator[tuple[int, int, Part]]:
    """Do the job on all cores; after each part, how many originals of how many are done, and the part.

    Test images are left out.
    DatasetFormatError if ``out`` holds the files of another job.
    """
    _claim(job)
    rows = rows_without_test(job.dataset, _listing(job.dataset))
    total = len(rows)
    done = 0
    workers = min(os.cpu_count() or 1, -(-total // _ROWS_A_PART))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        chunks = [rows[start : start + _ROWS_A_PART] for start in range(0, total, _ROWS_A_PART)]
        parts = {pool.submit(_write_part, job, chunk): len(chunk) for chunk in chunks}
        for future in as_completed(parts):
            done += parts[future]
            yield done, total, future.result()


def _claim(job: CopyJob) -> None:
    """Note in ``out`` what it is made of, so that a job goes on only in its own folder."""
    described = {
        "dataset": job.dataset.model_dump(mode="json"),
        "policy": job.policy.model_dump(mode="json"),
        "copies": job.copies,
        "seed": job.seed,
    }
    path = job.out / _JOB_FILE
    if path.exists():
        if json.loads(path.read_text()) != described:
            raise DatasetFormatError(
                f"{job.out} holds the images of another policy, seed or data set: name a new folder"
            )
    elif job.out.exists() and any(job.out.iterdir()):
        raise DatasetFormatError(f"{job.out} is not empty: name a new folder")
    else:
        replace_file(path, json.dumps(described, indent=2).encode())


def _write_part(job: CopyJob, rows: Sequence[int]) -> Part:
    skipped, images = [], 0
    for row in rows:
        try:
            images += _write_row(job, row)
        except (UnreadableImageError, OSError) as error:
            photo = _listing(job.dataset).photos[_listing(job.dataset).samples[row].photo]
            skipped.append(Skipped(name=photo.name, reason=str(error)))
    return Part(images=images, skipped=tuple(skipped))


def _write_row(job: CopyJob, row: int) -> int:
    """An original and its copies; the number of images."""
    listing = _listing(job.dataset)
    folder = job.out / listing.classes[listing.samples[row].label]
    paths = [folder / f"{row:06d}.png", *(folder / f"{row:06d}-{copy + 1}.jpg" for copy in range(job.copies))]
    if not all(path.exists() for path in paths):
        original = _square(job.dataset, row)
        replace_file(paths[0], _encoded(original, "PNG"))
        for copy, path in enumerate(paths[1:]):
            augmented = augment_image(original, job.policy, _seed(job.seed, row, copy))
            replace_file(path, _encoded(augmented, "JPEG"))
    return len(paths)


@lru_cache(maxsize=1)
def _listing(dataset: DatasetSpec) -> Listing:
    return list_samples(dataset)


def _square(dataset: DatasetSpec, row: int) -> Pixels:
    """The image made square the spec's way at its own size: uint8 [side, side, 3]. UnreadableImageError."""
    listing = _listing(dataset)
    sample = listing.samples[row]
    image = decode(open_photo(listing.photos[sample.photo].read()), sample.box)
    return np.asarray(RESIZERS[dataset.resize](image, max(image.size)))


def _encoded(pixels: Pixels, form: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, quality=95)
    return buffer.getvalue()


def _seed(seed: int, row: int, copy: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{row}:{copy}".encode()).digest()[:6], "big")


def preview(dataset: DatasetSpec, policy: Policy, *, seed: int) -> bytes:
    """A PNG with some images of the data set, one a line: the original first, then what the policy makes of it.

    Test images are left out.
    """
    rows = rows_without_test(dataset, _listing(dataset))
    lines = []
    for row in [rows[index] for index in np.unique(np.linspace(0, len(rows) - 1, _GRID_ROWS, dtype=int))]:
        small = Image.fromarray(_square(dataset, row)).resize((_GRID_SIDE_PX, _GRID_SIDE_PX))
        original = np.asarray(small)
        copies = [augment_image(original, policy, _seed(seed, row, copy)) for copy in range(_GRID_COPIES)]
        lines.append(np.concatenate([_framed(image) for image in (original, *copies)], axis=1))
    return _encoded(np.concatenate(lines), "PNG")


def _framed(pixels: Pixels) -> Pixels:
    gap = (_GRID_GAP_PX // 2, _GRID_GAP_PX // 2)
    return np.pad(pixels, (gap, gap, (0, 0)), constant_values=255)
