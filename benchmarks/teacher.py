"""What a teacher brings: the same networks with and without one, and what a distilled step costs over a plain one.

The teacher is the whole EfficientNet-Lite0, fine-tuned once at 96 px. The students are its first 8 blocks at 64 px,
with all channels and with half of them. Each is trained with every seed, without the teacher and with it, and all else
equal. Macro F1 on validation and test images is printed after the last epoch: nothing is chosen by either. Both kinds
of step are timed in turns, in one process.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median

import torch

from benchmarks.parts.machine import describe, spread
from search.contract.augmentation import FLIP_ONLY
from search.contract.candidate import Candidate
from search.contract.dataset import DatasetSpec
from search.study.enqueue import candidate_at
from search.study.space_spec import SpaceSpec
from workers.augmentation.training_input import training_input
from workers.candidate_training import plan_of
from workers.data import Dataset, load_dataset, load_test_split
from workers.models import Network, build_network
from workers.models.profile import count_params
from workers.teacher.answers import TeacherAnswers
from workers.teacher.network import network_answers
from workers.training.device_dataset import DeviceDataset, to_device
from workers.training.engine import evaluate, train
from workers.training.step import TrainingStep

_STUDENT_PX, _TEACHER_PX = 64, 96
#: As many stages have 8 blocks, the stem counted.
_STAGES, _WHOLE = 5, 9
_RATE, _WIDTHS = 0.04, (1.0, 0.5)
#: Steps of one kind before the other's turn, and turns of each.
_STEPS, _TURNS = 5, 12
_SPACE = SpaceSpec.model_validate(
    {"architecture": "pretrained", "image_size": [_STUDENT_PX, _TEACHER_PX], "learning_rate": _RATE}
)


@dataclass(frozen=True, kw_only=True)
class Images:
    """A data set at one side, with its test images."""

    whole: Dataset
    training: DeviceDataset
    validation: DeviceDataset
    test: DeviceDataset

    @classmethod
    def read(cls, folder: Path, side_px: int, cache: Path) -> "Images":
        spec = DatasetSpec(source="folder", path=str(folder.resolve()))
        data = load_dataset(spec, side_px=side_px, cache_dir=cache)
        held_out = load_test_split(spec, side_px=side_px, cache_dir=cache)
        training, validation = (
            to_device(data.images, data.labels, rows, classes=len(data.classes), device="cpu")
            for rows in (data.splits.full_train, data.splits.validation)
        )
        rows = torch.arange(len(held_out.labels)).numpy()
        test = to_device(held_out.images, held_out.labels, rows, classes=len(data.classes), device="cpu")
        return cls(whole=data, training=training, validation=validation, test=test)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Macro F1 on validation and test images."""

    validation: float
    test: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=16, help="of the students")
    parser.add_argument("--teacher-epochs", type=int, default=8)
    parser.add_argument("--weight", type=float, default=0.7, help="the teacher's share of a target")
    parser.add_argument("--temperature", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    settings = f"{options.threads} threads, {options.epochs} epochs, weight {options.weight:g}"
    print(f"{describe()}, torch {torch.__version__}; {options.data.name}, {settings}", flush=True)
    with tempfile.TemporaryDirectory() as cache:
        answers = _teacher(Images.read(options.data, _TEACHER_PX, Path(cache)), options.teacher_epochs)
        images = Images.read(options.data, _STUDENT_PX, Path(cache))
    logits = torch.from_numpy(answers.for_rows(images.whole, images.whole.splits.full_train))
    taught = replace(images, training=replace(images.training, answers=logits))
    for width in _WIDTHS:
        plain = _candidate(_STAGES, width, _STUDENT_PX, classes=len(images.whole.classes))
        lesson = {"distillation_weight": options.weight, "distillation_temperature": options.temperature}
        _compare(plain, plain.model_copy(update=lesson), taught, seeds=options.seeds, epochs=options.epochs)


def _candidate(stages: int, width: float, side_px: int, *, classes: int) -> Candidate:
    point = {"image_size": side_px, "stages": stages, "early_width": width, "late_width": width}
    return candidate_at(_SPACE, point, classes=classes)


def _teacher(images: Images, epochs: int) -> TeacherAnswers:
    candidate = _candidate(_WHOLE, 1.0, _TEACHER_PX, classes=len(images.whole.classes))
    started = time.perf_counter()
    network, figures = _train(candidate, images, seed=0, epochs=epochs)
    trained = time.perf_counter()
    answers = network_answers(network, images.whole, device="cpu")
    print(
        f"teacher: {count_params(network):,} parameters, {_TEACHER_PX} px, {epochs} epochs: F1 on validation"
        f" {figures.validation:.3f}, on test {figures.test:.3f}; {trained - started:.0f} s, its answers"
        f" {time.perf_counter() - trained:.1f} s",
        flush=True,
    )
    return answers


def _compare(plain: Candidate, distilled: Candidate, images: Images, *, seeds: int, epochs: int) -> None:
    gains: dict[str, list[float]] = {"validation": [], "test": []}
    print(f"student: {count_params(_network(plain, seed=0)):,} parameters, {_STUDENT_PX} px", flush=True)
    for seed in range(seeds):
        (_, without), (_, taught) = (_train(side, images, seed=seed, epochs=epochs) for side in (plain, distilled))
        for part, values in gains.items():
            before, after = getattr(without, part), getattr(taught, part)
            values.append(after - before)
            print(f"  seed {seed}, F1 on {part}: {before:.3f} without, {after:.3f} with a teacher", flush=True)
    for part, values in gains.items():
        print(f"  gain in F1 on {part}: mean {fmean(values):+.3f}, {spread(values)}")
    print(f"  a distilled step over a plain one: {spread(_step_ratios(plain, distilled, images))}", flush=True)


def _network(candidate: Candidate, *, seed: int) -> Network:
    torch.manual_seed(seed)
    return build_network(candidate.architecture)


def _train(candidate: Candidate, images: Images, *, seed: int, epochs: int) -> tuple[Network, Figures]:
    network = _network(candidate, seed=seed)
    prepared = training_input(images.training, FLIP_ONLY, seed=seed)
    plan = plan_of(candidate, epochs=epochs, seed=seed)
    *_, last = train(network, prepared.training, images.validation, plan, augment=prepared.augment)
    return network, Figures(validation=last.scores.f1, test=evaluate(network, images.test).f1)


def _step_ratios(plain: Candidate, distilled: Candidate, images: Images) -> list[float]:
    """The distilled step's median time over the plain one's, once a turn."""
    steps = [_step(candidate, images) for candidate in (plain, distilled)]
    ratios = []
    for _ in range(_TURNS):
        seconds = [median(_times(step)) for step in steps]
        ratios.append(seconds[1] / seconds[0])
    return ratios[1:]


def _step(candidate: Candidate, images: Images) -> TrainingStep:
    network = _network(candidate, seed=0).to(memory_format=torch.channels_last)
    prepared = training_input(images.training, FLIP_ONLY, seed=0)
    plan = plan_of(candidate, epochs=_STEPS * _TURNS, seed=0)
    step = TrainingStep(network, prepared.training, plan, augment=prepared.augment, after_step=lambda: None)
    step.begin_epoch()
    return step


def _times(step: TrainingStep) -> Iterator[float]:
    for _ in range(_STEPS):
        started = time.perf_counter()
        step()
        yield time.perf_counter() - started


if __name__ == "__main__":
    main()
