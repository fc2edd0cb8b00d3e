"""The runtimes of the files that are shipped, by name, each with what is said of it to those who choose one."""

from search.registry import Registry

TARGET_RUNTIMES = Registry[str](
    "runtime", order=("onnxruntime", "openvino", "onnxruntime-cuda", "onnxruntime-tensorrt")
)
