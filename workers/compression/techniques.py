"""Every technique: importing this registers them."""

from workers.compression import (
    distillation,
    fine_tuning,
    folding,
    half_precision,
    low_rank,
    mixed_int8,
    quantization,
    quantization_aware,
    structured,
    unstructured,
)

__all__ = [
    "distillation",
    "fine_tuning",
    "folding",
    "half_precision",
    "low_rank",
    "mixed_int8",
    "quantization",
    "quantization_aware",
    "structured",
    "unstructured",
]
