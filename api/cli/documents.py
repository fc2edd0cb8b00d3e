"""Specs and recipes read from YAML or JSON files, checked before they are sent."""

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from api.cli.errors import CommandError
from api.client.errors import FieldError, field_error_text
from search.contract.augmentation import Policy
from search.contract.dataset import DatasetSpec
from search.contract.recipes import Recipe
from search.spaces.architecture_space import ArchitectureSpace
from search.spaces.fixed import fixed_space
from search.spaces.model_yaml import ArchitectureText, ArchitectureTextError, read_architecture
from search.study.spec import StudySpec, spec_problems
from search.yaml_text import YamlError, read_yaml

M = TypeVar("M", bound=BaseModel)


def read_spec(path: Path) -> StudySpec:
    """A study's spec; relative paths start at the current directory.

    If its architecture is a file in the competition's format, the space holds that network only.
    """
    document = _document(path)
    space = document.get("space") if isinstance(document, dict) else None
    if isinstance(space, dict) and str(space.get("architecture")).endswith((".yaml", ".yml")):
        space["architecture"] = _network(Path(space["architecture"])).model_dump(exclude_defaults=True)
    spec = _validated(StudySpec, path, document)
    return spec.model_copy(update={"dataset": _absolute(spec.dataset)})


def read_dataset(path: Path) -> DatasetSpec:
    """The data set of a study's file, or of a file with the fields of a data set only."""
    document = _document(path)
    if isinstance(document, dict) and "dataset" in document:
        return read_spec(path).dataset
    return _absolute(_validated(DatasetSpec, path, document))


def read_policy(path: Path) -> Policy:
    return _validated(Policy, path, _document(path))


def read_recipe(path: Path) -> Recipe:
    return _validated(Recipe, path, _document(path))


def read_network(path: Path) -> ArchitectureText:
    """A network in the competition's format. CommandError with the line of the first error."""
    try:
        return read_architecture(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    except ArchitectureTextError as error:
        raise CommandError(f"{path}, {error}") from error


def _network(path: Path) -> ArchitectureSpace:
    try:
        return fixed_space(read_network(path).architecture)
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from error


def _validated(model: type[M], path: Path, document: object) -> M:
    """CommandError that lists every error in the file."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        errors = [FieldError(**problem) for problem in spec_problems([dict(item) for item in error.errors()])]
        raise CommandError(f"{path}: {field_error_text(errors)}") from error


def _document(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else read_yaml(text)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    except YamlError as error:
        raise CommandError(f"{path} is no YAML: {error}") from error


def _absolute(dataset: DatasetSpec) -> DatasetSpec:
    changes = {
        name: str(Path(location).expanduser().absolute())
        for name, location in dataset.locations.items()
        if "://" not in location
    }
    return dataset.model_copy(update=changes)
