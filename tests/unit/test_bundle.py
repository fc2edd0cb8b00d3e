"""The bundle of a model: a card with its figures, a folder written whole, and a program that predicts like infer."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from api.bundle.card import model_card
from api.bundle.folder import write_whole
from api.bundle.model import Model
from api.bundle.plots import draw
from api.bundle.program import PredictionError, predict, program_files
from api.schemas import VariantDetail
from search.contract.candidate import Architecture
from search.contract.dataset import Resize
from search.contract.weights import StartingWeights
from tests.integration.records import CANDIDATE, METRICS, make_spec
from tests.unit.compression_states import trained
from tests.unit.training_sets import SIDE_PX
from workers.export import quick_onnx
from workers.inference.submission import submit
from workers.model_metadata import describe

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_CLASSES = ["can", "cup", "lid"]


def _model(*, training: bool = False, **changes: Any) -> Model:
    names = {"id": "variant_1", "trial_id": "trial_1", "study_id": "study_1", "runtime": "onnxruntime", "host": "CPU"}
    variant = VariantDetail.model_validate(
        {
            **names,
            "trial_number": 3,
            "recipe": "structured",
            "steps": [],
            "metrics": METRICS,
            "parity_error": 0.0,
            "agreement": 0.99,
            "latency": {"parent_ms": 0.4},
            "artifacts": [
                {"id": "a", "kind": "onnx", "sha256": "0" * 64, "size_bytes": 4000},
                {"id": "b", "kind": "weights", "sha256": "1" * 64, "size_bytes": 3000},
            ],
            "created_at": _NOW,
            "training_id": None,
            "per_class_f1": [0.9, 0.8, 1.0],
            "confusion": [[9, 1, 0], [2, 8, 0], [0, 0, 10]],
            **changes,
        }
    )
    epoch = {"epoch": 1, "loss": 1.0, "f1": 0.5, "accuracy": 0.5, "elapsed_s": 1.0}
    ended = {"state": "COMPLETED", "reason": None, "created_at": _NOW, "finished_at": _NOW}
    study = {"id": "study_1", "name": "bins", "spec": make_spec(), "classes": _CLASSES, "dataset_id": "d" * 8, **ended}
    progress: dict[str, object] = {
        "finished": 1,
        "total": 1,
        "best_f1": 0.9,
        "least_latency_ms": None,
        "compression": {},
    }
    trial = {"id": "trial_1", "study_id": "study_1", "number": 3, "candidate": CANDIDATE, "metrics": METRICS, **ended}
    in_full = {"id": "training_1", "trial_id": "trial_1", "study_id": "study_1", "epochs": 30, "seeds": 2, **ended}
    front = {"host": "CPU", "runtime": "onnxruntime", "items": [variant], "recommended": "variant_1", "ties": []}
    return Model.model_validate(
        {
            "study": {**_NO_STUDY, **study, "progress": progress},
            "trial": {**_NO_TRIAL, **trial, "epochs": [epoch]},
            "training": {**in_full, "f1": 0.9, "f1_deviation": 0.0, "runs": [], "curves": [{**epoch, "seed": 0}]}
            if training
            else None,
            "variant": variant,
            "rivals": [variant],
            "front": {**front, "knee": None, "best_score": "variant_2"},
        }
    )


_NO_STUDY: dict[str, Any] = {
    "last_event_id": 0,
    "phase": None,
    "job": None,
    "skipped": None,
    "resources": None,
    "search_elapsed_s": 1.0,
    "started_at": None,
}
_NO_TRIAL: dict[str, Any] = {
    "host": None,
    "assignment": {},
    "role": None,
    "best_variant": None,
    "per_class_f1": None,
    "layers": None,
    "artifacts": [],
    "confusion": None,
    "compression": [],
    "recipe_searches": [],
    "trainings": [],
}


def test_a_card_has_the_front_matter_of_the_hugging_face_hub() -> None:
    _, front_matter, text = model_card(_model(), {"front": "front.png"}).split("---\n", 2)
    fields = yaml.safe_load(front_matter)
    assert (fields["library_name"], fields["pipeline_tag"]) == ("onnx", "image-classification")
    (result,) = fields["model-index"][0]["results"]
    assert result["metrics"][0] == {"type": "f1", "name": "F1 (macro)", "value": METRICS["f1"]}
    assert "](front.png)" in text


def test_a_card_names_the_weights_that_the_network_started_from_and_their_licence() -> None:
    model = _model()
    assert "licence of these weights" not in model_card(model, {})
    stem = Architecture.model_validate({"backbone": [[1, "TimmStem", ["tinynet_e", 0.5, "default"]]]})
    candidate = model.trial.candidate.model_copy(update={"architecture": stem})
    trial = model.trial.model_copy(update={"candidate": candidate})
    found = {"network": "tinynet_e", "weights": "default", "place": "folder", "origin": "timm/tinynet_e.in1k"}
    weights = [StartingWeights.model_validate({**found, "license": "Apache-2.0"})]
    for known, origin, license_ in ((weights, " (timm/tinynet_e.in1k)", "Apache-2.0"), ([], "", "unknown")):
        study = model.study.model_copy(update={"weights": known})
        lines = model_card(model.model_copy(update={"study": study, "trial": trial}), {}).splitlines()
        assert f"| started from | pretrained weights of tinynet_e{origin} |" in lines
        assert f"| licence of these weights | {license_} |" in lines


def test_a_card_tells_scores_with_intervals_by_class_and_where_the_latency_was_measured() -> None:
    lines = model_card(_model(), {}).splitlines()
    assert any(line.startswith("| F1 (macro), validation | 0.9000 [0.7") for line in lines)
    assert any(line.startswith("| cup | 0.8000 [") and line.endswith(" | 10 |") for line in lines)
    assert any("(30 images)" in line for line in lines)
    assert "An image classifier of 3 classes that Seedleaf found, for batch 1 on CPU." in lines
    assert any("the recommended one of its study" in line for line in lines)
    assert "| faster than its trial's fp32 file | 2.0x |" in lines


def test_a_card_tells_the_score_on_the_test_split_and_how_often_that_was_looked_at() -> None:
    on_test: dict[str, Any] = {"f1_test": 0.8, "f1_test_low": 0.7, "f1_test_high": 0.85, "test_images": 50}
    model = _model(**on_test)
    looked_at_twice = model.model_copy(update={"study": model.study.model_copy(update={"test_looks": 2})})
    text = " ".join(model_card(looked_at_twice, {}).split())
    assert "| F1 (macro), test | 0.8000 [0.7000, 0.8500] |" in text
    assert "the test split (50 images): it was looked at 2 times" in text
    results = yaml.safe_load(model_card(model, {}).split("---\n")[1])["model-index"][0]["results"]
    assert [(result["dataset"]["split"], result["metrics"][0]["value"]) for result in results] == [
        ("validation", METRICS["f1"]),
        ("test", 0.8),
    ]
    assert "This model was not scored on a test split" in " ".join(model_card(_model(), {}).split())


def test_a_card_leaves_out_what_is_not_known() -> None:
    text = model_card(_model(confusion=None, per_class_f1=None, agreement=None), {})
    assert "## By class" not in text
    assert "| F1 (macro), validation | 0.9000 |" in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("kind", "told"), [("weights", "load_weights"), ("reshaped_weights", "do not fit `model.yaml`")]
)
def test_a_card_says_how_the_weights_are_loaded(kind: str, told: str) -> None:
    files = [{"id": "a", "kind": kind, "sha256": "0" * 64, "size_bytes": 1}]
    assert told in model_card(_model(artifacts=files), {})


def test_a_card_tells_which_training_the_weights_are_of() -> None:
    assert "| trained for | 20 epochs" not in model_card(_model(training=True), {})
    text = model_card(_model(training=True), {})
    assert "| trained for | 30 epochs of the whole training split, the best of 2 seeds |" in text
    assert "seedleaf train TRIAL --epochs 30 --seeds 2" in text


@pytest.mark.parametrize("training", [True, False])
def test_plots_are_pictures(training: bool, tmp_path: Path) -> None:
    names = draw(_model(training=training), tmp_path)
    assert set(names) == {"front", "confusion", "learning"}
    for name in names.values():
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 300
            assert len(np.unique(np.asarray(picture.convert("L")))) > 10


def test_a_plot_without_figures_is_not_drawn(tmp_path: Path) -> None:
    names = draw(_model(confusion=None), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names.values()) == {"front.png", "learning.png"}


def test_a_folder_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        write_whole(tmp_path / "model", fail)
    assert list(tmp_path.iterdir()) == []
    write_whole(tmp_path / "model", lambda folder: (folder / "file").touch())
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["file"]
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "model", fail)


@pytest.mark.parametrize("resize", ["pad", "crop", "stretch"])
def test_the_program_predicts_what_seedleaf_infer_predicts(resize: Resize, tmp_path: Path) -> None:
    content = describe(quick_onnx(trained(), SIDE_PX), classes=_CLASSES, side_px=SIDE_PX, resize=resize)
    (tmp_path / "model.onnx").write_bytes(content)
    for name, text in program_files(_CLASSES, side_px=SIDE_PX, resize=resize).items():
        (tmp_path / name).write_text(text)
    images = tmp_path / "images"
    images.mkdir()
    _save_pictures(images)
    ours = {
        prediction.name: (prediction.predicted, prediction.probability)
        for prediction in submit(content, images, threads=1).predictions
    }
    command = [sys.executable, str(tmp_path / "predict.py"), *map(str, sorted(images.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    theirs = {Path(name).name: (label, float(probability)) for name, label, probability in rows}
    assert len(theirs) == 7
    assert {name: label for name, (label, _) in theirs.items()} == {name: label for name, (label, _) in ours.items()}
    for name, (_, probability) in theirs.items():
        assert probability == pytest.approx(ours[name][1], abs=1e-5)


def test_a_picture_is_answered_with_every_class_and_a_latency(tmp_path: Path) -> None:
    model, image = quick_onnx(trained(), SIDE_PX), tmp_path / "image.png"
    Image.new("RGB", (40, 30), "red").save(image)
    prediction = predict(model, _CLASSES, image.read_bytes(), side_px=SIDE_PX, resize="pad")
    assert list(prediction.probabilities) == _CLASSES
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.latency_ms > 0


@pytest.mark.parametrize("image", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused_with_the_reason(image: bytes) -> None:
    model = quick_onnx(trained(), SIDE_PX)
    with pytest.raises(PredictionError, match="the picture cannot be read"):
        predict(model, _CLASSES, image, side_px=SIDE_PX, resize="pad")


def _save_pictures(folder: Path) -> None:
    """Pictures in the modes and shapes that people have."""
    random = np.random.default_rng(0)
    colours = Image.fromarray(random.integers(0, 256, (60, 90, 3), np.uint8))
    large = colours.resize((900, 600))
    turned = Image.Exif()
    turned[0x0112] = 6
    large.save(folder / "large.jpg", quality=90)
    large.save(folder / "turned.jpg", exif=turned)
    colours.convert("CMYK").save(folder / "cmyk.jpg")
    colours.convert("L").save(folder / "gray.png")
    colours.convert("P").save(folder / "palette.png", transparency=0)
    colours.putalpha(Image.fromarray(random.integers(0, 256, (60, 90), np.uint8)))
    colours.save(folder / "transparent.png")
    Image.fromarray(random.integers(0, 65536, (60, 90), np.uint16)).save(folder / "deep.png")
