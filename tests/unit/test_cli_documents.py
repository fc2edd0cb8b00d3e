"""Specs and recipes from files: what is read, and how mistakes are told."""

from pathlib import Path

import pytest
from optuna.trial import FixedTrial

from api.cli.documents import read_recipe, read_spec
from api.cli.errors import CommandError
from api.cli.quickstart import SPEC
from api.tabular.studies import networks
from search.contract.candidate import Architecture
from search.samplers.optuna_trials import chooser_of
from search.spaces.model_yaml import write_architecture
from search.study.draw import draw

_EXAMPLES = Path(__file__).parents[2] / "examples"


def _written(folder: Path, text: str, name: str = "spec.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_quickstart_runs_the_example_that_comes_with_the_package() -> None:
    assert SPEC.read_text() == (_EXAMPLES / "digits.yaml").read_text()


def test_every_mistake_of_a_spec_is_told_with_its_path(tmp_path: Path) -> None:
    spec = _written(tmp_path, "name: ''\ndataset: {source: sklearn}\nspace: {image_size: 4, colour: red}\n")
    with pytest.raises(CommandError) as caught:
        read_spec(spec)
    heading, *mistakes = str(caught.value).splitlines()
    assert heading == f"{spec}: 3 mistakes:"
    assert [mistake.split(":")[0].strip() for mistake in mistakes] == ["name", "space.image_size[0]", "space.colour"]


def test_relative_paths_of_a_data_set_start_in_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = read_spec(_written(tmp_path, "name: a\ndataset: {source: coco, path: images, annotations: boxes.json}\n"))
    assert tuple(spec.dataset.locations.values()) == (str(tmp_path / "images"), str(tmp_path / "boxes.json"))


def test_urls_of_a_data_set_stay_as_they_are(tmp_path: Path) -> None:
    spec = read_spec(_written(tmp_path, "name: a\ndataset: {source: folder, path: 's3://bucket/images'}\n"))
    assert spec.dataset.path == "s3://bucket/images"


def test_numbers_may_be_written_with_an_exponent_alone(tmp_path: Path) -> None:
    spec = read_spec(_written(tmp_path, "name: a\ndataset: {source: sklearn}\nspace: {learning_rate: 1e-2}\n"))
    assert spec.space.learning_rate.low == spec.space.learning_rate.high == 0.01


def test_json_is_read_too(tmp_path: Path) -> None:
    spec = read_spec(_written(tmp_path, '{"name": "a",\t"dataset": {"source": "sklearn"}}', "spec.json"))
    assert spec.name == "a"


def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"spec\.yaml is no YAML: line 2, column 4"):
        read_spec(_written(tmp_path, "name: a\n  b: c\n"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        read_recipe(tmp_path / "recipe.yaml")


def test_a_recipe_is_a_name_and_steps(tmp_path: Path) -> None:
    text = "name: half\nsteps:\n  - {technique: structured_pruning, ratio: 0.5}\n  - {technique: static_int8}\n"
    recipe = read_recipe(_written(tmp_path, text))
    assert [step.technique for step in recipe.steps] == ["structured_pruning", "static_int8"]


def test_a_network_of_a_file_is_the_only_one_of_its_space(tmp_path: Path) -> None:
    backbone = ((2, "Conv", (16, 3, 2)), (1, "GlobalAvgPool", ()), (1, "Flatten", ()), (1, "Linear", (10,)))
    architecture = Architecture(backbone=backbone, depth_multiple=0.5, width_multiple=0.75)
    model = _written(tmp_path, write_architecture(architecture, side_px=48), "model.yaml")
    spec = _written(tmp_path, f"name: again\ndataset: {{source: sklearn}}\nspace: {{architecture: {model}}}\n")
    space = read_spec(spec).space
    assert networks(read_spec(spec)) == "1"
    chooser = FixedTrial({"learning_rate": 0.1})
    assert draw(space, chooser_of(chooser), classes=10).architecture == architecture


def test_a_broken_network_is_told_with_its_line(tmp_path: Path) -> None:
    model = _written(tmp_path, "backbone:\n  - [1, Conv, [16, 3, 2]]\n  - [0, Conv, [8]]\n", "model.yaml")
    spec = _written(tmp_path, f"name: again\ndataset: {{source: sklearn}}\nspace: {{architecture: {model}}}\n")
    with pytest.raises(CommandError, match=r"model\.yaml, line 3: repeat is a whole number"):
        read_spec(spec)
