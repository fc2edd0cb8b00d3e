"""The functions that carry out techniques, by the names of their config classes in ``search/contract/recipes``.

A technique is in one of two registries: it changes the PyTorch network, or the exported ONNX file.
"""

from collections.abc import Callable
from typing import Any

from search.registry import Registry
from workers.compression.state import CompressionState

#: Changes the state's network, as the config says. NotApplicableError where it cannot.
NetworkTechnique = Callable[[Any, CompressionState], None]
#: Makes another ONNX file of one. NotApplicableError where it cannot.
FileTechnique = Callable[[Any, bytes, CompressionState], bytes]

NETWORK_TECHNIQUES = Registry[NetworkTechnique]("technique for networks")
FILE_TECHNIQUES = Registry[FileTechnique]("technique for files")
