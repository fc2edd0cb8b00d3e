"""``seedleaf dataset check`` on real files, as its user calls it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def _seedleaf(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("seedleaf")), *arguments]
    return subprocess.run(command, text=True, capture_output=True, check=False)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    source = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(6):
            pixels = source.integers(0, 255, (12, 10, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{number}.png")
    return tmp_path / "images"


def _spec(folder: Path, images: Path, *, test_fraction: float = 0) -> str:
    path = folder / "dataset.json"
    path.write_text(json.dumps({"source": "folder", "path": str(images), "test_fraction": test_fraction}))
    return str(path)


def test_a_sound_data_set_is_told_by_its_classes(tmp_path: Path, images: Path) -> None:
    done = _seedleaf("dataset", "check", _spec(tmp_path, images))
    assert done.returncode == 0, done.stderr
    assert "12 usable images of 12 photos in 2 classes" in done.stdout
    assert "no problem found" in done.stdout


def test_test_images_are_counted_in_a_column_of_their_own(tmp_path: Path, images: Path) -> None:
    done = _seedleaf("dataset", "check", _spec(tmp_path, images, test_fraction=0.2), "--format", "csv")
    assert done.stdout.splitlines() == ["name,images,train,validation,test", "cat,6,4,1,1", "dog,6,4,1,1"]


def test_a_broken_file_is_named_and_the_rest_counts(tmp_path: Path, images: Path) -> None:
    (images / "cat" / "0.png").write_bytes(b"no image")
    done = _seedleaf("dataset", "check", _spec(tmp_path, images), "--format", "json")
    report = json.loads(done.stdout)
    assert [item["name"] for item in report["skipped"]] == ["cat/0.png"]
    assert sum(item["images"] for item in report["classes"]) == 11
    assert done.returncode == 0


def test_a_data_set_that_no_study_could_use_is_a_failure(tmp_path: Path, images: Path) -> None:
    for path in (images / "dog").iterdir():
        path.unlink()
    done = _seedleaf("dataset", "check", _spec(tmp_path, images))
    assert done.returncode == 1
    assert "a study cannot use this data set" in done.stderr


def test_boxes_of_real_photos_are_counted_and_clipped(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "trashnet-coco"
    path = tmp_path / "coco.json"
    spec = {"source": "coco", "path": str(folder / "images"), "annotations": str(folder / "annotations.json")}
    path.write_text(json.dumps(spec))
    done = _seedleaf("dataset", "check", str(path))
    assert done.returncode == 0, done.stderr
    assert "183 usable images of 182 photos in 4 classes" in done.stdout
    assert "boxes: 183, 1 clipped to their image" in done.stdout


def test_annotations_without_images_are_all_missed(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "taco"
    path = tmp_path / "taco.json"
    places = {"annotations": str(folder / "annotations.json"), "classes": str(folder / "classes_6.csv")}
    path.write_text(json.dumps({"source": "coco", "path": str(folder), **places}))
    done = _seedleaf("dataset", "check", str(path))
    assert done.returncode == 1
    assert "cannot be used: 1500" in done.stdout


def _policy(folder: Path) -> str:
    path = folder / "policy.json"
    path.write_text(json.dumps({"operations": [{"name": "Rotate"}, {"name": "Brightness"}], "max_ops": 2}))
    return str(path)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_originals_and_twice_as_many_copies_are_written_the_same_for_the_same_seed(
    tmp_path: Path, images: Path
) -> None:
    arguments = ("dataset", "augment", _spec(tmp_path, images), "--policy", _policy(tmp_path), "--copies", "2")
    for name in ("one", "two"):
        done = _seedleaf(*arguments, "--out", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
        assert f"36 images in {tmp_path / name}" in done.stdout
    one = _contents(tmp_path / "one")
    assert one == _contents(tmp_path / "two")
    assert len([name for name in one if name.startswith("cat/")]) == 18
    (tmp_path / "one" / "cat" / "000000-1.jpg").unlink()
    assert _seedleaf(*arguments, "--out", str(tmp_path / "one")).returncode == 0
    assert _contents(tmp_path / "one") == one
    other = _seedleaf(*arguments, "--seed", "1", "--out", str(tmp_path / "one"))
    assert other.returncode == 1
    assert "name a new folder" in other.stderr


def test_test_images_are_not_augmented(tmp_path: Path, images: Path) -> None:
    arguments = ("dataset", "augment", _spec(tmp_path, images, test_fraction=0.2), "--policy", _policy(tmp_path))
    done = _seedleaf(*arguments, "--copies", "1", "--out", str(tmp_path / "out"))
    assert f"20 images in {tmp_path / 'out'}" in done.stdout, done.stderr


def test_a_preview_is_a_picture(tmp_path: Path, images: Path) -> None:
    target = tmp_path / "grid.png"
    arguments = ("dataset", "preview", _spec(tmp_path, images), "--policy", _policy(tmp_path), "--out", str(target))
    done = _seedleaf(*arguments)
    assert done.returncode == 0, done.stderr
    with Image.open(target) as picture:
        assert picture.size == (800, 800)
