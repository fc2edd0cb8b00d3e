"""What happens to the best candidates after the search: a full training if wanted, then compression."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from search.contract.recipes import DEFAULT_RECIPES, Recipe, default_recipe
from search.contract.values import one_or_more
from search.study.part import SpecPart


class RetrainSpec(SpecPart):
    """Which of the best candidates are trained again after the search, on the whole training split, before they are
    compressed. Each is trained once per seed; the candidates are then ranked by their mean F1.
    """

    top: int = Field(
        default=0, ge=0, le=1000, description="candidates trained in full after the search; 0 means that none are"
    )
    seeds: int = Field(default=3, ge=1, le=20, description="trainings of each of them, each from another seed")
    epochs: int | None = Field(
        default=None, ge=1, le=10_000, description="epochs of each full training; none means the budget's epochs"
    )


def _named_recipe(value: Any) -> Any:
    return default_recipe(value) if isinstance(value, str) else value


def _default_recipes(value: Any) -> Any:
    return DEFAULT_RECIPES if value == "default" else value


def _different_names(recipes: tuple[Recipe, ...]) -> tuple[Recipe, ...]:
    one_or_more(tuple(recipe.name for recipe in recipes))
    return recipes


#: Every recipe is tried on every candidate.
_MOST_RECIPES, _MOST_JOBS = 200, 20_000
_LISTED, _SEARCHED = "listed", "searched"
#: Pydantic's names for the two forms of ``recipes``, in the location of an error.
RECIPES_TAGS = (_LISTED, _SEARCHED)
_Recipes = Annotated[
    Annotated[
        tuple[Annotated[Recipe, BeforeValidator(_named_recipe)], ...],
        Field(max_length=_MOST_RECIPES),
        AfterValidator(_different_names),
        Tag(_LISTED),
    ]
    | Annotated[Literal["search"], Tag(_SEARCHED)],
    Discriminator(lambda value: _SEARCHED if value == "search" else _LISTED),
    BeforeValidator(_default_recipes),
]


class RecipeBudget(SpecPart):
    """What the search for the recipes of one candidate may spend; it ends at the first of these limits."""

    evaluations: int = Field(default=24, ge=1, le=1000, description="recipes tried for each candidate")
    max_minutes: float | None = Field(
        default=None,
        gt=0,
        description="minutes that all evaluations of one candidate may take together; none means no limit",
    )


class CompressionSpec(SpecPart):
    """Which finished candidates are compressed, and by which recipes: the default ones, those of a list, or what a
    search with ``budget`` finds for each candidate.
    """

    candidates: Literal["pareto", "top"] = Field(
        default="pareto", description="pareto: the most spread candidates of the front; top: the best by score"
    )
    max_candidates: int = Field(
        default=5, ge=0, le=1000, description="candidates that are compressed, at most; 0 means no compression"
    )
    recipes: _Recipes = Field(
        default=DEFAULT_RECIPES, description="default, search, or a list of names and written-out recipes"
    )
    budget: RecipeBudget | None = Field(
        default=None, description="limits of recipes: search; none means 24 evaluations per candidate"
    )

    @model_validator(mode="after")
    def _budget_of_a_search(self) -> "CompressionSpec":
        if self.budget is not None and self.recipes != "search":
            raise ValueError("a budget is for recipes: search; a list is tried to its end: leave budget out")
        return self

    @model_validator(mode="after")
    def _bounded(self) -> "CompressionSpec":
        each = self.search_budget.evaluations if self.recipes == "search" else len(self.recipes)
        if self.max_candidates * each > _MOST_JOBS:
            raise ValueError(
                f"{self.max_candidates} candidates with {each} recipes each are more than {_MOST_JOBS:,} compression "
                "jobs: lower max_candidates or try fewer recipes"
            )
        return self

    @property
    def search_budget(self) -> RecipeBudget:
        return self.budget or RecipeBudget()
