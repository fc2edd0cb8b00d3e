"""Recipes as plain data: the order of steps, names, and the way to JSON and back."""

import pytest
from pydantic import ValidationError

from search.recipes import (
    DEFAULT_RECIPES,
    DynamicInt8,
    FineTuning,
    Recipe,
    StaticInt8,
    StructuredPruning,
    default_recipe,
)


@pytest.mark.parametrize("quantization", [DynamicInt8(), StaticInt8()])
def test_quantization_comes_last(quantization: DynamicInt8 | StaticInt8) -> None:
    assert Recipe(name="fine", steps=(StructuredPruning(), quantization)).steps[-1] is quantization
    with pytest.raises(ValidationError, match="_int8 works on the exported file: it must be the last step"):
        Recipe(name="early", steps=(quantization, FineTuning()))


def test_two_quantizations_are_too_many() -> None:
    with pytest.raises(ValidationError, match="must be the last step"):
        Recipe(name="twice", steps=(DynamicInt8(), StaticInt8()))


@pytest.mark.parametrize("recipe", DEFAULT_RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_is_the_same_after_json_and_found_by_its_name(recipe: Recipe) -> None:
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert default_recipe(recipe.name) is recipe


def test_an_unknown_recipe_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown recipe 'zip'; known: fp32, unstructured, .*; or give its steps"):
        default_recipe("zip")


@pytest.mark.parametrize("name", ["", "Upper", "has space", "../escape", "-dash"])
def test_a_name_is_fit_for_a_file(name: str) -> None:
    with pytest.raises(ValidationError):
        Recipe(name=name)
