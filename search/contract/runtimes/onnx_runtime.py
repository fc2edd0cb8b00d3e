"""ONNX Runtime."""

from search.contract.runtimes.registry import TARGET_RUNTIMES

TARGET_RUNTIMES.add("onnxruntime", "ONNX Runtime on the CPU")
TARGET_RUNTIMES.add("onnxruntime-cuda", "ONNX Runtime on an NVIDIA GPU by CUDA")
TARGET_RUNTIMES.add("onnxruntime-tensorrt", "ONNX Runtime on an NVIDIA GPU by TensorRT")
