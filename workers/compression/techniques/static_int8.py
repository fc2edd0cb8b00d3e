"""Static int8: ranges of the activations from calibration images."""

import onnx

from search.contract.recipes import StaticInt8
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.static_quantizer import OPERATORS_WITH_WEIGHTS, StaticQuantizer, nodes_with_weights
from workers.compression.techniques.registry import FILE_TECHNIQUES


@FILE_TECHNIQUES.register("static_int8")
def quantize_with_calibration(config: StaticInt8, model: bytes, state: CompressionState) -> bytes:
    """Weights per channel, activations by the ranges that the calibration images show (QDQ format).

    NotApplicableError without a layer that has weights.
    """
    if not nodes_with_weights(onnx.load_from_string(model)):
        raise NotApplicableError(
            f"static int8 treats {', '.join(OPERATORS_WITH_WEIGHTS)}; the network has none of them"
        )
    with StaticQuantizer(model, state.calibration[: config.calibration_images], config.calibration) as quantizer:
        return quantizer.quantized()
