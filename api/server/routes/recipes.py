"""The compression recipes that have a name."""

from fastapi import APIRouter

from api.schemas import Page, RecipeView
from search.contract.recipes import NAMED_RECIPES

router = APIRouter(prefix="/recipes", tags=["recipes"])


@router.get("")
def list_recipes() -> Page[RecipeView]:
    """What a study applies by default, and what can be asked for by its name."""
    return Page(items=[RecipeView.of(named) for named in NAMED_RECIPES], next=None)
