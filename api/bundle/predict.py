"""Classify images with model.onnx: python predict.py IMAGE [IMAGE...]

Needs onnxruntime, numpy and pillow, and beside this file preprocessing.json (how an image is prepared) and labels.json
(the names of the classes).
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

HERE = Path(__file__).parent
LABELS = json.loads((HERE / "labels.json").read_text(encoding="utf-8"))
PREPROCESSING = json.loads((HERE / "preprocessing.json").read_text(encoding="utf-8"))
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
SIDE_PX, RESIZE = PREPROCESSING["side_px"], PREPROCESSING["resize"]
SESSION = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])


def predict(path: str) -> dict[str, float]:
    """The probability of each class for an image."""
    return probabilities(prepare(path))


def probabilities(prepared: np.ndarray) -> dict[str, float]:
    """The probability of each class for a prepared image."""
    logits = run(prepared)[0]
    weights = np.exp(logits - logits.max())
    return dict(zip(LABELS, (weights / weights.sum()).tolist(), strict=True))


def run(prepared: np.ndarray) -> np.ndarray:
    """The model's logits, float32 [1, classes]."""
    (logits,) = SESSION.run(None, {SESSION.get_inputs()[0].name: prepared})
    return np.asarray(logits)


def prepare(path: str) -> np.ndarray:
    """An image as the model takes it: float32 [1, 3, side, side] in [0, 1]."""
    image = Image.open(path, formats=FORMATS)
    image.draft("RGB", (2 * SIDE_PX, 2 * SIDE_PX))  # a large JPEG is decoded at a fraction of its size
    pixels = np.asarray(square(to_rgb(ImageOps.exif_transpose(image))), np.float32)
    return pixels.transpose(2, 0, 1)[None] / np.float32(255)


def to_rgb(image: Image.Image) -> Image.Image:
    """Transparent parts become black, 16-bit pixels keep their high byte."""
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    return image.convert("RGB")


def square(image: Image.Image) -> Image.Image:
    """The picture as a square of SIDE_PX: padded with black, cropped to its middle, or stretched."""
    size = (SIDE_PX, SIDE_PX)
    if RESIZE == "crop":
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    if RESIZE != "pad":
        return image.resize(size, Image.Resampling.BILINEAR)
    scale = SIDE_PX / max(image.size)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    padded = Image.new("RGB", size)
    padded.paste(image.resize(inner, Image.Resampling.BILINEAR), ((SIDE_PX - inner[0]) // 2, (SIDE_PX - inner[1]) // 2))
    return padded


if __name__ == "__main__":
    for name in sys.argv[1:] or sys.exit(__doc__):
        found = predict(name)
        label = max(found, key=found.__getitem__)
        print(f"{name}\t{label}\t{found[label]:.6f}")
