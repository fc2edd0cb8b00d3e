"""Which paths a server admits."""

from pathlib import Path

import pytest

from search.contract.dataset import DatasetSpec
from search.contract.recipes import NAMED_RECIPES, Distillation, Recipe
from search.study.spec import StudySpec
from services.errors import RejectedError
from services.studies.admission import admit_dataset, admit_recipe, admit_study


def _coco(path: Path, annotations: str) -> DatasetSpec:
    return DatasetSpec(source="coco", path=str(path), annotations=annotations)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "boxes.json").write_text("{}")
    return root


def test_paths_under_a_root_are_admitted_resolved(root: Path) -> None:
    spec = admit_dataset(_coco(root / ".." / "root", str(root / "boxes.json")), [root])
    assert (spec.path, spec.annotations) == (str(root), str(root / "boxes.json"))


@pytest.mark.parametrize("place", ["/etc/passwd", "file:///etc/passwd", "local::/etc/passwd", "../secret.json"])
def test_nothing_outside_the_roots_is_opened_by_any_field(root: Path, place: str) -> None:
    with pytest.raises(RejectedError, match=r"annotations: must lie under a data root"):
        admit_dataset(_coco(root, place), [root])


def test_a_list_of_test_images_outside_the_roots_is_not_opened(root: Path) -> None:
    with pytest.raises(RejectedError, match=r"test_list: must lie under a data root"):
        admit_dataset(DatasetSpec(source="folder", path=str(root), test_list="/etc/passwd"), [root])


def test_a_symbolic_link_counts_as_what_it_points_to(root: Path) -> None:
    (root / "link").symlink_to("/etc")
    with pytest.raises(RejectedError, match=r"path"):
        admit_dataset(DatasetSpec(source="folder", path=str(root / "link")), [root])


def test_without_roots_urls_are_left_to_the_workers() -> None:
    spec = DatasetSpec(source="folder", path="s3://bucket/images")
    assert admit_dataset(spec, None) == spec


def test_a_teacher_outside_the_roots_is_refused_in_a_recipe_and_in_a_study(root: Path) -> None:
    recipe = Recipe(name="taught", steps=(Distillation(teacher="/etc/passwd"),))
    with pytest.raises(RejectedError, match=r"recipe\.steps\[0\]\.teacher: must lie under"):
        admit_recipe(recipe, [root])
    spec = StudySpec.model_validate(
        {"name": "s", "dataset": {"source": "sklearn"}, "compression": {"recipes": [recipe.model_dump()]}}
    )
    with pytest.raises(RejectedError, match=r"compression\.recipes\[0\]\.steps\[0\]\.teacher"):
        admit_study(spec, [root])


def test_a_teacher_behind_a_link_counts_as_what_it_points_to_and_one_that_is_not_there_is_refused(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "teacher.onnx").touch()
    (root / "link.onnx").symlink_to(tmp_path / "teacher.onnx")
    for teacher, reason in (("link.onnx", "must lie under"), ("none.onnx", "there is nothing at")):
        with pytest.raises(RejectedError, match=reason):
            admit_recipe(Recipe(name="taught", steps=(Distillation(teacher=str(root / teacher)),)), [root])


def test_recipes_without_a_teacher_stay_as_they_are(root: Path) -> None:
    for named in NAMED_RECIPES:
        assert admit_recipe(named.recipe, [root]) == named.recipe


def test_a_teacher_under_a_root_is_resolved(root: Path) -> None:
    (root / "teacher.onnx").touch()
    recipe = Recipe(name="taught", steps=(Distillation(teacher=str(root / ".." / "root" / "teacher.onnx")),))
    (step,) = admit_recipe(recipe, [root]).steps
    assert isinstance(step, Distillation)
    assert step.teacher == str(root / "teacher.onnx")


def test_a_studys_teacher_lies_under_a_root_and_is_resolved(root: Path) -> None:
    (root / "teacher.onnx").touch()
    fields = {"name": "s", "dataset": {"source": "sklearn"}, "teacher": str(root / ".." / "root" / "teacher.onnx")}
    assert admit_study(StudySpec.model_validate(fields), [root]).teacher == str(root / "teacher.onnx")
    for teacher in ("none", "auto"):
        assert admit_study(StudySpec.model_validate({**fields, "teacher": teacher}), [root]).teacher == teacher
    with pytest.raises(RejectedError, match=r"teacher: must lie under"):
        admit_study(StudySpec.model_validate({**fields, "teacher": "/etc/teacher.onnx"}), [root])


def test_pretrained_weights_that_a_written_out_space_names_lie_under_a_root(root: Path) -> None:
    line = [1, "TorchVision", ["resnet18", 1, "$weights", False, "$classes", "$side_px"]]
    stage = {"name": "body", "blocks": {"network": [line]}}
    architecture = {"stages": [stage], "parameters": {"weights": ["default", "/etc/secret.safetensors"]}}
    fields = {"name": "s", "dataset": {"source": "sklearn"}, "space": {"architecture": architecture}}
    with pytest.raises(RejectedError, match=r"space\.architecture: must lie under"):
        admit_study(StudySpec.model_validate(fields), [root])
