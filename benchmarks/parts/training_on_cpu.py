"""A plain PyTorch loop against the engine on the CPU, from a folder of class folders."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.parts.machine import describe, spread
from benchmarks.parts.plain_training import plain_rate
from search.contract.augmentation import FLIP_ONLY
from search.contract.candidate import Architecture, Layer
from search.contract.dataset import DatasetSpec
from workers.augmentation.training_input import training_input
from workers.data import load_dataset
from workers.models import build_network
from workers.training.device_dataset import to_device
from workers.training.engine import TrainingPlan, train

_SIDE_PX, _BATCH, _RATE = 64, 64, 0.1
_SYNTHETIC_IMAGES, _SYNTHETIC_CLASSES, _SYNTHETIC_SIDE_PX = 1_800, 6, 150


def compare_on_cpu(data: Path | None, *, threads: int, epochs: int, repeats: int) -> None:
    """Without ``data``, on synthetic images."""
    torch.set_num_threads(threads)
    settings = f"{_SIDE_PX} px, batch {_BATCH}, {threads} threads, {epochs} epochs"
    print(f"{describe()}, torch {torch.__version__}; {'synthetic' if data is None else data.name}, {settings}")
    with _folder(data) as folder:
        classes = sum(entry.is_dir() for entry in folder.iterdir())
        for name, stages in _STAGES.items():
            print(name)
            _compare(partial(_network, stages, classes), folder, epochs, repeats)


def _compare(network: Callable[[], nn.Module], folder: Path, epochs: int, repeats: int) -> None:
    sides = ("plain, 0 workers", "plain, 2 workers", "engine, empty cache", "engine, filled cache")
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(repeats):
        for processes in (0, 2):
            rates[f"plain, {processes} workers"].append(_plain(network(), folder, epochs, processes))
        with tempfile.TemporaryDirectory() as cache:
            rates["engine, empty cache"].append(_engine(network(), folder, Path(cache), epochs))
            rates["engine, filled cache"].append(_engine(network(), folder, Path(cache), epochs))
    better = [max(pair) for pair in zip(rates["plain, 0 workers"], rates["plain, 2 workers"], strict=True)]
    for side, values in rates.items():
        ratios = [ours / theirs for ours, theirs in zip(values, better, strict=True)]
        print(f"  {side:20} {spread(values, 0)} images/s; ratio to the better plain one {spread(ratios, 2)}")


def _plain(network: nn.Module, folder: Path, epochs: int, processes: int) -> float:
    return plain_rate(
        network, folder, side_px=_SIDE_PX, batch_size=_BATCH, epochs=epochs, processes=processes, rate=_RATE
    )


def _engine(network: nn.Module, folder: Path, cache: Path, epochs: int) -> float:
    """Training images a second, reading and scoring included."""
    started = time.perf_counter()
    spec = DatasetSpec(source="folder", path=str(folder.resolve()), validation_fraction=0.2, test_fraction=0)
    data = load_dataset(spec, side_px=_SIDE_PX, cache_dir=cache)
    training, validation = (
        to_device(data.images, data.labels, rows, classes=len(data.classes), device="cpu")
        for rows in (data.splits.train, data.splits.validation)
    )
    prepared = training_input(training, FLIP_ONLY, seed=0)
    plan = TrainingPlan(epochs=epochs, batch_size=_BATCH, learning_rate=_RATE, optimizer="sgd", seed=0)
    for _ in train(network, prepared.training, validation, plan, augment=prepared.augment):
        pass
    return epochs * len(training) / (time.perf_counter() - started)


#: Two small networks as blocks-small draws them.
_STAGES: dict[str, tuple[Layer, ...]] = {
    "plain convolutions": (
        (1, "Conv", (16, 3, 2)),
        (1, "Conv", (32, 3, 2)),
        (1, "Conv", (64, 3, 2)),
        (1, "Conv", (96, 3, 2)),
    ),
    "inverted residuals": (
        (1, "Conv", (16, 3, 2)),
        (1, "InvertedResidualv2", (24, 2, 2, 3)),
        (2, "InvertedResidualv2", (32, 2, 2, 3)),
        (1, "InvertedResidualv2", (48, 2, 2, 3)),
    ),
}


def _network(stages: tuple[Layer, ...], classes: int) -> nn.Module:
    head: tuple[Layer, ...] = ((1, "Conv", (128, 1, 1)), (1, "GlobalAvgPool", ()), (1, "FixedConv", (classes,)))
    torch.manual_seed(0)
    return build_network(Architecture(backbone=stages + head))


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """The data, or a folder of JPEGs with coarse noise."""
    if data is not None:
        yield data
        return
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as made:
        for number in range(_SYNTHETIC_IMAGES):
            place = Path(made) / f"class{number % _SYNTHETIC_CLASSES}"
            place.mkdir(exist_ok=True)
            coarse = Image.fromarray(generator.integers(0, 256, (10, 10, 3)).astype(np.uint8))
            coarse.resize((_SYNTHETIC_SIDE_PX, _SYNTHETIC_SIDE_PX)).save(place / f"{number}.jpg")
        yield Path(made)
