"""Checks of requests: a path must lie under one of the server's data roots, links resolved; a node must have what a
trial asks for.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from search.contract.dataset import DatasetSpec
from search.contract.recipes import Distillation, Recipe
from search.study.compression_spec import CompressionSpec
from search.study.run_spec import ResourcesSpec
from search.study.spec import StudySpec, spec_problems
from services.errors import RejectedError
from services.ray.capacity import offers_of, shortfall
from services.ray.jobs import Node

M = TypeVar("M", bound=BaseModel)
Roots = Sequence[Path] | None
_WEIGHTS = ".safetensors"  # the one format that workers.models.pretrained reads


def admit_study(spec: StudySpec, roots: Roots, *, may_be_gone: bool = False) -> StudySpec:
    """The spec with the paths of its data set and its teachers resolved.

    RejectedError if there is nothing at a path (unless it ``may_be_gone``) or if it lies outside the data roots;
    without roots any path will do.
    """
    admit_weights(spec, roots, may_be_gone=may_be_gone)
    dataset = admit_dataset(spec.dataset, roots, within="dataset.", may_be_gone=may_be_gone)
    teacher = spec.teacher
    if spec.teacher_file is not None:
        teacher = admit_path("teacher", spec.teacher_file, roots, may_be_new=may_be_gone)
    compression = _admit_compression(spec.compression, roots, may_be_gone)
    return _changed(spec, dataset=dataset, teacher=teacher, compression=compression)


def admit_resources(resources: ResourcesSpec, nodes: Sequence[Node]) -> None:
    """RejectedError if no trial could ever run on these nodes, which no other can join; none means unknown."""
    missing = shortfall(resources, offers_of(nodes)) if nodes else None
    if missing is not None:
        raise RejectedError("resources", f"{missing}: lower cpus_per_trial or gpus_per_trial")


def admit_weights(spec: StudySpec, roots: Roots, *, may_be_gone: bool = False) -> None:
    """RejectedError as above for the files of pretrained weights that the space names."""
    for path in _weight_files(spec.space.model_dump(mode="json")["architecture"]):
        admit_path("space.architecture", path, roots, may_be_new=may_be_gone)


def admit_dataset(spec: DatasetSpec, roots: Roots, *, within: str = "", may_be_gone: bool = False) -> DatasetSpec:
    """The spec with every path resolved; ``within`` is its own field's name and a dot. RejectedError as above."""
    resolved = {
        field: admit_path(within + field, path, roots, may_be_new=spec.download or may_be_gone)
        for field, path in spec.locations.items()
    }
    return _changed(spec, within, **resolved)


def admit_recipe(recipe: Recipe, roots: Roots, *, within: str = "recipe.", may_be_gone: bool = False) -> Recipe:
    """The recipe with the files of its teachers resolved. RejectedError as above."""
    steps = [
        _changed(
            step,
            f"{within}steps[{position}].",
            teacher=admit_path(f"{within}steps[{position}].teacher", step.teacher, roots, may_be_new=may_be_gone),
        )
        if isinstance(step, Distillation) and step.teacher is not None
        else step
        for position, step in enumerate(recipe.steps)
    ]
    return _changed(recipe, within, steps=tuple(steps))


def admit_path(field: str, given: str, roots: Roots, *, may_be_new: bool = False) -> str:
    """The absolute path. URLs are left to the workers, and refused by a server that has data roots."""
    is_url = "://" in given or "::" in given
    if is_url and roots is None:
        return given
    path = Path(given).expanduser().resolve()
    if roots is not None and (is_url or not any(path.is_relative_to(root.resolve()) for root in roots)):
        allowed = ", ".join(str(root) for root in roots)
        raise RejectedError(field, f"must lie under a data root of this server: {allowed}")
    if not path.exists() and not may_be_new:
        raise RejectedError(field, f"there is nothing at {path}: give a path that the server can read")
    return str(path)


def _admit_compression(compression: CompressionSpec, roots: Roots, may_be_gone: bool) -> CompressionSpec:
    if compression.recipes == "search":
        return compression
    recipes = tuple(
        admit_recipe(recipe, roots, within=f"compression.recipes[{position}].", may_be_gone=may_be_gone)
        for position, recipe in enumerate(compression.recipes)
    )
    return _changed(compression, "compression.", recipes=recipes)


def _changed(part: M, within: str = "", **changes: object) -> M:
    return checked(type(part), {**dict(part), **changes}, within=within)


def checked(kind: type[M], document: Mapping[str, object], *, within: str) -> M:
    """What is to be stored, validated. RejectedError with the first mistake; ``within`` is as above."""
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        problem, *_ = spec_problems([dict(detail) for detail in error.errors()])
        raise RejectedError(within + problem["field"], problem["message"]) from error


def _weight_files(part: object) -> Iterator[str]:
    """The files of pretrained weights that a written-out space names, in whatever choice."""
    if isinstance(part, str) and part.lower().endswith(_WEIGHTS):
        yield part
    elif isinstance(part, dict):
        yield from _weight_files(list(part.values()))
    elif isinstance(part, list):
        for inner in part:
            yield from _weight_files(inner)
