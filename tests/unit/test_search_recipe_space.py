"""The space of recipes, and the search through it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.contract.recipes import DEFAULT_RECIPES, NAMED_RECIPES, Recipe, StructuredPruning
from search.contract.states import JobState
from search.samplers.recipe_search import Evaluation, propose
from search.samplers.recipe_space import choices_of, draw
from tests.unit.choosers import Chance


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_what_is_drawn_is_a_valid_recipe_and_tells_its_choices(seed: int) -> None:
    chooser = Chance(seed)
    recipe = draw(chooser, "drawn")
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    choices = choices_of(recipe)
    assert choices is not None
    assert choices == pytest.approx(chooser.values)


def test_the_space_holds_every_default_recipe() -> None:
    assert all(choices_of(recipe) is not None for recipe in DEFAULT_RECIPES)


def test_a_recipe_outside_of_the_space_has_no_choices() -> None:
    assert choices_of(Recipe(name="odd", steps=(StructuredPruning(ratio=0.33),))) is None
    named = {entry.recipe.name: entry.recipe for entry in NAMED_RECIPES}
    assert choices_of(named["gradual"]) is None


def _evaluated(recipe: Recipe) -> Evaluation:
    """Structured pruning makes it faster by its ratio and costs little; the rest brings nothing."""
    ratio = sum(step.ratio for step in recipe.steps if isinstance(step, StructuredPruning))
    return Evaluation(recipe=recipe, state=JobState.COMPLETED, f1=0.9 - ratio**3, latency_share=1 - 0.9 * ratio)


def _searched(count: int, *, seed: int = 0) -> list[Evaluation]:
    past: list[Evaluation] = []
    while len(past) < count and (recipe := propose(past, seed=seed)) is not None:
        past.append(_evaluated(recipe))
    return past


def test_the_search_starts_with_the_default_recipes() -> None:
    assert [evaluation.recipe for evaluation in _searched(len(DEFAULT_RECIPES))] == list(DEFAULT_RECIPES)


def test_no_recipe_is_proposed_twice_and_each_has_a_name_of_its_own() -> None:
    recipes = [evaluation.recipe for evaluation in _searched(25)]
    assert len({recipe.steps for recipe in recipes}) == len({recipe.name for recipe in recipes}) == 25
    assert recipes[-1].name == "search-025"


def test_a_search_that_is_rebuilt_from_the_record_goes_on_as_before() -> None:
    past = _searched(12)
    assert propose(past[:-1], seed=0) == past[-1].recipe
    assert propose(past[:-1], seed=1) != past[-1].recipe


def test_what_is_on_the_front_is_varied() -> None:
    drawn = [evaluation.recipe for evaluation in _searched(40)[len(DEFAULT_RECIPES) :]]
    structured = [step for recipe in drawn for step in recipe.steps if isinstance(step, StructuredPruning)]
    assert len(structured) > 0.75 * len(drawn)
    assert len({step.ratio for step in structured}) > 8


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.FAILED])
def test_what_runs_and_what_failed_is_not_proposed_again(state: JobState) -> None:
    past = _searched(8)
    following = propose(past, seed=0)
    assert following is not None
    other = propose([*past, Evaluation(recipe=following, state=state)], seed=0)
    assert other is not None
    assert other.steps != following.steps
