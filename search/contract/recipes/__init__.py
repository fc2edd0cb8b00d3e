"""Compression recipes as plain data: the steps that turn a trained network into a deployable file.

A technique is a config class in ``techniques`` here and a function in ``workers/compression/techniques``.
"""

from search.contract.recipes.calibration import Calibration
from search.contract.recipes.config import FileStepConfig
from search.contract.recipes.named import DEFAULT_RECIPES, FURTHER_RECIPES, NAMED_RECIPES, NamedRecipe, default_recipe
from search.contract.recipes.recipe import Recipe, Step
from search.contract.recipes.techniques import TECHNIQUES
from search.contract.recipes.techniques.batchnorm_folding import BatchNormFolding
from search.contract.recipes.techniques.distillation import Distillation
from search.contract.recipes.techniques.dynamic_int8 import DynamicInt8
from search.contract.recipes.techniques.fine_tuning import FineTuning
from search.contract.recipes.techniques.global_pruning import GlobalPruning
from search.contract.recipes.techniques.gradual_pruning import GradualPruning
from search.contract.recipes.techniques.half_precision import HalfPrecision
from search.contract.recipes.techniques.low_rank import LowRank
from search.contract.recipes.techniques.mixed_int8 import MixedInt8
from search.contract.recipes.techniques.quantization_aware_training import QuantizationAwareTraining
from search.contract.recipes.techniques.static_int8 import StaticInt8
from search.contract.recipes.techniques.structured_pruning import Importance, PruningScope, StructuredPruning
from search.contract.recipes.techniques.unstructured_pruning import UnstructuredPruning

__all__ = [
    "DEFAULT_RECIPES",
    "FURTHER_RECIPES",
    "NAMED_RECIPES",
    "TECHNIQUES",
    "BatchNormFolding",
    "Calibration",
    "Distillation",
    "DynamicInt8",
    "FileStepConfig",
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
