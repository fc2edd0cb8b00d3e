"""The recipes that have a name: the default ones, which a study applies by itself, and further ones to ask for."""

from dataclasses import dataclass

from search.contract.recipes.recipe import Recipe, Step
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
from search.contract.recipes.techniques.structured_pruning import StructuredPruning
from search.contract.recipes.techniques.unstructured_pruning import UnstructuredPruning


@dataclass(frozen=True, kw_only=True)
class NamedRecipe:
    """A recipe with a line on what it is for. ``is_default``: a study applies it unless its spec lists others."""

    recipe: Recipe
    description: str
    is_default: bool


def _default(name: str, description: str, *steps: Step) -> NamedRecipe:
    return NamedRecipe(recipe=Recipe(name=name, steps=steps), description=description, is_default=True)


def _further(name: str, description: str, *steps: Step) -> NamedRecipe:
    return NamedRecipe(recipe=Recipe(name=name, steps=steps), description=description, is_default=False)


NAMED_RECIPES: tuple[NamedRecipe, ...] = (
    _default("fp32", "the network as it was trained"),
    _default("unstructured", "zeroes small weights, a fraction per type of layer", UnstructuredPruning(), FineTuning()),
    _default("structured", "removes a third of the channels", StructuredPruning(), FineTuning()),
    _default(
        "structured-global",
        "removes channels wherever they matter least",
        StructuredPruning(scope="global"),
        FineTuning(),
    ),
    _default("static-int8", "int8 with ranges from calibration images", StaticInt8()),
    _default("structured-static-int8", "fewer channels, then int8", StructuredPruning(), FineTuning(), StaticInt8()),
    _further("unstructured-global", "zeroes the smallest weights anywhere", GlobalPruning(), FineTuning()),
    _further("gradual", "zeroes more and more weights while training", GradualPruning()),
    _further(
        "structured-batchnorm",
        "removes channels of least batch normalization scale",
        StructuredPruning(importance="batchnorm"),
        FineTuning(),
    ),
    _further(
        "structured-taylor",
        "removes the channels that change the loss least",
        StructuredPruning(importance="taylor", scope="global"),
        FineTuning(),
    ),
    _further("structured-half", "removes half of the channels", StructuredPruning(ratio=0.5), FineTuning(epochs=20)),
    _further("low-rank", "splits large layers into thin ones", LowRank(), FineTuning()),
    _further("distilled", "trains on with the study's best model as its teacher", Distillation()),
    _further("structured-distilled", "fewer channels, taught by the study's best", StructuredPruning(), Distillation()),
    _further("dynamic-int8", "int8 linear layers, activations quantized while running", DynamicInt8()),
    _further("static-int8-percentile", "int8 ranges without outliers", StaticInt8(calibration="percentile")),
    _further("static-int8-entropy", "int8 ranges by least divergence", StaticInt8(calibration="entropy")),
    _further("mixed-int8", "int8 but for the layers that it harms most", MixedInt8()),
    _further("qat-int8", "trains for int8, then quantizes", QuantizationAwareTraining(), StaticInt8()),
    _further("float16", "weights of 16 bits: half the file", HalfPrecision()),
    _further("bfloat16", "weights of 16 bits with float32's range", HalfPrecision(format="bfloat16")),
    _further("folded", "batch normalization folded into convolutions", BatchNormFolding()),
)
DEFAULT_RECIPES = tuple(named.recipe for named in NAMED_RECIPES if named.is_default)
FURTHER_RECIPES = tuple(named.recipe for named in NAMED_RECIPES if not named.is_default)


def default_recipe(name: str) -> Recipe:
    """The recipe of that name, a default or a further one, or ValueError that lists the names."""
    for named in NAMED_RECIPES:
        if named.recipe.name == name:
            return named.recipe
    names = ", ".join(named.recipe.name for named in NAMED_RECIPES)
    raise ValueError(f"unknown recipe {name!r}; known: {names}; or give its steps")
