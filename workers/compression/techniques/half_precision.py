"""Weights of 16 bits in the file, widened by a Cast node each, which runtimes carry out once when they load it."""

from typing import cast

import onnx
from onnx import TensorProto, helper, numpy_helper

from search.contract.recipes import HalfPrecision
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.techniques.registry import FILE_TECHNIQUES

_TYPES = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}
#: Smaller tensors stay: a Cast node takes about as many bytes as their halves.
_SMALLEST_NUMBERS = 64


@FILE_TECHNIQUES.register("half_precision")
def store_in_half(config: HalfPrecision, model: bytes, state: CompressionState) -> bytes:
    """NotApplicableError without weights that are worth it."""
    proto = onnx.load_from_string(model)
    halved = [tensor for tensor in proto.graph.initializer if _worth_it(tensor)]
    if not halved:
        raise NotApplicableError("half precision halves stored weights; the network has none of any size")
    casts = [_halve(tensor, _TYPES[config.format]) for tensor in halved]
    nodes = [*casts, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    return cast(bytes, proto.SerializeToString())


def _worth_it(tensor: TensorProto) -> bool:
    return bool(tensor.data_type == TensorProto.FLOAT and numpy_helper.to_array(tensor).size >= _SMALLEST_NUMBERS)


def _halve(tensor: TensorProto, data_type: int) -> onnx.NodeProto:
    """Store the tensor under another name, and give its own to the node that widens it."""
    wide, narrow = tensor.name, f"{tensor.name}.half"
    number = helper.tensor_dtype_to_np_dtype(data_type)
    values = numpy_helper.to_array(tensor).astype(number)
    tensor.CopyFrom(helper.make_tensor(narrow, data_type, tensor.dims, values.tobytes(), raw=True))
    return helper.make_node("Cast", [narrow], [wide], name=f"{wide}.widen", to=TensorProto.FLOAT)
