"""What a data set is, whatever its files are called: digests of its photos, an order of its samples, and one id.

Rows are ordered by content, so that a copy of the data under other names has the same rows, id and splits. Digests are
remembered under the photos' names and stamps (size and time), so that unchanged files are hashed once.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import filelock
import numpy as np

from search.contract.dataset import DatasetSpec
from search.contract.dataset_report import Skipped
from search.files import replace_file, writing_to
from workers.data.listing import Listing, Photo, Sample
from workers.data.splits import held_out_for_test
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
    rows.sort(key=lambda sample: _order(sample, digests[sample.photo]))
    row_digests = [digests[sample.photo] for sample in rows]
    return Content(
        id=_identity(rows, row_digests, listing.classes),
        rows=tuple(rows),
        digests=tuple(row_digests),
        skipped=tuple(Skipped(name=listing.photos[photo].name, reason=reason) for photo, reason in unread.items()),
        leaked=tuple(Skipped(name=listing.photos[photo].name, reason=_LEAK) for photo in sorted(leaked)),
    )


def set_test_apart(spec: DatasetSpec, listing: Listing, content: Content) -> tuple[Content, Content]:
    """What the search may read, and the test rows held out of it, which are none where the source has a test part.

    Where the source gives validation, test rows are taken from training rows only.
    """
    held_out = np.zeros(len(content.rows), bool)
    if spec.test_fraction and listing.test is None:
        free = [row for row, sample in enumerate(content.rows) if sample.split != "validation"]
        labels = np.array([content.rows[row].label for row in free], np.int64)
        groups = [content.digests[row] for row in free]
        held_out[free] = held_out_for_test(labels, groups, spec.test_fraction, spec.seed)
    rest, test = (part_of(content, np.flatnonzero(rows).tolist(), listing.classes) for rows in (~held_out, held_out))
    return rest, replace(test, skipped=(), leaked=())


def rows_without_test(spec: DatasetSpec, listing: Listing) -> list[int]:
    """The samples of the listing, by index, that the search may read. Reads photos where test is a fraction."""
    if not spec.test_fraction or listing.test is not None:
        return list(range(len(listing.samples)))
    _, test = set_test_apart(spec, listing, arrange(listing, *read_digests(listing.photos)))
    held_out = set(test.rows)
    return [row for row, sample in enumerate(listing.samples) if sample not in held_out]


def part_of(content: Content, rows: Sequence[int], classes: Sequence[str]) -> Content:
    """These rows only, with an id of their own."""
    samples, digests = tuple(content.rows[row] for row in rows), tuple(content.digests[row] for row in rows)
    return replace(content, id=_identity(samples, digests, classes), rows=samples, digests=digests)


def photo_digests(photos: Sequence[Photo], cache_dir: Path) -> tuple[list[bytes], dict[int, str]]:
    """SHA-256 of each photo's bytes, and why some could not be read (by index; their digest is empty)."""
    remembered = _remembered_at(photos, cache_dir)
    if remembered:
        with suppress(FileNotFoundError):
            data = remembered.read_bytes()
            return [data[start : start + 32] for start in range(0, len(data), 32)], {}
    digests, unread = read_digests(photos)
    if remembered and not unread:
        with writing_to(remembered.parent):
            _remember(remembered, b"".join(digests))
    return digests, unread


def read_digests(photos: Sequence[Photo]) -> tuple[list[bytes], dict[int, str]]:
    """As ``photo_digests``, without remembering them."""
    results = list(map_in_threads(_digest, photos))
    digests = [result if isinstance(result, bytes) else b"" for result in results]
    return digests, {index: result for index, result in enumerate(results) if isinstance(result, str)}


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


def _order(sample: Sample, digest: bytes) -> tuple[bytes, tuple[int, ...], int, str]:
    box = sample.box
    edges = (box.left, box.top, box.right, box.bottom, *box.frame_px) if box else ()
    return digest, edges, sample.label, sample.split or ""


def _identity(rows: Sequence[Sample], digests: Sequence[bytes], classes: Sequence[str]) -> str:
    identity = hashlib.sha256()
    for sample, of_photo in zip(rows, digests, strict=True):
        digest, edges, label, split = _order(sample, of_photo)
        identity.update(f"{digest.hex()} {edges} {split} {classes[label]}\n".encode())
    return identity.hexdigest()
