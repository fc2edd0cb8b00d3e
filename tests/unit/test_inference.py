"""A deployed file on folders of images: predictions, the submit time and the score, as its user calls it."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image
from sklearn.metrics import f1_score

from search.contract.metrics import Score
from tests.unit.compression_states import trained
from tests.unit.training_sets import CLASSES, SIDE_PX, coloured_images
from workers.data.errors import DataError
from workers.export import to_onnx
from workers.inference.submission import submit
from workers.model_metadata import UnknownModelError, describe, usage_of
from workers.predictors import onnx_predictor

NAMES = tuple(f"class-{index}" for index in range(CLASSES))
IMAGES = 24


@pytest.fixture(scope="module")
def model() -> bytes:
    return describe(to_onnx(trained(), SIDE_PX), classes=NAMES, side_px=SIDE_PX, resize="pad")


def test_a_viewer_finds_a_name_and_a_shape_for_every_tensor(model: bytes) -> None:
    graph = onnx.load_from_string(model).graph
    described = {
        tensor.name: [dimension.dim_value for dimension in tensor.type.tensor_type.shape.dim]
        for tensor in (*graph.input, *graph.value_info, *graph.output)
    }
    assert described["images"] == [1, 3, SIDE_PX, SIDE_PX]
    assert described["logits"] == [1, CLASSES]
    outputs = {name for node in graph.node for name in node.output}
    assert outputs <= described.keys()
    assert all(all(described[name]) for name in outputs)
    assert all(node.name for node in graph.node)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Class folders of images that need no resizing, and how they should be predicted follows from the model alone."""
    images, labels = coloured_images(IMAGES, seed=1)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        place = tmp_path / "images" / NAMES[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number:03}.png")
    return tmp_path / "images"


def test_every_image_is_predicted_as_the_model_predicts_and_scored_by_its_folder(model: bytes, folder: Path) -> None:
    found = submit(model, folder, threads=1)
    assert len(found.predictions) == IMAGES
    expected = {}
    for path in folder.rglob("*.png"):
        logits = onnx_predictor(model)(np.asarray(Image.open(path))[None])[0]
        expected[path.relative_to(folder).as_posix()] = NAMES[int(logits.argmax())]
    assert {prediction.name: prediction.predicted for prediction in found.predictions} == expected
    assert all(1 / CLASSES <= prediction.probability <= 1 for prediction in found.predictions)
    labels = [prediction.label for prediction in found.predictions]
    f1 = f1_score(labels, [prediction.predicted for prediction in found.predictions], average="macro")
    assert found.f1 == pytest.approx(f1)
    assert 0 < found.inference_s < found.total_s
    assert found.score == pytest.approx(Score().of(f1=f1, latency_ms=1000 * found.total_s / IMAGES))


def test_images_without_class_folders_are_predicted_and_not_scored(model: bytes, folder: Path, tmp_path: Path) -> None:
    for path in list(folder.rglob("*.png")):
        path.rename(tmp_path / path.name)
    found = submit(model, tmp_path, threads=1)
    assert {prediction.label for prediction in found.predictions} == {None}
    assert (found.f1, found.score) == (None, None)


def test_an_unreadable_image_is_named_and_left_out(model: bytes, folder: Path) -> None:
    (folder / NAMES[0] / "broken.png").write_bytes(b"no image")
    found = submit(model, folder, threads=1)
    assert [name for name, _ in found.unreadable] == [f"{NAMES[0]}/broken.png"]
    assert len(found.predictions) == IMAGES


def test_a_folder_without_images_is_refused(model: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no images"):
        submit(model, tmp_path, threads=1)


@pytest.mark.parametrize(("content", "complaint"), [(b"no model", "no ONNX model"), (None, "does not say its classes")])
def test_a_foreign_file_says_what_to_do(content: bytes | None, complaint: str) -> None:
    with pytest.raises(UnknownModelError, match=complaint):
        usage_of(to_onnx(trained(), SIDE_PX) if content is None else content)


def test_the_command_writes_predictions_and_tells_the_submit_time(model: bytes, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(model)
    command = [str(Path(sys.executable).with_name("seedleaf")), "infer", "model.onnx", "images", "--out", "out.csv"]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "of which" in done.stdout
    assert "macro F1" in done.stdout
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == IMAGES
    assert rows[0].keys() == {"image", "class", "probability", "label"}
    refused = subprocess.run([*command[:2], "nothing.onnx", "images"], cwd=tmp_path, capture_output=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, b"seedleaf: there is nothing at nothing.onnx\n")
