"""Anybody's ONNX file, made ready to be timed: its one input gets a fixed batch and a fixed image size."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from workers.latency.runtimes import ModelError

_Dimension = onnx.TensorShapeProto.Dimension


def read_onnx(path: Path) -> onnx.ModelProto:
    """The model at ``path`` with the weights that lie beside it. ModelError if there is none."""
    try:
        model = onnx.load(path)
    except OSError as error:
        raise ModelError(f"it cannot be read: {error}") from error
    except Exception as error:  # protobuf's own error, whose class depends on its backend
        raise ModelError("it is no ONNX model") from error
    if not model.graph.node:
        raise ModelError("it is no ONNX model, or one without a single operation")
    return model


def settled(model: onnx.ModelProto, *, batch: int, side_px: int | None) -> bytes:
    """The model for ``batch`` images, with ``side_px`` for the sizes that it leaves free.

    A file that was exported for one image is opened up as far as that can be done (a Reshape to one row keeps the rows
    that it is given): whether it then computes the same is for the caller to see. ModelError for other inputs than one
    of images, and for free sizes without ``side_px``.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    (first, *sizes) = _image_input(changed).type.tensor_type.shape.dim
    declared = first.dim_value
    if free := [size for size in sizes if size.dim_value <= 0]:
        _settle(free, sizes, side_px)
    if declared == batch and not free:
        return _bytes(changed)
    first.dim_value = batch
    del changed.graph.value_info[:]
    for output in changed.graph.output:
        output.type.tensor_type.ClearField("shape")
    if declared == 1 and batch != 1:
        _keep_rows(changed.graph)
    return _bytes(changed)


def _image_input(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs: list[onnx.ValueInfoProto] = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(value.name for value in inputs)
        raise ModelError(f"a model to time has one input, of images; this one has {len(inputs)}: {names}")
    if not inputs[0].type.tensor_type.shape.dim:
        raise ModelError(f"its input {inputs[0].name} has no dimensions, as a batch of images would")
    return inputs[0]


def _settle(free: list[_Dimension], sizes: list[_Dimension], side_px: int | None) -> None:
    if len(sizes) != 3 or len(free) > 2:
        raise ModelError("its input has free dimensions beside batch, height and width: export it with fixed ones")
    if side_px is None:
        raise ModelError("its image size is free: say at which to time it with --side PX")
    for size in free:
        size.dim_value = side_px


def _keep_rows(graph: onnx.GraphProto) -> None:
    """Let each Reshape to one row keep as many as it gets: 0 copies that dimension from the input."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    for number, node in enumerate(graph.node):
        if node.op_type != "Reshape" or node.input[1] not in tensors:
            continue
        shape = numpy_helper.to_array(tensors[node.input[1]])
        if shape.size and shape[0] == 1 and 0 not in shape:
            kept = np.concatenate([[0], shape[1:]]).astype(np.int64)
            graph.initializer.append(numpy_helper.from_array(kept, f"rows kept {number}"))
            node.input[1] = f"rows kept {number}"
            # Its only attribute would give 0 another meaning.
            del node.attribute[:]


def _bytes(model: onnx.ModelProto) -> bytes:
    serialized: bytes = model.SerializeToString()
    return serialized
