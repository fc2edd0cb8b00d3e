"""Mixed precision: static int8 but for the layers it harms most (https://arxiv.org/abs/2004.09602, section 5.1)."""

import math

import numpy as np
from numpy.typing import NDArray

from search.contract.recipes import MixedInt8
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.static_quantizer import StaticQuantizer
from workers.compression.techniques.registry import FILE_TECHNIQUES
from workers.predictors import onnx_predictor

#: Images of the calibration split on which each layer's harm is measured.
_SCAN_IMAGES = 32


@FILE_TECHNIQUES.register("mixed_int8")
def quantize_the_robust(config: MixedInt8, model: bytes, state: CompressionState) -> bytes:
    """Leaves ``float_share`` of the layers, rounded up, in fp32. NotApplicableError where that is all of them."""
    with StaticQuantizer(model, state.calibration[: config.calibration_images], config.calibration) as quantizer:
        count = math.ceil(config.float_share * len(quantizer.layers))
        if count >= len(quantizer.layers):
            raise NotApplicableError(
                f"of {len(quantizer.layers)} layers with weights, mixed int8 would leave {count} in fp32: that is all"
            )
        harms = layer_harms(quantizer, model, state.calibration[:_SCAN_IMAGES])
        harmed = sorted(harms, key=lambda layer: -harms[layer])[:count]
        return quantizer.quantized(without=harmed)


def layer_harms(quantizer: StaticQuantizer, model: bytes, images: NDArray[np.uint8]) -> dict[str, float]:
    """How far the logits of ``images`` move (mean square) when a layer alone is quantized, by its name."""
    expected = onnx_predictor(model)(images)
    return {
        layer: float(np.square(onnx_predictor(quantizer.quantized(only=[layer]))(images) - expected).mean())
        for layer in quantizer.layers
    }
