"""Decoder ``pillow``: every format and every box, one image a thread."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import PIL

from workers.data.errors import UnreadableImageError
from workers.data.listing import Photo, Sample
from workers.data.resize import to_squares
from workers.data.threads import map_in_threads

#: A row's index, and its pixels (uint8 [side, side, 3]) or why it has none.
DecodedRow = tuple[int, np.ndarray | str]


def version() -> str:
    return f"pillow {PIL.__version__} 1"


def decode_rows(
    photos: Sequence[Photo], samples: Sequence[Sample], *, side_px: int, resize: str
) -> Iterator[DecodedRow]:
    """The index of each sample with its pixels. A photo is read and decoded once, however many samples it has."""
    rows_of = rows_by_photo(samples)
    decode = partial(decode_photo, photos, samples, rows_of, side_px=side_px, resize=resize)
    for rows in map_in_threads(decode, sorted(rows_of)):
        yield from rows


def rows_by_photo(samples: Sequence[Sample]) -> dict[int, list[int]]:
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, sample in enumerate(samples):
        rows_of[sample.photo].append(row)
    return dict(rows_of)


def decode_photo(
    photos: Sequence[Photo],
    samples: Sequence[Sample],
    rows_of: Mapping[int, list[int]],
    photo: int,
    *,
    side_px: int,
    resize: str,
) -> list[DecodedRow]:
    """Every row of one photo."""
    rows = rows_of[photo]
    try:
        data = photos[photo].read()
        squares = to_squares(data, [samples[row].box for row in rows], side_px=side_px, resize=resize)
    except (UnreadableImageError, OSError) as error:
        squares = [str(error)] * len(rows)
    return list(zip(rows, squares, strict=True))
