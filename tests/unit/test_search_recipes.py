"""Recipes as plain data: the order of steps, names, and the way to JSON and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from search.contract.recipes import (
    DEFAULT_RECIPES,
    FURTHER_RECIPES,
    NAMED_RECIPES,
    TECHNIQUES,
    Distillation,
    DynamicInt8,
    FileStepConfig,
    FineTuning,
    HalfPrecision,
    MixedInt8,
    QuantizationAwareTraining,
    Recipe,
    StaticInt8,
    Step,
    StructuredPruning,
    default_recipe,
)

EVERY_RECIPE = [named.recipe for named in NAMED_RECIPES]


@pytest.mark.parametrize("quantization", [DynamicInt8(), StaticInt8(), MixedInt8(), HalfPrecision()])
def test_quantization_comes_last(quantization: Step) -> None:
    assert Recipe(name="fine", steps=(StructuredPruning(), quantization)).steps[-1] is quantization
    with pytest.raises(ValidationError, match="works on the exported file: it must be the last step"):
        Recipe(name="early", steps=(quantization, FineTuning()))


def test_two_quantizations_are_too_many() -> None:
    with pytest.raises(ValidationError, match="must be the last step"):
        Recipe(name="twice", steps=(DynamicInt8(), StaticInt8()))


@pytest.mark.parametrize("after", [(), (FineTuning(), StaticInt8()), (HalfPrecision(),)])
def test_a_training_that_is_aware_of_int8_has_int8_right_after_it(after: tuple[Step, ...]) -> None:
    with pytest.raises(ValidationError, match="static_int8 or mixed_int8 must be the next step"):
        Recipe(name="unaware", steps=(QuantizationAwareTraining(), *after))


@pytest.mark.parametrize("recipe", EVERY_RECIPE, ids=lambda recipe: recipe.name)
def test_a_recipe_is_the_same_after_json_and_found_by_its_name(recipe: Recipe) -> None:
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert default_recipe(recipe.name) is recipe


def test_names_differ_and_every_technique_has_one() -> None:
    assert len({recipe.name for recipe in EVERY_RECIPE}) == len(EVERY_RECIPE)
    assert (*DEFAULT_RECIPES, *FURTHER_RECIPES) == tuple(sorted(EVERY_RECIPE, key=lambda r: r not in DEFAULT_RECIPES))
    used = {type(step) for recipe in EVERY_RECIPE for step in recipe.steps}
    assert used == set(TECHNIQUES.values())


def test_an_unknown_recipe_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown recipe 'zip'; known: fp32, unstructured, .*; or give its steps"):
        default_recipe("zip")


@pytest.mark.parametrize("name", ["", "Upper", "has space", "../escape", "-dash"])
def test_a_name_is_fit_for_a_file(name: str) -> None:
    with pytest.raises(ValidationError):
        Recipe(name=name)


@pytest.mark.parametrize(
    ("steps", "learns"),
    [
        ((Distillation(),), True),
        ((StructuredPruning(), Distillation(), StaticInt8()), True),
        ((Distillation(teacher="teacher.onnx"),), False),
        ((FineTuning(),), False),
    ],
)
def test_a_recipe_says_whether_it_learns_from_the_study(steps: tuple[Step, ...], learns: bool) -> None:
    assert Recipe(name="taught", steps=steps).learns_from_study is learns


@given(st.lists(st.sampled_from([step for recipe in EVERY_RECIPE for step in recipe.steps]), max_size=5))
def test_only_what_changes_the_network_stands_before_the_end(steps: list[Step]) -> None:
    try:
        recipe = Recipe(name="drawn", steps=tuple(steps))
    except ValidationError:
        early = any(isinstance(step, FileStepConfig) for step in steps[:-1])
        assert early or any(isinstance(step, QuantizationAwareTraining) for step in steps)
    else:
        assert recipe.network_steps + recipe.file_steps == recipe.steps
        assert not any(isinstance(step, FileStepConfig) for step in recipe.network_steps)
        assert all(isinstance(step, FileStepConfig) for step in recipe.file_steps)
