"""What a data set is, whatever its files are called: digests of its photos, an order of its samples, and one id.

Rows are ordered by content, so that a copy of the data under other names has the same rows, id and splits. Digests are
remembered under the photos' names and stamps (size and time), so that unchanged files are hashed once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import filelock

from search.contract.dataset_report import Skipped
from search.files import replace_file
from workers.data.listing import Listing, Photo, Sample
from workers.data.threads import map_in_threads

#: Remembered lists of digests; 32 bytes a photo each.
_MAX_REMEMBERED = 64
_LEAK = "the same image is in the validation split: not trained on"


@dataclass(frozen=True, kw_only=True)
class Content:
    """``rows`` are the samples to decode, in the order of their content; ``digests`` are their photos' (SHA-256).

    ``skipped`` are photos that cannot be read; ``leaked`` training photos that are in a given validation split too.
    """

    id: str
    rows: tuple[Sample, ...]
    digests: tuple[bytes, ...]
    skipped: tuple[Skipped, ...]
    leaked: tuple[Skipped, ...]


def read_content(listing: Listing, cache_dir: Path) -> Content:
    return arrange(listing, *photo_digests(listing.photos, cache_dir))


def arrange(listing: Listing, digests: Sequence[bytes], unread: Mapping[int, str]) -> Content:
    """Orders what can be read and leaves out the leaks; ``unread`` says why by photo."""
    held_out = {digests[sample.photo] for sample in listing.samples if sample.split == "validation"}
    rows: list[Sample] = []
    leaked: set[int] = set()
    for sample in listing.samples:
        if sample.photo in unread:
            continue
        if sample.split == "train" and digests[sample.photo] in held_out:
            leaked.add(sample.photo)
        else:
            rows.append(sample)
    rows.sort(key=lambda sample: _order(sample, digests))
    return Content(
        id=_identity(rows, digests, listing.classes),
        rows=tuple(rows),
        digests=tuple(digests[sample.photo] for sample in rows),
        skipped=tuple(Skipped(name=listing.photos[photo].name, reason=reason) for photo, reason in unread.items()),
        leaked=tuple(Skipped(name=listing.photos[photo].name, reason=_LEAK) for photo in sorted(leaked)),
    )


def photo_digests(photos: Sequence[Photo], cache_dir: Path) -> tuple[list[bytes], dict[int, str]]:
    """SHA-256 of each photo's bytes, and why some could not be read (by index; their digest is empty)."""
    remembered = _remembered_at(photos, cache_dir)
    if remembered:
        with suppress(FileNotFoundError):
            data = remembered.read_bytes()
            return [data[start : start + 32] for start in range(0, len(data), 32)], {}
    results = list(map_in_threads(_digest, photos))
    digests = [result if isinstance(result, bytes) else b"" for result in results]
    unread = {index: result for index, result in enumerate(results) if isinstance(result, str)}
    if remembered and not unread:
        _remember(remembered, b"".join(digests))
    return digests, unread


def _remember(path: Path, data: bytes) -> None:
    replace_file(path, data)
    with filelock.FileLock(path.parent / ".lock"):
        kept = [other for other in path.parent.iterdir() if not other.name.startswith(".")]
        for other in sorted(kept, key=lambda other: other.stat().st_mtime)[:-_MAX_REMEMBERED]:
            other.unlink()


def _remembered_at(photos: Sequence[Photo], cache_dir: Path) -> Path | None:
    signature = hashlib.sha256()
    for photo in photos:
        if photo.stamp is None:
            return None
        signature.update(f"{photo.name}\0{photo.stamp}\0".encode())
    return cache_dir / "digests" / signature.hexdigest()


def _digest(photo: Photo) -> bytes | str:
    try:
        return hashlib.sha256(photo.read()).digest()
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _order(sample: Sample, digests: Sequence[bytes]) -> tuple[bytes, tuple[int, ...], int, str]:
    box = sample.box
    edges = (box.left, box.top, box.right, box.bottom, *box.frame_px) if box else ()
    return digests[sample.photo], edges, sample.label, sample.split or ""


def _identity(rows: Sequence[Sample], digests: Sequence[bytes], classes: Sequence[str]) -> str:
    identity = hashlib.sha256()
    for sample in rows:
        digest, edges, label, split = _order(sample, digests)
        identity.update(f"{digest.hex()} {edges} {split} {classes[label]}\n".encode())
    return identity.hexdigest()
