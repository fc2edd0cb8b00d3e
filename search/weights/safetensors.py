"""The head of a .safetensors file: names and shapes of its tensors, and its metadata, without reading the tensors.

https://huggingface.co/docs/safetensors: 8 bytes with the length of a JSON object, that object, then the tensors.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from pydantic import BaseModel, TypeAdapter, ValidationError

_LENGTH_BYTES = 8
_MOST_BYTES = 100_000_000
_METADATA = "__metadata__"


class _Tensor(BaseModel):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Head:
    """``shapes`` by the tensor's name; ``size_bytes`` of the whole file."""

    shapes: Mapping[str, tuple[int, ...]]
    metadata: Mapping[str, str]
    size_bytes: int


_TENSORS = TypeAdapter(dict[str, _Tensor])
_TEXTS = TypeAdapter(dict[str, str])


def read_head(file: BinaryIO) -> Head:
    """The head of an open file. ValueError if it is no whole .safetensors file."""
    written = _read_json(file)
    data_at = file.tell()
    size_bytes = file.seek(0, 2)
    try:
        metadata = _TEXTS.validate_python(written.pop(_METADATA, {}))
        tensors = _TENSORS.validate_python(written)
    except ValidationError as error:
        raise ValueError("it is no .safetensors file: its head does not describe tensors") from error
    ends_at = data_at + max((tensor.data_offsets[1] for tensor in tensors.values()), default=0)
    if ends_at != size_bytes:
        raise ValueError(f"it is no whole .safetensors file: it has {size_bytes} bytes, not {ends_at}")
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    return Head(shapes=shapes, metadata=metadata, size_bytes=size_bytes)


def with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """The file with further ``metadata``. ValueError if ``content`` is no .safetensors file."""
    file = BytesIO(content)
    kept = read_head(file).metadata
    file.seek(0)
    written = _read_json(file)
    text = json.dumps({**written, _METADATA: {**kept, **metadata}}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text + content[file.tell() :]


def _read_json(file: BinaryIO) -> dict[str, object]:
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    try:
        if not 0 < length <= _MOST_BYTES:
            raise ValueError(f"a head of {length} bytes")
        written = json.loads(file.read(length))
    except ValueError as error:
        raise ValueError("it is no .safetensors file: it does not begin with their head") from error
    if not isinstance(written, dict):
        raise ValueError("it is no .safetensors file: its head is no JSON object")
    return written
