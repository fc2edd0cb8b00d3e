"""Subjects of ONNX Runtime and PyTorch, with real sessions."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from workers.latency.reference import REFERENCE, reference_bytes
from workers.latency.runtimes import onnx_subject, torch_subject


def _identity_model(shape: list[int | str], element: int = TensorProto.FLOAT) -> bytes:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["image"], ["out"])],
        "identity",
        [helper.make_tensor_value_info("image", element, shape)],
        [helper.make_tensor_value_info("out", element, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    serialized: bytes = model.SerializeToString()
    return serialized


def test_an_onnx_model_with_a_free_batch_runs_at_batch_1() -> None:
    (output,) = onnx_subject("identity", _identity_model(["batch", 3, 8, 8])).open(1)()
    assert output.shape == (1, 3, 8, 8)
    assert output.dtype == np.float32


@pytest.mark.parametrize(
    ("model_bytes", "complaint"),
    [
        (_identity_model(["batch", 3, "height", 8]), "fixed image size"),
        (_identity_model([1, 4], TensorProto.INT64), "one float input"),
    ],
)
def test_an_onnx_model_that_cannot_be_timed_says_why(model_bytes: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        onnx_subject("model", model_bytes).open(1)


def test_the_reference_is_the_same_file_each_time_and_depends_on_its_image() -> None:
    model = onnx.load_from_string(reference_bytes())
    reference_bytes.cache_clear()
    assert model == onnx.load_from_string(reference_bytes())
    (features,) = REFERENCE.open(1)()
    assert features.shape == (1, 64, 1, 1)
    assert np.isfinite(features).all()
    assert features.std() > 0


def test_a_torch_module_runs_in_evaluation_mode_with_its_threads_which_are_restored() -> None:
    seen = []

    class Probe(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            seen.append((self.training, torch.get_num_threads(), torch.is_inference_mode_enabled(), image.shape))
            return image

    before = torch.get_num_threads()
    torch_subject("probe", Probe, (3, 8, 8)).open(before + 1)()
    assert seen == [(False, before + 1, True, (1, 3, 8, 8))]
    assert torch.get_num_threads() == before


def test_each_torch_session_is_made_anew() -> None:
    made = []

    def make() -> torch.nn.Module:
        made.append(torch.nn.Flatten())
        return made[-1]

    subject = torch_subject("flat", make, (3, 8, 8))
    subject.open(1)()
    subject.open(1)()
    assert len(made) == 2
