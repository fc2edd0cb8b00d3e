"""Recipes by name over HTTP and on the command line, and which paths of teachers a server admits."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from api.routes.recipes import list_recipes
from search.recipes import NAMED_RECIPES, Distillation, FineTuning, Recipe
from services.errors import RejectedError
from services.recipes import admitted

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


def taught_by(teacher: str) -> Recipe:
    return Recipe(name="taught", steps=(FineTuning(), Distillation(teacher=teacher)))


def test_a_teacher_lies_under_a_data_root_whatever_links_say(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    for folder in (root, elsewhere):
        folder.mkdir()
        (folder / "teacher.onnx").write_bytes(b"")
    (root / "link.onnx").symlink_to(elsewhere / "teacher.onnx")
    taught = admitted(taught_by(str(root / "." / "teacher.onnx")), [root], within="recipe.")
    assert taught == taught_by(str(root / "teacher.onnx"))
    for outside in (elsewhere / "teacher.onnx", root / "link.onnx"):
        with pytest.raises(RejectedError, match=r"recipe.steps\[1\].teacher: must lie under a data root"):
            admitted(taught_by(str(outside)), [root], within="recipe.")
        admitted(taught_by(str(outside)), None, within="recipe.")


def test_a_teacher_that_is_not_there_is_rejected_and_recipes_without_one_stay(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="there is nothing at"):
        admitted(taught_by(str(tmp_path / "none.onnx")), None, within="")
    for named in NAMED_RECIPES:
        assert admitted(named.recipe, [tmp_path], within="") == named.recipe
