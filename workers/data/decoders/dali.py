"""Decoder ``dali``: NVIDIA DALI, on the processor, for whole JPEGs, and Pillow for all else.

All else is other formats, CMYK, boxes, very long pictures, and a batch in which DALI finds a broken image, so that
Pillow names it. Pixels differ from Pillow's by rounding, which may move a cut by half a pixel. https://docs.nvidia.com/deeplearning/dali
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from search.contract.dataset import Resize
from workers.data.decode import open_photo
from workers.data.decoders.pillow import decode_photo, rows_by_photo
from workers.data.decoders.registry import DECODERS, DecodedRow, Decoder
from workers.data.errors import UnreadableImageError
from workers.data.listing import Photo, Sample
from workers.data.threads import THREADS, map_in_threads

if TYPE_CHECKING:
    from nvidia.dali import Pipeline

_Item = TypeVar("_Item")
_BATCH = 64
#: ``crop`` scales before it cuts, so that a picture longer than this would grow too large.
_MAX_ASPECT = 16


def version() -> str:
    import nvidia.dali

    return f"dali {nvidia.dali.__version__} 1"


def decode_rows(
    photos: Sequence[Photo], samples: Sequence[Sample], *, side_px: int, resize: Resize
) -> Iterator[DecodedRow]:
    """As ``DecodeRows`` says."""
    rows_of = rows_by_photo(samples)
    with_pillow = partial(decode_photo, photos, samples, rows_of, side_px=side_px, resize=resize)
    pipeline = _Pipeline(side_px, resize)

    def prepare(photo: int) -> tuple[int, np.ndarray | list[DecodedRow]]:
        is_whole = all(samples[row].box is None for row in rows_of[photo])
        data = _suitable_bytes(photos[photo]) if is_whole else None
        return photo, with_pillow(photo) if data is None else data

    for batch in _batches(map_in_threads(prepare, sorted(rows_of))):
        suitable = [(photo, outcome) for photo, outcome in batch if isinstance(outcome, np.ndarray)]
        for _, outcome in batch:
            if isinstance(outcome, list):
                yield from outcome
        squares = pipeline.run([data for _, data in suitable]) if suitable else []
        for index, (photo, _) in enumerate(suitable):
            if squares is None:
                yield from with_pillow(photo)
            else:
                yield from ((row, squares[index]) for row in rows_of[photo])


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    remaining = iter(items)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _suitable_bytes(photo: Photo) -> np.ndarray | None:
    try:
        data = photo.read()
        image = open_photo(data)
    except (UnreadableImageError, OSError):
        return None
    is_long = max(image.size) > _MAX_ASPECT * min(image.size)
    is_plain = image.format == "JPEG" and image.mode in ("RGB", "L")
    return np.frombuffer(data, np.uint8) if is_plain and not is_long else None


class _Pipeline:
    """Encoded JPEGs to squares; an error spoils a DALI pipeline, so the next batch gets a new one."""

    def __init__(self, side_px: int, resize: Resize) -> None:
        self._side_px = side_px
        self._resize = resize
        self._pipeline: Pipeline | None = None

    def run(self, batch: Sequence[np.ndarray]) -> list[np.ndarray] | None:
        """A square uint8 [side, side, 3] each; None where DALI cannot decode one of them."""
        if self._pipeline is None:
            self._pipeline = self._build()
        try:
            self._pipeline.feed_input("encoded", batch)
            (squares,) = self._pipeline.run()
        except RuntimeError:
            self._pipeline = None
            return None
        return [np.array(squares[index]) for index in range(len(batch))]

    def _build(self) -> "Pipeline":
        import nvidia.dali
        from nvidia.dali import fn, types

        side_px = self._side_px
        mode = {"pad": "not_larger", "stretch": "stretch", "crop": "not_smaller"}[self._resize]
        pipeline = nvidia.dali.Pipeline(
            batch_size=_BATCH,
            num_threads=THREADS,
            device_id=None,
            prefetch_queue_depth=1,
            exec_async=False,
            exec_pipelined=False,
        )
        with pipeline:
            encoded = fn.external_source(name="encoded", ndim=1, dtype=types.UINT8)
            images = fn.decoders.image(encoded, device="cpu", output_type=types.RGB)
            images = fn.resize(images, size=[side_px, side_px], mode=mode, interp_type=types.INTERP_LINEAR)
            squares = fn.crop(
                images,
                crop=(side_px, side_px),
                rounding="truncate",  # as Pillow's integer halves do
                out_of_bounds_policy="pad",
                fill_values=0,
            )
            pipeline.set_outputs(squares)
        pipeline.build()
        return pipeline


DECODERS.add("dali", Decoder(version=version, decode_rows=decode_rows))
