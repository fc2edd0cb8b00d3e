"""The config classes of the techniques by name."""

from search.contract.recipes.config import StepConfig
from search.registry import Registry

TECHNIQUES = Registry[type[StepConfig]](
    "technique",
    order=(
        "unstructured_pruning",
        "global_pruning",
        "gradual_pruning",
        "structured_pruning",
        "low_rank",
        "fine_tuning",
        "distillation",
        "quantization_aware_training",
        "batchnorm_folding",
        "dynamic_int8",
        "static_int8",
        "mixed_int8",
        "half_precision",
    ),
)
