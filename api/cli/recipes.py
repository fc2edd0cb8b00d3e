"""``seedleaf recipes``: the named compression recipes."""

from api.cli.output import Format, print_csv, print_json, print_table
from api.schemas import RecipeView
from search.contract.recipes import NAMED_RECIPES

HEADERS = ("recipe", "default", "what it does", "steps")


def recipes(format_: Format = "table") -> None:
    """List the recipes that a study applies by default, and those for seedleaf compress only."""
    listed = [RecipeView.of(named) for named in NAMED_RECIPES]
    if format_ == "json":
        print_json(listed)
    elif format_ == "csv":
        print_csv([{**view.model_dump(exclude={"steps"}), "steps": _steps(view)} for view in listed])
    else:
        rows = [(view.name, "yes" if view.is_default else "", view.description, _steps(view)) for view in listed]
        print_table(HEADERS, rows, left=frozenset(HEADERS))


def _steps(view: RecipeView) -> str:
    return ", ".join(step.technique for step in view.steps)
