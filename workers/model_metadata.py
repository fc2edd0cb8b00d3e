"""What a deployed file says of itself: classes, side and how pictures become square, in the ONNX file's metadata."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import onnx

from search.contract.dataset import Resize

#: The entry of the metadata that has them.
USAGE = "seedleaf"


class UnknownModelError(ValueError):
    """A file that does not say how it is to be used."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How to use a model: pictures are made square by ``resize``, ``side_px`` wide; ``classes`` are its outputs."""

    classes: tuple[str, ...]
    side_px: int
    resize: Resize


def describe(model: bytes, *, classes: Sequence[str], side_px: int, resize: Resize) -> bytes:
    """The same model with its usage in its metadata and the shape of every tensor, which viewers show."""
    proto = onnx.shape_inference.infer_shapes(onnx.load_from_string(model))
    usage = {"classes": list(classes), "side_px": side_px, "resize": resize}
    onnx.helper.set_model_props(proto, {USAGE: json.dumps(usage)})
    return cast(bytes, proto.SerializeToString())


def usage_of(model: bytes) -> Usage:
    """UnknownModelError if the file is no ONNX model or has no such metadata."""
    try:
        proto = onnx.load_from_string(model)
    except Exception as error:  # protobuf's own error, whose class depends on its backend
        raise UnknownModelError("it is no ONNX model") from error
    for entry in proto.metadata_props:
        if entry.key == USAGE:
            usage = json.loads(entry.value)
            return Usage(classes=tuple(usage["classes"]), side_px=usage["side_px"], resize=usage["resize"])
    raise UnknownModelError("it does not say its classes: fetch a variant by seedleaf fetch, whose file does")
