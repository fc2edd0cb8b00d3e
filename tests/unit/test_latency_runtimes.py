"""Every runtime, with real sessions: it computes what the network computes, or says why it cannot."""

import io
import shutil
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from tests.unit.training_sets import CLASSES, SIDE_PX, small_network
from workers.export import quick_onnx, to_program
from workers.latency.reference import REFERENCE, reference_bytes
from workers.latency.runtimes import EAGER, RUNTIMES, Eager, ModelError, Runtime, RuntimeMissingError, random_images
from workers.latency.runtimes.registry import Session
from workers.latency.subject import model_subject

_SHAPE = (1, 3, SIDE_PX, SIDE_PX)
#: Of the logits: OpenVINO computes in bfloat16 where the CPU does.
_TOLERANCE = 0.03
_TAKING_ONNX = [runtime for runtime in RUNTIMES.values() if runtime.takes == "onnx"]


@pytest.fixture(scope="module")
def models() -> dict[str, Any]:
    """The same network as each kind of model."""
    return {
        "onnx": quick_onnx(small_network(), SIDE_PX),
        "pt2": to_program(small_network(), SIDE_PX),
        "network": Eager(make=small_network, shape=_SHAPE),
    }


def _present(runtime: Runtime) -> Runtime:
    if runtime.missing is not None:
        pytest.skip(runtime.missing)
    return runtime


def _itself(shape: list[int | str], element: int = TensorProto.FLOAT, inputs: int = 1) -> bytes:
    names = [f"image{number}" for number in range(inputs)]
    graph = helper.make_graph(
        [helper.make_node("Max", names, ["out"])],
        "itself",
        [helper.make_tensor_value_info(name, element, shape) for name in names],
        [helper.make_tensor_value_info("out", element, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    serialized: bytes = model.SerializeToString()
    return serialized


@pytest.mark.parametrize("runtime", [runtime for runtime in RUNTIMES.values() if runtime.name != "torch-compile"])
def test_a_runtime_computes_what_the_network_computes(runtime: Runtime, models: dict[str, Any]) -> None:
    session = _present(runtime).open(models[runtime.takes], 1)
    images = random_images(session)
    assert images.shape == _SHAPE
    with torch.inference_mode():
        expected = small_network().eval()(torch.from_numpy(images)).numpy()
    found = session.run(images)
    assert found.shape == (1, CLASSES)
    np.testing.assert_allclose(found, expected, atol=_TOLERANCE)


@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
def test_a_compiled_program_computes_what_it_computed() -> None:
    buffer = io.BytesIO()
    torch.export.save(torch.export.export(torch.nn.Softmax(dim=1), (torch.zeros(_SHAPE),)), buffer)
    session = RUNTIMES["torch-compile"].open(buffer.getvalue(), 1)
    images = random_images(session)
    np.testing.assert_allclose(session.run(images), torch.from_numpy(images).softmax(1).numpy(), atol=1e-6)


@pytest.mark.parametrize("runtime", _TAKING_ONNX, ids=lambda runtime: runtime.name)
@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        (b"not a model", "cannot load it"),
        (_itself([1, 3, "height", 8]), "free dimensions"),
        (_itself([1, 4], TensorProto.INT64), "floats or bytes"),
        (_itself([1, 3, 8, 8], inputs=2), "one input"),
    ],
    ids=["not a model", "free size", "integers", "two inputs"],
)
def test_a_file_that_cannot_be_timed_says_why(runtime: Runtime, model: bytes, complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        _present(runtime).open(model, 1)


def test_a_file_that_is_no_program_says_so() -> None:
    with pytest.raises(ModelError, match="no program"):
        RUNTIMES["torch-pt2"].open(b"not a program", 1)


@pytest.mark.parametrize("element", [TensorProto.FLOAT16, TensorProto.UINT8])
def test_half_floats_and_bytes_are_fed_as_the_file_takes_them(element: int) -> None:
    session = RUNTIMES["onnxruntime"].open(_itself([1, 3, 8, 8], element), 1)
    images = random_images(session)
    assert np.array_equal(session.run(images), images)
    assert images.std() > 0


def test_a_missing_runtime_says_how_to_get_it() -> None:
    def version() -> str:
        raise RuntimeMissingError("the package abacus is not installed")

    def open_(model: Any, threads: int) -> Session:
        raise AssertionError

    abacus = Runtime(
        name="abacus", takes="onnx", device="cpu", how_to_get="pip install abacus", version=version, open=open_
    )
    with pytest.raises(RuntimeMissingError, match=r"abacus is missing .*not installed.*: pip install abacus"):
        abacus.require()


def test_every_runtime_is_there_or_says_how_to_get_it() -> None:
    for name, runtime in RUNTIMES.items():
        assert runtime.name == name
        assert runtime.missing is None or runtime.how_to_get in runtime.missing


def test_the_reference_is_the_same_file_each_time_and_depends_on_its_image() -> None:
    model = onnx.load_from_string(reference_bytes())
    reference_bytes.cache_clear()
    assert model == onnx.load_from_string(reference_bytes())
    features = REFERENCE.open(1)()
    assert isinstance(features, np.ndarray)
    assert features.shape == (1, 64, 1, 1)
    assert np.isfinite(features).all()
    assert features.std() > 0


def test_a_torch_network_runs_in_evaluation_mode_with_its_threads_which_are_restored() -> None:
    seen = []

    class Probe(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            seen.append((self.training, torch.get_num_threads(), torch.is_inference_mode_enabled(), image.shape))
            return image

    before = torch.get_num_threads()
    model_subject("probe", EAGER, Eager(make=Probe, shape=(1, 3, 8, 8))).open(before + 1)()
    assert seen == [(False, before + 1, True, (1, 3, 8, 8))]
    assert torch.get_num_threads() == before


def test_each_torch_session_is_made_anew() -> None:
    made = []

    def make() -> torch.nn.Module:
        made.append(torch.nn.Flatten())
        return made[-1]

    subject = model_subject("flat", EAGER, Eager(make=make, shape=(1, 3, 8, 8)))
    subject.open(1)()
    subject.open(1)()
    assert len(made) == 2
