"""Compression recipes as plain data: the steps that turn a trained network into a deployable file.

Each technique is one config class here and one function registered for it in workers/compression.
"""

from search.contract.recipes.named import DEFAULT_RECIPES, FURTHER_RECIPES, NAMED_RECIPES, NamedRecipe, default_recipe
from search.contract.recipes.pruning import (
    GlobalPruning,
    GradualPruning,
    Importance,
    LowRank,
    PruningScope,
    StructuredPruning,
    UnstructuredPruning,
)
from search.contract.recipes.quantization import (
    QUANTIZATIONS,
    Calibration,
    DynamicInt8,
    HalfPrecision,
    MixedInt8,
    StaticInt8,
)
from search.contract.recipes.recipe import Recipe, Step
from search.contract.recipes.training import BatchNormFolding, Distillation, FineTuning, QuantizationAwareTraining

__all__ = [
    "DEFAULT_RECIPES",
    "FURTHER_RECIPES",
    "NAMED_RECIPES",
    "QUANTIZATIONS",
    "BatchNormFolding",
    "Calibration",
    "Distillation",
    "DynamicInt8",
    "FineTuning",
    "GlobalPruning",
    "GradualPruning",
    "HalfPrecision",
    "Importance",
    "LowRank",
    "MixedInt8",
    "NamedRecipe",
    "PruningScope",
    "QuantizationAwareTraining",
    "Recipe",
    "StaticInt8",
    "Step",
    "StructuredPruning",
    "UnstructuredPruning",
    "default_recipe",
]
