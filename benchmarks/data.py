"""Images a second of a training epoch's input: a DataLoader over PIL and RandAugment against Seedleaf's batches.

Both sides read the same folder of images at 96 px and give batches of 64 in [0, 1] with three random operations an
image and flips, on two cores: the DataLoader with two worker processes, Seedleaf with two processes of one thread, as
two trials run, each with half of the images. Seedleaf is measured with a new draw in every batch, from the cache that a
study's first trial fills, and with two copies made ahead, where decoding into an empty cache and the making of the
copies count as well, over all epochs.
"""

import argparse
import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.parts.machine import describe, spread
from search.contract.augmentation import OPERATION_NAMES, Operation, Policy
from search.contract.dataset import DatasetSpec
from workers.augmentation.training_input import training_input
from workers.data import Dataset, load_dataset
from workers.training.device_dataset import pixels, to_device

_SIDE_PX, _BATCH, _OPS, _CORES = 96, 64, 3, 2
_RAND_AUGMENT = (
    "Identity", "AutoContrast", "Equalize", "Rotate", "Solarize", "Color", "Posterize", "Contrast", "Brightness",
    "Sharpness", "ShearX", "ShearY", "TranslateX", "TranslateY",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sides = {"DataLoader": _data_loader, "new draws": _new_draws, "copies ahead": _copies_ahead}
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(options.repeats):
        for name, side in sides.items():
            rates[name].append(side(options.data, options.epochs))
    print(f"{describe()}; {options.data.name}, {_SIDE_PX} px, {_OPS} operations, {options.epochs} epochs")
    for name, values in rates.items():
        ratios = [ours / theirs for ours, theirs in zip(values, rates["DataLoader"], strict=True)]
        print(f"{name:12} {spread(values, 0)} images/s; ratio {spread(ratios, 2)}")


def _data_loader(folder: Path, epochs: int) -> float:
    steps = [
        transforms.Resize((_SIDE_PX, _SIDE_PX)),
        transforms.RandAugment(num_ops=_OPS),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
    ]
    dataset = ImageFolder(str(folder), transforms.Compose(steps))
    loader = DataLoader(dataset, batch_size=_BATCH, shuffle=True, num_workers=_CORES, persistent_workers=True)
    started = time.perf_counter()
    seen = sum(len(images) for _ in range(epochs) for images, _ in loader)
    return seen / (time.perf_counter() - started)


def _new_draws(folder: Path, epochs: int) -> float:
    with tempfile.TemporaryDirectory() as cache:
        _load(folder, Path(cache))
        return _seedleaf(folder, Path(cache), epochs, copies=0)


def _copies_ahead(folder: Path, epochs: int) -> float:
    with tempfile.TemporaryDirectory() as cache:
        return _seedleaf(folder, Path(cache), epochs, copies=2)


def _load(folder: Path, cache: Path) -> Dataset:
    spec = DatasetSpec(source="folder", path=str(folder.resolve()), test_fraction=0)
    return load_dataset(spec, side_px=_SIDE_PX, cache_dir=cache)


def _seedleaf(folder: Path, cache: Path, epochs: int, *, copies: int) -> float:
    names = [name for name in OPERATION_NAMES if name in _RAND_AUGMENT]
    operations = (*(Operation(name=name) for name in names), Operation(name="HorizontalFlip", probability=0.5))
    policy = Policy(operations=operations, max_ops=_OPS, copies=copies)
    started = time.perf_counter()
    _load(folder, cache)
    with ProcessPoolExecutor(_CORES, mp_context=multiprocessing.get_context("fork")) as pool:
        streams = [pool.submit(_stream, folder, cache, core, policy, epochs) for core in range(_CORES)]
        seen = sum(stream.result() for stream in streams)
    return seen / (time.perf_counter() - started)


def _stream(folder: Path, cache: Path, core: int, policy: Policy, epochs: int) -> int:
    """Go through a core's share of the images as one trial does; the number that it would have trained on."""
    dataset = _load(folder, cache)
    rows = np.arange(core, len(dataset.labels), _CORES)
    split = to_device(dataset.images, dataset.labels, rows, classes=len(dataset.classes), device="cpu")
    prepared = training_input(split, policy, seed=0)
    targets = torch.nn.functional.one_hot(prepared.training.labels, split.classes).float()
    seen = 0
    for _ in range(epochs):
        for batch in torch.split(torch.randperm(len(targets)), _BATCH):
            images, _ = prepared.augment(prepared.training.images[batch], targets[batch])
            seen += len(pixels(images))
    return seen


if __name__ == "__main__":
    main()
