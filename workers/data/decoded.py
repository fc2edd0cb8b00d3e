"""The rows of a content as decoded images, from the cache or into it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from workers.data.cache import ImageCache
from workers.data.content import Content
from workers.data.decoders import DECODERS
from workers.data.errors import DatasetChangedError, MissingPackageError
from workers.data.listing import Photo

CACHE_LIMIT_BYTES = 50 * 2**30


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """``images`` uint8 [n, side, side, 3], read-only, mapped from the cache; ``labels`` int64 [n]; ``kept``: n rows of
    the content; ``skipped``: what could not be decoded.
    """

    images: np.ndarray
    labels: np.ndarray
    kept: tuple[int, ...]
    skipped: tuple[Skipped, ...]


def decode_content(
    spec: DatasetSpec,
    photos: Sequence[Photo],
    content: Content,
    *,
    side_px: int,
    cache_dir: Path,
    cache_limit_bytes: int,
) -> Decoded:
    """Raises MissingPackageError, CacheFullError, and DatasetChangedError where a photo is no longer as it was hashed:
    then nothing is cached.
    """
    decode_rows, version = DECODERS[spec.decoder].decode_rows, require_decoder(spec.decoder)
    cached = ImageCache(cache_dir / "images", limit_bytes=cache_limit_bytes).get(
        _cache_key(content.id, side_px, spec.resize, version),
        shape=(len(content.rows), side_px, side_px, 3),
        rows=lambda: decode_rows(_as_hashed(photos, content), content.rows, side_px=side_px, resize=spec.resize),
    )
    kept = tuple(row for row in range(len(content.rows)) if row not in cached.failures)
    return Decoded(
        images=cached.images,
        labels=np.array([content.rows[row].label for row in kept], np.int64),
        kept=kept,
        skipped=tuple(
            Skipped(name=photos[content.rows[row].photo].name, reason=reason) for row, reason in cached.failures.items()
        ),
    )


def _as_hashed(photos: Sequence[Photo], content: Content) -> list[Photo]:
    """The photos, which cannot be read once their bytes are others than those of the content."""
    digest_of = {sample.photo: digest for sample, digest in zip(content.rows, content.digests, strict=True)}
    return [
        replace(photo, read=partial(_read_as_hashed, photo, digest_of[index])) if index in digest_of else photo
        for index, photo in enumerate(photos)
    ]


def _read_as_hashed(photo: Photo, digest: bytes) -> bytes:
    data = photo.read()
    if hashlib.sha256(data).digest() != digest:
        raise DatasetChangedError(
            f"{photo.name} changed while the images were read: wait until nothing writes them any more, then make a new"
            " study"
        )
    return data


def require_decoder(name: str) -> str:
    """The decoder's version. MissingPackageError where a package of the decoder is not installed."""
    try:
        return DECODERS[name].version()
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"decoder {name!r} needs a package that is not installed ({error}): install seedleaf[{name}] on every"
            " machine that works, or choose decoder: pillow"
        ) from error


def _cache_key(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
