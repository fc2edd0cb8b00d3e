"""Encoded bytes to an upright 8-bit RGB picture, or an UnreadableImageError that says why not.

Only the formats below are tried, whatever the file is called; bytes and pixels are capped before anything is decoded.
Gray and palette images become RGB, 16-bit ones keep their high byte, CMYK is converted, transparent parts turn black
(as padding is), an animation gives its first frame, and the EXIF orientation is applied.
"""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from workers.data.errors import UnreadableImageError
from workers.data.files import MAX_FILE_BYTES
from workers.data.listing import Box

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
#: Under Pillow's own warning at 89 million; a 64-megapixel photo takes 192 MB while it is decoded.
MAX_PIXELS = 2**26

Image.init()  # Pillow registers its formats on first use, which is no business of several threads at once


def to_ppm(pixels: np.ndarray) -> bytes:
    """uint8 [height, width] or [height, width, 3] as a PGM or PPM file: the cheapest lossless encoding there is."""
    height, width = pixels.shape[:2]
    magic = "P5" if pixels.ndim == 2 else "P6"
    return f"{magic} {width} {height} 255\n".encode() + pixels.tobytes()


def open_photo(data: bytes) -> Image.Image:
    """The picture with its size and mode, not yet decoded. Raises UnreadableImageError."""
    if not data:
        raise UnreadableImageError("the file is empty")
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableImageError(f"{len(data)} bytes: an image file may have {MAX_FILE_BYTES}")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnreadableImageError(f"not an image, or none of {', '.join(FORMATS)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImageError(f"too many pixels: {MAX_PIXELS} are read at most") from error
    except Exception as error:  # a hostile file can raise nearly anything inside Pillow
        raise _broken(error) from error
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableImageError(f"{image.width} x {image.height} pixels: {MAX_PIXELS} are read at most")
    return image


def decode(image: Image.Image, box: Box | None = None) -> Image.Image:
    """The picture, or a box of it, upright and in RGB. Raises UnreadableImageError."""
    try:
        image.load()
        return _to_rgb(_upright(image, box))
    except (UnreadableImageError, MemoryError):
        raise
    except Exception as error:  # a hostile file can raise nearly anything inside Pillow
        raise _broken(error) from error


def _broken(error: Exception) -> UnreadableImageError:
    return UnreadableImageError(f"broken: {error or type(error).__name__}")


def _upright(image: Image.Image, box: Box | None) -> Image.Image:
    """Boxes are drawn on the upright picture by most tools and on the stored one by some: the frame's size tells."""
    upright = ImageOps.exif_transpose(image)
    if box is None:
        return upright
    edges = (box.left, box.top, box.right, box.bottom)
    if upright.size == box.frame_px:
        return upright.crop(edges)
    if image.size == box.frame_px:
        return ImageOps.exif_transpose(image.crop(edges))
    annotated, actual = ("{} x {}".format(*size) for size in (box.frame_px, upright.size))
    raise UnreadableImageError(f"annotated as {annotated} pixels but has {actual}: the boxes are of another file")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        return _from_16_bit(image).convert("RGB")
    if image.mode == "F":
        raise UnreadableImageError("floating-point pixels: save it with 8 bits a channel")
    if image.has_transparency_data:
        with_alpha = image.convert("RGBA")
        black = Image.new("RGBA", with_alpha.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, with_alpha).convert("RGB")
    return image.convert("RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 0xFFFF:
        raise UnreadableImageError("more than 16 bits a channel: save it with 8")
    return Image.fromarray((values >> 8).astype(np.uint8))
