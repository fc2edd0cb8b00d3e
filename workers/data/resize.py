"""A picture of any shape to a square one, in three ways; a new way is a function and a line in RESIZERS."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from workers.data.decode import decode, open_photo
from workers.data.errors import UnreadableImageError
from workers.data.listing import Box


def _pad(image: Image.Image, side_px: int) -> Image.Image:
    """The whole picture, centred on black: its shape is kept."""
    scale = side_px / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    square = Image.new("RGB", (side_px, side_px))
    square.paste(_scale(image, size), ((side_px - size[0]) // 2, (side_px - size[1]) // 2))
    return square


def _stretch(image: Image.Image, side_px: int) -> Image.Image:
    return _scale(image, (side_px, side_px))


def _crop(image: Image.Image, side_px: int) -> Image.Image:
    """The square in the middle."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return _scale(image.crop((left, top, left + side, top + side)), (side_px, side_px))


def _scale(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BILINEAR)


RESIZERS: dict[str, Callable[[Image.Image, int], Image.Image]] = {"pad": _pad, "stretch": _stretch, "crop": _crop}


def to_squares(data: bytes, boxes: Sequence[Box | None], *, side_px: int, resize: str) -> list[np.ndarray | str]:
    """The picture (None) or boxes of it, each uint8 [side_px, side_px, 3], or why one has no pixels.

    Raises UnreadableImageError where the bytes are not even the start of an image.
    """
    image = open_photo(data)
    if not any(boxes):
        image.draft("RGB", (2 * side_px, 2 * side_px))  # large JPEGs are decoded at a half, a quarter or an eighth
    squares: list[np.ndarray | str] = []
    for box in boxes:
        try:
            squares.append(np.asarray(RESIZERS[resize](decode(image, box), side_px)))
        except UnreadableImageError as error:
            squares.append(str(error))
    return squares


def preprocess(data: bytes, box: Box | None = None, *, side_px: int, resize: str) -> np.ndarray:
    """An encoded image, or a box of it, exactly as the networks are trained on it: uint8 [side_px, side_px, 3].

    Raises UnreadableImageError.
    """
    [square] = to_squares(data, [box], side_px=side_px, resize=resize)
    if isinstance(square, str):
        raise UnreadableImageError(square)
    return square
