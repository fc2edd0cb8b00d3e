"""The fixed reference: one small convolutional network, the same on every host, that every measurement runs beside."""

from functools import lru_cache

import numpy as np

from workers.latency.runtimes import CPU, Runtime
from workers.latency.subject import Subject, model_subject

#: Output channels and strides of the 3x3 convolutions: 28.8 million multiply-accumulates for an image of 3x64x64.
_LAYERS = ((16, 2), (32, 1), (64, 2), (64, 1), (64, 1))


@lru_cache
def reference_bytes() -> bytes:
    """The ONNX file: input (1, 3, 64, 64), output (1, 64, 1, 1), weights drawn from a fixed seed."""
    from onnx import TensorProto, checker, helper, numpy_helper

    random = np.random.default_rng(0)
    nodes, weights = [], []
    channels, name = 3, "image"
    for number, (width, stride) in enumerate(_LAYERS):
        scale = np.float32((2 / (9 * channels)) ** 0.5)
        kernel = scale * random.standard_normal((width, channels, 3, 3), dtype=np.float32)
        weights.append(numpy_helper.from_array(kernel, f"kernel{number}"))
        nodes.append(
            helper.make_node(
                "Conv", [name, f"kernel{number}"], [f"conv{number}"], strides=[stride, stride], pads=[1, 1, 1, 1]
            )
        )
        nodes.append(helper.make_node("Relu", [f"conv{number}"], [f"relu{number}"]))
        channels, name = width, f"relu{number}"
    nodes.append(helper.make_node("GlobalAveragePool", [name], ["features"]))
    graph = helper.make_graph(
        nodes,
        "reference",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, channels, 1, 1])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    serialized: bytes = model.SerializeToString()
    return serialized


def reference_for(runtime: Runtime) -> Subject:
    """What a measurement in ``runtime`` runs beside: a GPU is judged by the same network on that GPU."""
    return model_subject("reference", runtime if runtime.device == "gpu" else CPU, reference_bytes())


REFERENCE = reference_for(CPU)
