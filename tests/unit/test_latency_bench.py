"""Files side by side: any ONNX file and .pt2 program, whatever sizes it leaves free, or the reason why not."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner

from api.cli.errors import CommandError
from api.cli.main import app
from tests.unit.training_sets import CLASSES, SIDE_PX, small_network
from workers.export import quick_onnx, to_onnx, to_program
from workers.latency.bench import bench, entries
from workers.latency.onnx_inputs import read_onnx, settled
from workers.latency.protocol import Effort
from workers.latency.runtimes import CPU, RUNTIMES, ModelError

_EFFORT = Effort(min_rounds=3, max_rounds=3, precision=0.01, runs=5, box_s=0.01, open_s=0.1, max_redone=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as exported by both exporters and as a program."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "a.onnx").write_bytes(to_onnx(small_network(), SIDE_PX))
    (folder / "b.onnx").write_bytes(quick_onnx(small_network(), SIDE_PX))
    (folder / "a.pt2").write_bytes(to_program(small_network(), SIDE_PX))
    return folder


def pooling(shape: Sequence[int | str]) -> onnx.ModelProto:
    """Somebody else's model: global pooling of an input of ``shape``."""
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["x"], ["y"])],
        "pooling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_a_file_is_timed_at_batch_1_its_throughput_at_others_and_its_memory(folder: Path) -> None:
    chosen = entries([folder / "a.onnx", folder / "a.pt2"], [], side_px=None)
    first, program = bench(chosen, threads=1, batches=[4], effort=_EFFORT)
    assert (first.runtime, program.runtime) == ("onnxruntime", "torch-pt2")
    assert first.images_per_s[1] == pytest.approx(1000 / first.latency.p50_ms)
    assert first.images_per_s[4] is not None
    assert program.images_per_s[4] is None
    assert program.peak_memory_bytes > 2 * first.peak_memory_bytes > 20_000_000
    assert program.speed_up == pytest.approx(first.latency.p50_ms / program.latency.p50_ms)
    assert min(first.place, program.place) == 1


@pytest.mark.parametrize("exported", ["a.onnx", "b.onnx"])
def test_a_file_for_one_image_computes_the_same_for_several(folder: Path, exported: str) -> None:
    model = read_onnx(folder / exported)
    images = np.random.default_rng(0).random((4, 3, SIDE_PX, SIDE_PX), dtype=np.float32)
    alone = CPU.open(settled(model, batch=1, side_px=None), 1)
    together = CPU.open(settled(model, batch=4, side_px=None), 1)
    expected = np.concatenate([alone.run(image[None]) for image in images])
    assert expected.shape == (4, CLASSES)
    np.testing.assert_allclose(together.run(images), expected, atol=1e-5)


def test_a_file_that_is_ready_is_timed_as_it_is(folder: Path) -> None:
    model = read_onnx(folder / "a.onnx")
    assert onnx.load_from_string(settled(model, batch=1, side_px=None)) == model


@pytest.mark.parametrize("shape", [("n", 3, "h", "w"), (1, 3, "h", "w"), ("n", "h", "w", 3)])
def test_free_sizes_are_settled(shape: Sequence[int | str]) -> None:
    session = CPU.open(settled(pooling(shape), batch=2, side_px=8), 1)
    assert session.shape == (2, *(size if isinstance(size, int) else 8 for size in shape[1:]))


@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (pooling(("n", 3, "h", "w")), "--side"),
        (pooling(("n", "c", "h", "w")), "free dimensions beside"),
        (pooling(()), "no dimensions"),
        (onnx.ModelProto(), "one input"),
    ],
    ids=["free size", "free channels", "a number", "no input"],
)
def test_inputs_that_are_no_images_are_told(model: onnx.ModelProto, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        settled(model, batch=1, side_px=None)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("nothing.onnx", None, "no such file"),
        ("notes.txt", b"notes", r"neither \.onnx nor \.pt2"),
        ("noise.onnx", b"noise", "no ONNX model"),
        ("empty.onnx", b"", "no ONNX model"),
    ],
)
def test_what_is_no_model_is_told_with_its_name(
    tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=rf"{name}: .*{complaint}"):
        entries([tmp_path / name], [], side_px=None)


def test_a_program_that_is_none_is_told_before_anything_is_timed(tmp_path: Path) -> None:
    (tmp_path / "noise.pt2").write_bytes(b"noise")
    with pytest.raises(ModelError, match=r"noise\.pt2 in torch-pt2: it is no program"):
        bench(entries([tmp_path / "noise.pt2"], [], side_px=None), threads=1, batches=[])


def test_runtimes_that_do_not_take_the_file_are_told_with_those_that_do(folder: Path) -> None:
    with pytest.raises(ModelError, match="torch-pt2, torch-compile would"):
        entries([folder / "a.pt2"], [CPU], side_px=None)
    both = entries([folder / "a.onnx", folder / "a.pt2"], [CPU, RUNTIMES["torch-pt2"]], side_px=None)
    assert [(entry.path.name, entry.runtime.name) for entry in both] == [
        ("a.onnx", "onnxruntime"),
        ("a.pt2", "torch-pt2"),
    ]


MEASURED: dict[str, Any] = {
    "host": "AMD EPYC, 2 cores",
    "threads": 1,
    "rows": [
        {
            "model": name,
            "runtime": "onnxruntime",
            "runtime_version": "1.32.0",
            "place": 1,
            "ties": True,
            "speed_up": speed_up,
            "latency": {"p50_ms": 0.2, "low_ms": 0.19, "high_ms": 0.21, "p90_ms": 0.25, "p99_ms": 0.4, "load": 1.5}
            | {"mean_ms": 0.2, "std_ms": 0.01, "reference_ms": 1.0, "n": 100, "rounds": 5, "sessions": 5, "redone": 0}
            | {"stable": stable},
            "images_per_s": {"1": 5000.0, "32": None},
            "peak_memory_bytes": 68_000_000,
        }
        for name, speed_up, stable in (("a.onnx", 1.0, False), ("b.onnx", 0.5, False))
    ],
}


def said(monkeypatch: pytest.MonkeyPatch, *options: str) -> str:
    monkeypatch.setattr("api.cli.bench.run_worker", lambda module, task, report: report.model_validate(MEASURED))
    return CliRunner().invoke(app, ["bench", "a.onnx", "b.onnx", *options]).output


def test_the_table_shows_intervals_ties_and_what_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    output = said(monkeypatch)
    assert "1=" in output
    assert "0.200 [0.190, 0.210]" in output
    assert "0.50x" in output
    assert "AMD EPYC, 2 cores, load 1.5" in output
    assert "was not quiet" in output
    assert "one image at a time" in output


def test_programs_get_json_and_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(said(monkeypatch, "--format", "json")) == MEASURED
    rows = list(csv.DictReader(io.StringIO(said(monkeypatch, "--format", "csv"))))
    assert [(row["model"], row["p50_ms"], row["images_per_s_1"]) for row in rows] == [
        ("a.onnx", "0.2", "5000.0"),
        ("b.onnx", "0.2", "5000.0"),
    ]


def test_an_unknown_runtime_is_told_with_the_known_ones(folder: Path) -> None:
    error = CliRunner().invoke(app, ["bench", str(folder / "a.onnx"), "--runtime", "abacus"]).exception
    assert isinstance(error, CommandError)
    assert str(error).startswith("there is no runtime abacus: known are onnxruntime, ")


def test_without_a_model_the_usage_is_wrong() -> None:
    assert CliRunner().invoke(app, ["bench"]).exit_code == 2
