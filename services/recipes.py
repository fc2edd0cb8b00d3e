"""Which recipes a server admits: those whose teachers lie where its data does."""

from collections.abc import Sequence
from pathlib import Path

from search.recipes import Distillation, Recipe
from services.datasets import admitted_path


def admitted(recipe: Recipe, roots: Sequence[Path] | None, *, within: str) -> Recipe:
    """The recipe with the path of every teacher resolved. ``within`` is its own field's name and a dot.

    RejectedError if there is nothing at a path, or if it lies outside the data roots.
    """
    steps = []
    for position, step in enumerate(recipe.steps):
        if isinstance(step, Distillation) and step.teacher is not None:
            field = f"{within}steps[{position}].teacher"
            step = step.model_copy(update={"teacher": admitted_path(field, step.teacher, roots)})
        steps.append(step)
    return recipe.model_copy(update={"steps": tuple(steps)})
