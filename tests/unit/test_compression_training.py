"""Distillation and quantization-aware training: what they add to fine-tuning, and what they leave behind."""

from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch.nn import functional

from search.contract.recipes import Distillation, FineTuning, GlobalPruning, QuantizationAwareTraining
from tests.unit.compression_states import compression_state, trained
from tests.unit.training_sets import CLASSES, SIDE_PX, coloured, small_candidate, small_network
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.task import TrainedModel
from workers.compression.techniques import distillation, global_pruning, quantization_aware_training
from workers.compression.training import train_on
from workers.export import quick_onnx, save_weights
from workers.models import Network
from workers.teacher import onnx_file
from workers.training.device_dataset import pixels
from workers.training.distillation_loss import DistillationLoss

IMAGES = pixels(coloured(24, seed=5).images)


def divergence(network: Network, teacher: torch.Tensor) -> float:
    with torch.no_grad():
        logits = network.eval()(IMAGES)
    return float(functional.kl_div(logits.log_softmax(1), teacher.softmax(1), reduction="batchmean"))


def test_a_lesson_is_the_divergence_of_softened_answers_at_the_teachers_share() -> None:
    logits, taught, loss = torch.randn(24, CLASSES), torch.randn(24, CLASSES), torch.tensor(2.0)
    distillation_loss = DistillationLoss(teacher=lambda inputs: taught, temperature=3.0, weight=0.25)
    expected = (taught / 3).softmax(1)
    kl = (expected * (expected.log() - (logits / 3).log_softmax(1))).sum(1).mean()
    torch.testing.assert_close(distillation_loss(loss, logits, IMAGES), 0.75 * loss + 0.25 * 9 * kl)
    assert (
        DistillationLoss(teacher=lambda inputs: logits, temperature=3.0, weight=1.0)(loss, logits, IMAGES).abs() < 1e-5
    )


def test_a_student_comes_nearer_to_the_studys_best_model() -> None:
    teacher = trained()
    with torch.no_grad():
        answers = teacher.eval()(IMAGES)
    state = compression_state(network=small_network(seed=1))
    state.teacher = TrainedModel(candidate=small_candidate(), weights=save_weights(teacher))
    before = divergence(state.network, answers)
    distillation.distill(Distillation(epochs=4, weight=1.0, temperature=2.0, learning_rate_fraction=1.0), state)
    assert divergence(state.network, answers) < 0.5 * before


def answered(state: CompressionState, *, shift: int) -> None:
    """Give the training split a teacher that is sure of the class ``shift`` after the true one."""
    plain = state.training()
    labels = (plain.training.labels + shift) % CLASSES
    training = replace(plain.training, answers=8.0 * functional.one_hot(labels, CLASSES))
    state.training, state.has_answers = lambda: replace(plain, training=training), True


def predicted_shift(network: Network) -> float:
    """The share of images that are taken for the class after the true one."""
    images = coloured(24, seed=5)
    with torch.no_grad():
        predicted = network.eval()(pixels(images.images)).argmax(1)
    return float((predicted == (images.labels + 1) % CLASSES).float().mean())


def test_the_studys_teacher_comes_before_its_best_model() -> None:
    state = compression_state(network=small_network(seed=1))
    state.teacher = TrainedModel(candidate=small_candidate(), weights=save_weights(trained()))
    answered(state, shift=1)
    distillation.distill(Distillation(epochs=6, weight=1.0, temperature=1.0, learning_rate_fraction=1.0), state)
    assert predicted_shift(state.network) > 0.9


@pytest.mark.parametrize(("has_answers", "learned"), [(True, True), (False, False)])
def test_a_fine_tuning_gives_the_teacher_the_weight_that_it_had_in_the_trial(has_answers: bool, learned: bool) -> None:
    state = compression_state(network=small_network(seed=1))
    state.candidate = state.candidate.model_copy(update={"distillation_weight": 1.0, "distillation_temperature": 1.0})
    answered(state, shift=1)
    state.has_answers = has_answers
    train_on(FineTuning(epochs=6, learning_rate_fraction=1.0), state)
    assert (predicted_shift(state.network) > 0.9) == learned


def test_a_file_teaches_what_its_network_does_at_its_own_size(tmp_path: Path) -> None:
    path = tmp_path / "teacher.onnx"
    path.write_bytes(quick_onnx(trained(), SIDE_PX))
    teach = onnx_file.file_teacher(path, classes=CLASSES, side_px=2 * SIDE_PX)
    network = distillation.network_teacher(TrainedModel(candidate=small_candidate(), weights=save_weights(trained())))
    larger = torch.rand(3, 3, 2 * SIDE_PX, 2 * SIDE_PX)
    with torch.no_grad():
        torch.testing.assert_close(teach(IMAGES), network(IMAGES), rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(teach(larger), network(larger), rtol=1e-3, atol=1e-3)


def test_distillation_takes_a_file_as_its_teacher(tmp_path: Path) -> None:
    path = tmp_path / "teacher.onnx"
    path.write_bytes(quick_onnx(trained(), SIDE_PX))
    state = compression_state(network=small_network(seed=1))
    distillation.distill(Distillation(epochs=1, teacher=str(path)), state)
    assert not torch.equal(
        state.network.get_parameter("classifier.weight"), small_network(seed=1).get_parameter("classifier.weight")
    )


def test_a_teacher_that_will_not_do_is_told(tmp_path: Path) -> None:
    def told(path: Path, classes: int = CLASSES) -> str:
        with pytest.raises(onnx_file.TeacherError) as raised:
            onnx_file.file_teacher(path, classes=classes, side_px=SIDE_PX)
        return str(raised.value)

    path = tmp_path / "teacher.onnx"
    assert "there is no teacher at" in told(path)
    path.write_bytes(b"no model")
    assert "no ONNX model that ONNX Runtime can run" in told(path)
    path.write_bytes(quick_onnx(trained(), SIDE_PX))
    assert "answers [1, 3] for an image, not one number for 5 classes" in told(path, classes=5)
    path.write_bytes(_adder())
    assert "does not take images alone" in told(path)


def _adder() -> bytes:
    """A model of two vectors."""
    entries = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]) for name in ("a", "b")]
    ends = [helper.make_tensor_value_info("sum", TensorProto.FLOAT, [3])]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["sum"])], "adder", entries, ends)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString()
    return serialized


def test_distillation_does_not_apply_without_a_teacher() -> None:
    with pytest.raises(NotApplicableError, match="wants a teacher"):
        distillation.distill(Distillation(), compression_state())


def test_weights_are_rounded_to_the_steps_of_each_channel() -> None:
    weight = torch.randn(8, 4, 3, 3)
    rounded = quantization_aware_training.RoundedWeight()(weight)
    for channel, original in zip(rounded, weight, strict=True):
        step = original.abs().max() / 127
        torch.testing.assert_close(channel / step, (original / step).round(), rtol=0, atol=1e-3)


def test_a_gradient_passes_a_rounding_unchanged() -> None:
    weight = torch.randn(8, 4, 3, 3, requires_grad=True)
    quantization_aware_training.RoundedWeight()(weight).sum().backward()
    assert weight.grad is not None
    assert torch.equal(weight.grad, torch.ones_like(weight))


def test_inputs_are_rounded_within_the_range_that_training_showed() -> None:
    layer, hook = torch.nn.Conv2d(1, 1, 1), quantization_aware_training.RoundedInput()
    hook(layer, (torch.tensor([[[[0.0, 2.55]]]]),))
    layer.eval()
    (rounded,) = hook(layer, (torch.tensor([[[[0.004, 0.006, 1.0, 9.0, -1.0]]]]),))
    torch.testing.assert_close(rounded, torch.tensor([[[[0.0, 0.01, 1.0, 2.55, 0.0]]]]))


def test_rounding_is_felt_inside_and_gone_afterwards() -> None:
    network = trained().eval()
    with torch.no_grad():
        before = network(IMAGES)
        with quantization_aware_training.rounding(network):
            inside = network(IMAGES)
        after = network(IMAGES)
    assert torch.equal(before, after)
    assert not torch.equal(before, inside)
    assert set(network.state_dict()) == set(trained().state_dict())


def test_training_that_is_aware_of_int8_keeps_zeros_and_loses_less_by_rounding() -> None:
    state = compression_state()
    global_pruning.prune(GlobalPruning(ratio=0.3), state)
    quantization_aware_training.train_aware(QuantizationAwareTraining(epochs=2), state)
    for name, mask in state.masks.items():
        weight = state.network.get_parameter(name)
        assert not weight[~mask].any()
        assert not torch.equal(weight, trained().get_parameter(name))
