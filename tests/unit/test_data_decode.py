"""Any bytes become an upright 8-bit RGB square, or an UnreadableImageError that says why not."""

import contextlib
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from search.contract.dataset import Resize
from tests.unit.data_folders import encode, picture, png
from workers.data import UnreadableImageError, preprocess
from workers.data.decode import FORMATS, decode, open_photo, to_ppm


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(decode(open_photo(data)))


def black_png(width_px: int, height_px: int, *, written_bytes: int) -> bytes:
    """A PNG that claims a size and holds so many zeros, whatever the size would need."""
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(written_bytes), 1))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "JPEG"])
def test_every_format_keeps_its_pixels(form: str) -> None:
    image = picture(1).quantize(16).convert("RGB") if form == "GIF" else picture(1)
    options = {"lossless": True} if form == "WEBP" else {}
    assert np.array_equal(decoded(encode(image, form, **options)), np.asarray(image))


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr"])
def test_other_modes_become_rgb(mode: str) -> None:
    form = "TIFF" if mode in ("CMYK", "YCbCr") else "PNG"
    image = picture(2).convert(mode)
    assert np.array_equal(decoded(encode(image, form)), np.asarray(image.convert("RGB")))


def test_sixteen_bits_keep_their_high_byte() -> None:
    gray = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    expected = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    assert np.array_equal(decoded(encode(Image.fromarray(gray))), expected)


def test_transparent_parts_are_black() -> None:
    image = picture(3).convert("RGBA")
    image.putalpha(Image.new("L", image.size, 0))
    assert not decoded(encode(image)).any()
    palette = picture(3).quantize(8)
    assert not decoded(encode(palette, transparency=bytes(8))).any()


def test_the_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(picture(4, width_px=24, height_px=18), exif=exif)
    assert decoded(data).shape == (24, 18, 3)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"<html></html>", "not an image"),
        (png(1)[:60], "broken"),
        (black_png(20_000, 20_000, written_bytes=2**24), "pixels"),
        (black_png(9_000, 9_000, written_bytes=9_000 * 27_001), "9000 x 9000 pixels"),
        (encode(Image.new("F", (4, 4)), "TIFF"), "floating-point"),
        (encode(picture(1), "ICO"), "not an image"),
    ],
    ids=["empty", "text", "truncated", "bomb", "large", "float", "ico"],
)
def test_what_cannot_be_read_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableImageError, match=reason):
        preprocess(data, side_px=8, resize="pad")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_never_crashes(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(FORMATS))
    damaged = bytearray(encode(picture(5), form))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(damaged)))
    with contextlib.suppress(UnreadableImageError):
        assert preprocess(bytes(damaged[:cut]), side_px=8, resize="pad").shape == (8, 8, 3)


@given(width=st.integers(1, 40), height=st.integers(1, 40), resize=st.sampled_from(["pad", "stretch", "crop"]))
@settings(max_examples=40, deadline=None)
def test_a_white_picture_of_any_shape_fills_its_square(width: int, height: int, resize: Resize) -> None:
    square = preprocess(to_ppm(np.full((height, width), 255, np.uint8)), side_px=16, resize=resize)
    assert square.shape == (16, 16, 3)
    if resize == "pad":
        shown = square.max(axis=2) > 0
        assert shown.any(axis=0).sum() == max(1, round(16 * width / max(width, height)))
        assert shown.any(axis=1).sum() == max(1, round(16 * height / max(width, height)))
    else:
        assert (square == 255).all()


def test_padding_is_centred() -> None:
    square = preprocess(to_ppm(np.full((10, 20), 255, np.uint8)), side_px=20, resize="pad")
    assert square[:5].max() == 0
    assert square[5:15].min() == 255
    assert square[15:].max() == 0


def test_a_large_jpeg_is_shrunk_while_it_is_decoded_to_nearly_the_same_pixels() -> None:
    smooth = picture(6, width_px=8, height_px=8).resize((1024, 1024), Image.Resampling.BICUBIC)
    data = encode(smooth, "JPEG", quality=95)
    expected = np.asarray(smooth.resize((32, 32), Image.Resampling.BILINEAR))
    difference = np.abs(preprocess(data, side_px=32, resize="pad").astype(int) - expected)
    assert difference.mean() < 2
