"""Decoder ``pillow``: every format and every box, one image a thread."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import PIL

from search.contract.dataset import Resize
from workers.data.decoders.registry import DECODERS, DecodedRow, Decoder
from workers.data.errors import UnreadableImageError
from workers.data.listing import Photo, Sample
from workers.data.resize import to_squares
from workers.data.threads import map_in_threads


def version() -> str:
    return f"pillow {PIL.__version__} 1"


def decode_rows(
    photos: Sequence[Photo], samples: Sequence[Sample], *, side_px: int, resize: Resize
) -> Iterator[DecodedRow]:
    """As ``DecodeRows`` says."""
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
    resize: Resize,
) -> list[DecodedRow]:
    """Every row of one photo."""
    rows = rows_of[photo]
    try:
        data = photos[photo].read()
        squares = to_squares(data, [samples[row].box for row in rows], side_px=side_px, resize=resize)
    except (UnreadableImageError, OSError) as error:
        squares = [str(error)] * len(rows)
    return list(zip(rows, squares, strict=True))


DECODERS.add("pillow", Decoder(version=version, decode_rows=decode_rows))
