"""What each named recipe makes of a small network: F1 of the exported file, and its speed beside the fp32 one's.

A network is trained on a folder of images at 64 px, once a seed, and each recipe starts from its weights, with the
network itself as the teacher of those that want one. All files of a seed are timed in one measurement a runtime,
interleaved, with one thread. F1 is that of the files, on the validation split.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import torch

from benchmarks.parts.machine import describe, spread
from search.contract.candidate import Architecture, Candidate, Layer
from search.contract.dataset import DatasetSpec
from search.contract.recipes import NAMED_RECIPES, Recipe, Step, default_recipe
from workers.augmentation.training_input import training_input
from workers.candidate_training import plan_of
from workers.compression.pipeline import Compressed, change_network, finish
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.task import TrainedModel
from workers.data import Dataset, load_dataset
from workers.export import load_weights, save_weights
from workers.latency.gate import HostGate
from workers.latency.protocol import THOROUGH, measure
from workers.latency.runtimes import RUNTIMES
from workers.latency.subject import model_subject
from workers.models import build_network, profile
from workers.training.device_dataset import DeviceDataset, to_device
from workers.training.engine import train

_SIDE_PX = 64
_BACKBONE: tuple[Layer, ...] = (
    (1, "Conv", (16, 3, 2)),
    (1, "Conv", (32, 3, 2)),
    (1, "Conv", (32, 3, 1)),
    (1, "Conv", (64, 3, 2)),
    (1, "Conv", (64, 3, 1)),
    (1, "InvertedResidualv2", (64, 2, 1)),
    (1, "Conv", (96, 3, 2)),
    (1, "GlobalAvgPool", ()),
)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a recipe made of one seed's network."""

    f1: float
    f1_difference: float
    speedups: dict[str, float]
    size_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--epochs", type=int, default=10, help="of the training of each network")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one network each")
    parser.add_argument("--threads", type=int, default=1, help="of training")
    parser.add_argument("--recipes", nargs="+", default=[named.recipe.name for named in NAMED_RECIPES])
    parser.add_argument("--runtimes", nargs="+", choices=["onnxruntime", "openvino"], default=["onnxruntime"])
    options = parser.parse_args()
    recipes = [default_recipe(name) for name in dict.fromkeys(["fp32", *options.recipes])]
    torch.set_num_threads(options.threads)
    spec = DatasetSpec(source="folder", path=str(options.data.resolve()), test_fraction=0)
    with tempfile.TemporaryDirectory() as cache:
        data = load_dataset(spec, side_px=_SIDE_PX, cache_dir=Path(cache))
    candidate = _candidate(len(data.classes))
    costs = profile(candidate)
    print(
        f"{describe()}; {options.data.name}, {len(options.seeds)} networks of {costs.macs / 1e6:.1f} MMACs",
        flush=True,
    )
    results = [
        _seed(data, candidate, recipes, options.runtimes, epochs=options.epochs, seed=seed) for seed in options.seeds
    ]
    columns = ["f1", "f1 difference", *(f"times as fast, {runtime}" for runtime in options.runtimes)]
    print(f"{'recipe':24}", *(f"{column:>28}" for column in columns), "  KB")
    for name in results[0]:
        made = [result[name] for result in results]
        figures = [
            [one.f1 for one in made],
            [one.f1_difference for one in made],
            *([one.speedups[runtime] for one in made] for runtime in options.runtimes),
        ]
        kilobytes = median(one.size_bytes for one in made) / 1000
        print(f"{name:24}", *(f"{spread(values):>28}" for values in figures), f"{kilobytes:5.0f}")


def _candidate(classes: int) -> Candidate:
    return Candidate.model_validate(
        {
            "architecture": Architecture(backbone=(*_BACKBONE, (1, "FixedConv", (classes,)))),
            "image_size": _SIDE_PX,
            "batch_size": 64,
            "learning_rate": 0.1,
            "optimizer": "sgd",
        }
    )


def _seed(
    data: Dataset, candidate: Candidate, recipes: Sequence[Recipe], runtimes: Sequence[str], *, epochs: int, seed: int
) -> dict[str, Made]:
    """What every recipe that applies made, by its name."""
    training, validation = (
        to_device(data.images, data.labels, rows, classes=len(data.classes), device="cpu")
        for rows in (data.splits.train, data.splits.validation)
    )
    weights = _trained(candidate, training, validation, epochs=epochs, seed=seed)
    files: dict[str, Compressed] = {}
    changed: dict[tuple[Step, ...], CompressionState] = {}
    rows = data.splits.validation
    for recipe in recipes:
        try:
            if recipe.network_steps not in changed:
                state = _state(data, candidate, training, validation, weights, seed=seed)
                change_network(recipe.network_steps, state)
                changed[recipe.network_steps] = state
            state = changed[recipe.network_steps]
            files[recipe.name] = finish(recipe.file_steps, state, data.images[rows], data.labels[rows])
            print(f"seed {seed}: {recipe.name} f1 {files[recipe.name].scores.f1:.4f}", flush=True)
        except NotApplicableError as error:
            print(f"seed {seed}: {recipe.name} does not apply: {error}", flush=True)
    speedups = {runtime: _speedups(files, runtime) for runtime in runtimes}
    return {
        name: Made(
            f1=made.scores.f1,
            f1_difference=made.scores.f1 - files["fp32"].scores.f1,
            speedups={runtime: speedups[runtime][name] for runtime in runtimes},
            size_bytes=len(made.model),
        )
        for name, made in files.items()
    }


def _speedups(files: Mapping[str, Compressed], runtime: str) -> dict[str, float]:
    """How many times as fast as the fp32 file each file is."""
    subjects = [model_subject(name, RUNTIMES[runtime], made.model) for name, made in files.items()]
    timings = dict(zip(files, measure(subjects, threads=1, gate=HostGate(), effort=THOROUGH), strict=True))
    return {name: timings["fp32"].p50_ms / timing.p50_ms for name, timing in timings.items()}


def _trained(
    candidate: Candidate, training: DeviceDataset, validation: DeviceDataset, *, epochs: int, seed: int
) -> bytes:
    torch.manual_seed(seed)
    network = build_network(candidate.architecture)
    prepared = training_input(training, candidate.augmentation, seed=seed)
    plan = plan_of(candidate, epochs=epochs, seed=seed)
    *_, last = train(network, prepared.training, validation, plan, augment=prepared.augment)
    print(f"seed {seed}: trained for {epochs} epochs, f1 {last.scores.f1:.4f}", flush=True)
    return save_weights(network)


def _state(
    data: Dataset,
    candidate: Candidate,
    training: DeviceDataset,
    validation: DeviceDataset,
    weights: bytes,
    *,
    seed: int,
) -> CompressionState:
    network = build_network(candidate.architecture, pretrained=False)
    load_weights(network, weights)
    return CompressionState(
        network=network,
        candidate=candidate,
        training=partial(training_input, training, candidate.augmentation, seed=seed),
        validation=validation,
        calibration=data.images[data.splits.calibration],
        seed=seed,
        working=nullcontext,
        teacher=TrainedModel(candidate=candidate, weights=weights),
    )


if __name__ == "__main__":
    main()
