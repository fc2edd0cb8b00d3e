"""What was checked when it was posted, and is swapped for a symbolic link before a worker reads it, is not read."""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from sqlalchemy import Engine

from search.contract.dataset import DatasetSpec
from services import datasets
from services.jobs import dataset_job
from services.settings import Settings
from services.studies.admission import admit_dataset
from tests.integration.security import serving
from tests.unit.data_folders import folder_spec, png, write_classes
from workers.data import DatasetNotFoundError, load_dataset
from workers.data.content import read_digests
from workers.data.sources import list_samples
from workers.models.pretrained import load_named_file
from workers.teacher.onnx_file import TeacherError, file_teacher

_REFUSED = "leads out of the data roots"
_CLASSES = {"cat": 3, "dog": 3}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data root of a server, as its jobs know it."""
    folder = tmp_path / "root"
    folder.mkdir()
    monkeypatch.setenv("SEEDLEAF_DATA_ROOTS", json.dumps([str(folder)]))
    return folder


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A data set outside the root."""
    return write_classes(tmp_path / "secret", _CLASSES, first=50)


def _swap(path: Path, target: Path) -> None:
    """Put a link to ``target`` in the place of what is at ``path``."""
    path.rename(path.with_name(f".{path.name}"))
    path.symlink_to(target)


def test_a_folder_swapped_after_its_post_is_refused(
    engine: Engine, database_url: str, root: Path, secret: Path, tmp_path: Path
) -> None:
    data = write_classes(root / "data", _CLASSES)
    with serving(database_url, tmp_path / "home", data_roots=[root]) as client:
        answer = client.post("/datasets", json=folder_spec(data).model_dump(mode="json"))
        assert answer.status_code == 201, answer.text
        check_id = answer.json()["id"]
    _swap(data, secret)
    dataset_job.run(engine, check_id)
    with engine.connect() as connection:
        check = datasets.get(connection, check_id)
    assert (check.state, check.report) == ("FAILED", None)
    assert _REFUSED in str(check.reason)


def test_a_parent_folder_swapped_between_listing_and_reading_is_refused(root: Path, secret: Path) -> None:
    data = write_classes(root / "data", _CLASSES, first=50)
    listing = list_samples(folder_spec(data))
    _swap(data, secret)
    _, unread = read_digests(listing.photos)
    assert len(unread) == 6
    assert all(_REFUSED in reason for reason in unread.values())


def test_an_image_swapped_between_listing_and_reading_is_refused_by_name(root: Path, secret: Path) -> None:
    data = write_classes(root / "data", _CLASSES)
    listing = list_samples(folder_spec(data))
    _swap(data / "cat" / "0000.png", secret / "cat" / "0050.png")
    digests, unread = read_digests(listing.photos)
    assert [listing.photos[photo].name for photo in unread] == ["cat/0000.png"]
    assert _REFUSED in unread[0]
    assert sum(map(bool, digests)) == 5


def test_a_data_set_whose_image_was_swapped_says_which_and_trains_on_the_others(
    root: Path, secret: Path, tmp_path: Path
) -> None:
    """The link is there before the listing."""
    data = write_classes(root / "data", _CLASSES)
    _swap(data / "cat" / "0000.png", secret / "cat" / "0050.png")
    loaded = load_dataset(folder_spec(data), side_px=8, cache_dir=tmp_path / "cache")
    assert [skipped.name for skipped in loaded.skipped] == ["cat/0000.png"]
    assert "symbolic link" in loaded.skipped[0].reason


def test_an_image_swapped_for_a_pipe_holds_nobody_up(root: Path) -> None:
    data = write_classes(root / "data", _CLASSES)
    listing = list_samples(folder_spec(data))
    image = data / "cat" / "0000.png"
    image.unlink()
    os.mkfifo(image)
    _, unread = read_digests(listing.photos)
    assert "is not a file" in unread[0]


@pytest.mark.parametrize("file", ["annotations", "classes"])
def test_a_file_of_coco_swapped_after_its_post_is_refused(file: str, root: Path, tmp_path: Path) -> None:
    (root / "a.png").write_bytes(png(1))
    paths = {"annotations": root / "boxes.json", "classes": root / "classes.csv"}
    image = {"id": 1, "file_name": "a.png", "width": 24, "height": 18}
    document = {"images": [image], "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
    paths["annotations"].write_text(json.dumps(document))
    paths["classes"].write_text("cat,cat\n")
    spec = DatasetSpec(source="coco", path=str(root), **{name: str(path) for name, path in paths.items()})
    spec = admit_dataset(spec, [root])
    list_samples(spec)
    outside = tmp_path / "outside"
    outside.write_bytes(paths[file].read_bytes())
    _swap(paths[file], outside)
    with pytest.raises(DatasetNotFoundError, match=_REFUSED):
        list_samples(spec)


def test_a_test_list_swapped_after_its_post_is_refused(root: Path, tmp_path: Path) -> None:
    data, names = write_classes(root / "data", _CLASSES), root / "test.txt"
    names.write_text("cat/0000.png\n")
    spec = admit_dataset(folder_spec(data, test_fraction=0.2, test_list=str(names)), [root])
    (tmp_path / "passwords").write_text("secret\n")
    _swap(names, tmp_path / "passwords")
    with pytest.raises(DatasetNotFoundError, match=_REFUSED):
        list_samples(spec)


def test_a_table_swapped_between_listing_and_reading_is_refused(root: Path, tmp_path: Path) -> None:
    path, outside = root / "images.parquet", tmp_path / "outside.parquet"
    for number, place in enumerate([path, outside]):
        images = [png(10 * number + row) for row in range(4)]
        pq.write_table(pa.table({"image": images, "label": ["a", "b"] * 2}), place)
    spec = DatasetSpec(source="parquet", path=str(path))
    listing = list_samples(spec)
    _swap(path, outside)
    assert all(_REFUSED in reason for reason in read_digests(listing.photos)[1].values())
    with pytest.raises(DatasetNotFoundError, match=_REFUSED):
        list_samples(spec)


def test_a_folder_of_torchvision_with_a_link_out_of_it_is_refused(root: Path, secret: Path) -> None:
    (root / "MNIST").mkdir()
    (root / "MNIST" / "raw").symlink_to(secret)
    with pytest.raises(DatasetNotFoundError, match="MNIST/raw: a symbolic link"):
        list_samples(DatasetSpec(source="torchvision", name="MNIST", path=str(root)))


@pytest.mark.parametrize("url", ["https://127.0.0.1:9/a.zip", "zip://a::file:///etc/a.zip", "memory://a"])
def test_a_server_with_roots_reads_no_url_of_an_earlier_study(url: str, root: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="is a URL, and this server has data roots"):
        list_samples(folder_spec(Path("x")).model_copy(update={"path": url}))


def _classifier(path: Path, *, external: str | None = None) -> Path:
    """An ONNX model of two classes; its bias may be in another file, ``external``."""
    bias = numpy_helper.from_array(np.zeros(2, np.float32), "bias")
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Slice", ["flat", "zero", "two", "one"], ["two_channels"]),
        helper.make_node("Add", ["two_channels", "bias"], ["logits"]),
    ]
    integers = [numpy_helper.from_array(np.array([value]), name) for name, value in (("zero", 0), ("two", 2))]
    integers.append(numpy_helper.from_array(np.array([1]), "one"))
    graph = helper.make_graph(
        nodes,
        "teacher",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2])],
        [bias, *integers],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if external is not None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=external)
    path.write_bytes(model.SerializeToString())
    return path


def test_a_teacher_swapped_after_its_post_is_refused(root: Path, tmp_path: Path) -> None:
    path, outside = _classifier(root / "teacher.onnx"), _classifier(tmp_path / "outside.onnx")
    assert file_teacher(path, classes=2, side_px=8)(torch.zeros(1, 3, 8, 8)).shape == (1, 2)
    _swap(path, outside)
    with pytest.raises(TeacherError, match=_REFUSED):
        file_teacher(path, classes=2, side_px=8)


def test_a_teacher_reads_no_file_beside_it_where_there_are_roots(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (root, tmp_path):
        (folder / "secret.bin").write_bytes(np.ones(2, np.float32).tobytes())
    path = _classifier(root / "teacher.onnx", external="secret.bin")
    onnxruntime.InferenceSession(path)
    with pytest.raises(TeacherError, match="no ONNX model"):
        file_teacher(path, classes=2, side_px=8)


def test_weights_swapped_after_their_post_are_refused(root: Path, tmp_path: Path) -> None:
    path, outside = root / "weights.safetensors", tmp_path / "outside.safetensors"
    for place in (path, outside):
        save_file({"a": torch.ones(2)}, place)
    assert torch.equal(load_named_file(str(path))["a"], torch.ones(2))
    _swap(path, outside)
    with pytest.raises(ValueError, match=_REFUSED):
        load_named_file(str(path))


def test_without_roots_a_data_set_may_lie_behind_a_link(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "link").symlink_to(secret)
    loaded = load_dataset(folder_spec(tmp_path / "link"), side_px=8, cache_dir=tmp_path / "cache")
    assert (len(loaded.images), loaded.skipped) == (6, ())


def test_a_root_may_itself_be_a_link_on_the_machine_that_works(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mounted").symlink_to(secret)
    monkeypatch.setenv("SEEDLEAF_DATA_ROOTS", json.dumps([str(tmp_path / "mounted")]))
    loaded = load_dataset(folder_spec(tmp_path / "mounted"), side_px=8, cache_dir=tmp_path / "cache")
    assert len(loaded.images) == 6


def test_the_roots_go_with_each_job(tmp_path: Path) -> None:
    config = Settings(database_url="postgresql://localhost/x", data_roots=(tmp_path / "root",))
    assert json.loads(config.for_jobs()["SEEDLEAF_DATA_ROOTS"]) == [str(tmp_path / "root")]
    assert "SEEDLEAF_DATA_ROOTS" not in config.model_copy(update={"data_roots": None}).for_jobs()
