"""What each named recipe makes of a small network: F1 of the exported file, and its speed beside the fp32 one's.

A network is trained on a folder of images at 64 px, once a seed, and each recipe starts from its weights, with the
network itself as the teacher of those that want one. All files of a seed are timed in one measurement, interleaved, on
ONNX Runtime with one thread. F1 is that of the files, on the validation split.
"""

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import torch

from benchmarks.parts.machine import describe, spread
from search.candidate import Architecture, Candidate, Layer
from search.dataset import DatasetSpec
from search.recipes import NAMED_RECIPES, Recipe, default_recipe
from workers.candidate_training import plan_of
from workers.compression.pipeline import Compressed, compress
from workers.compression.registry import NotApplicableError, TrainedModel, Workpiece
from workers.data import Dataset, load_dataset
from workers.export import load_weights, save_weights
from workers.latency.gate import HostGate
from workers.latency.protocol import THOROUGH, measure
from workers.latency.runtimes import onnx_subject
from workers.models import build_network, profile
from workers.training.augmenting import training_input
from workers.training.engine import train
from workers.training.resident import Resident, resident

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
    speedup: float
    size_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--epochs", type=int, default=10, help="of the training of each network")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of training")
    parser.add_argument("--recipes", nargs="+", default=[named.recipe.name for named in NAMED_RECIPES])
    options = parser.parse_args()
    recipes = [default_recipe(name) for name in dict.fromkeys(["fp32", *options.recipes])]
    torch.set_num_threads(options.threads)
    spec = DatasetSpec(source="folder", path=str(options.data.resolve()))
    with tempfile.TemporaryDirectory() as cache:
        data = load_dataset(spec, side_px=_SIDE_PX, cache_dir=Path(cache))
    candidate = _candidate(len(data.classes))
    costs = profile(candidate)
    print(f"{describe()}; {options.data.name}, {options.seeds} networks of {costs['macs'] / 1e6:.1f} MMACs", flush=True)
    results = [_seed(data, candidate, recipes, epochs=options.epochs, seed=seed) for seed in range(options.seeds)]
    print(f"{'recipe':24} {'f1':>24} {'f1 difference':>24} {'times as fast':>22} {'KB':>5}")
    for name in results[0]:
        made = [result[name] for result in results]
        f1, difference, speedup = (
            spread([getattr(one, field) for one in made]) for field in ("f1", "f1_difference", "speedup")
        )
        print(f"{name:24} {f1:>24} {difference:>24} {speedup:>22} {median(one.size_bytes for one in made) / 1000:5.0f}")


def _candidate(classes: int) -> Candidate:
    return Candidate(
        architecture=Architecture(backbone=(*_BACKBONE, (1, "FixedConv", (classes,)))),
        image_size=_SIDE_PX,
        batch_size=64,
        learning_rate=0.1,
        optimizer="sgd",
    )


def _seed(data: Dataset, candidate: Candidate, recipes: Sequence[Recipe], *, epochs: int, seed: int) -> dict[str, Made]:
    """What every recipe that applies made, by its name."""
    training, validation = (
        resident(data.images, data.labels, rows, classes=len(data.classes), device="cpu")
        for rows in (data.splits.train, data.splits.validation)
    )
    weights = _trained(candidate, training, validation, epochs=epochs, seed=seed)
    files: dict[str, Compressed] = {}
    for recipe in recipes:
        piece = _workpiece(data, candidate, training, validation, weights, seed=seed)
        rows = data.splits.validation
        try:
            files[recipe.name] = compress(recipe, piece, data.images[rows], data.labels[rows])
            print(f"seed {seed}: {recipe.name} f1 {files[recipe.name].scores.f1:.4f}", flush=True)
        except NotApplicableError as error:
            print(f"seed {seed}: {recipe.name} does not apply: {error}", flush=True)
    timings = measure(
        [onnx_subject(name, made.model) for name, made in files.items()],
        threads=1,
        gate=HostGate(),
        effort=THOROUGH,
    )
    (fp32, fp32_timing), *_ = zip(files.values(), timings, strict=True)
    return {
        name: Made(
            f1=made.scores.f1,
            f1_difference=made.scores.f1 - fp32.scores.f1,
            speedup=fp32_timing.p50_ms / timing.p50_ms,
            size_bytes=len(made.model),
        )
        for (name, made), timing in zip(files.items(), timings, strict=True)
    }


def _trained(candidate: Candidate, training: Resident, validation: Resident, *, epochs: int, seed: int) -> bytes:
    torch.manual_seed(seed)
    network = build_network(candidate.architecture)
    prepared = training_input(training, candidate.augmentation, seed=seed)
    plan = plan_of(candidate, epochs=epochs, seed=seed)
    *_, last = train(network, prepared.training, validation, plan, augment=prepared.augment)
    print(f"seed {seed}: trained for {epochs} epochs, f1 {last.scores.f1:.4f}", flush=True)
    return save_weights(network)


def _workpiece(
    data: Dataset, candidate: Candidate, training: Resident, validation: Resident, weights: bytes, *, seed: int
) -> Workpiece:
    network = build_network(candidate.architecture, pretrained=False)
    load_weights(network, weights)
    return Workpiece(
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
