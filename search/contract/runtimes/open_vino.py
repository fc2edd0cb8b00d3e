"""OpenVINO."""

from search.contract.runtimes.registry import TARGET_RUNTIMES

TARGET_RUNTIMES.add("openvino", "OpenVINO on the CPU")
