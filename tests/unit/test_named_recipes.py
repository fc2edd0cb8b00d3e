"""Recipes by name over HTTP and on the command line."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.server.routes.recipes import list_recipes
from search.contract.recipes import NAMED_RECIPES

NAMES = [named.recipe.name for named in NAMED_RECIPES]


def test_the_service_lists_every_named_recipe_with_its_steps() -> None:
    answer = list_recipes().model_dump(mode="json")
    assert answer["next"] is None
    assert [item["name"] for item in answer["items"]] == NAMES
    for item, named in zip(answer["items"], NAMED_RECIPES, strict=True):
        assert item == {
            "name": named.recipe.name,
            "description": named.description,
            "is_default": named.is_default,
            "steps": named.recipe.model_dump(mode="json")["steps"],
        }


@pytest.mark.parametrize("format_", ["table", "csv", "json"])
def test_the_command_lists_every_named_recipe(format_: str) -> None:
    result = CliRunner().invoke(app, ["recipes", "--format", format_])
    assert result.exit_code == 0
    if format_ == "json":
        listed = [recipe["name"] for recipe in json.loads(result.output)]
    elif format_ == "csv":
        listed = [row["name"] for row in csv.DictReader(io.StringIO(result.output))]
    else:
        listed = [line.split()[0] for line in result.output.splitlines()[2:] if line.strip()]
    assert listed == NAMES
