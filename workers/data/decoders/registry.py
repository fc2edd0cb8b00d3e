"""Decoder, and the decoders by the name that a data set's spec gives."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from search.contract.dataset import Resize
from search.registry import Registry
from workers.data.listing import Photo, Sample

#: A row's index, and its pixels (uint8 [side, side, 3]) or why it has none.
DecodedRow = tuple[int, np.ndarray | str]


class DecodeRows(Protocol):
    """The index of each sample with its pixels. A photo is read and decoded once, however many samples it has."""

    def __call__(
        self, photos: Sequence[Photo], samples: Sequence[Sample], *, side_px: int, resize: Resize
    ) -> Iterator[DecodedRow]: ...


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """``version`` changes when the decoder's pixels may. Both import the packages that only this decoder needs."""

    version: Callable[[], str]
    decode_rows: DecodeRows


DECODERS = Registry[Decoder]("decoder")
