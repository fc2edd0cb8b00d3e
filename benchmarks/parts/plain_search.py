"""The other side of benchmarks.search: an Optuna script as users write it. Prints a JSON line a finished trial.

Called with the folder of class folders, minutes, epochs, the share of the training images, and the seed.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import optuna
import torch
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Subset
from torchvision import transforms
from torchvision.datasets import ImageFolder

from search.samplers.optuna_trials import chooser_of
from search.study.draw import draw
from search.study.space_spec import SpaceSpec
from workers.export import to_onnx
from workers.models import build_network
from workers.predictors import INPUT

_SPACE = SpaceSpec.model_validate({"architecture": "blocks-small", "image_size": 64, "batch_size": [32, 64]})
_CORES = 2


class Objective:
    """Trains and times one candidate of the space; returns f1, latency_ms and params."""

    def __init__(self, folder: Path, *, epochs: int, subset: float, seed: int, deadline: float) -> None:
        sized = [transforms.Resize((64, 64)), transforms.ToTensor()]
        flipped = ImageFolder(str(folder), transforms.Compose([transforms.RandomHorizontalFlip(), *sized]))
        plain = ImageFolder(str(folder), transforms.Compose(sized))
        rows, labels = np.arange(len(plain)), np.array(plain.targets)
        train, held_out = train_test_split(rows, test_size=0.2, stratify=labels, random_state=seed)
        train, _ = train_test_split(train, train_size=subset, stratify=labels[train], random_state=seed)
        self._train, self._validation = Subset(flipped, train.tolist()), Subset(plain, held_out.tolist())
        self._classes, self._epochs, self._deadline = len(plain.classes), epochs, deadline

    def __call__(self, trial: optuna.Trial) -> tuple[float, float, float]:
        candidate = draw(_SPACE, chooser_of(trial), classes=self._classes)
        network = build_network(candidate.architecture)
        batches = DataLoader(self._train, candidate.batch_size, shuffle=True, num_workers=_CORES)
        optimizer = torch.optim.SGD(
            network.parameters(), lr=candidate.learning_rate, momentum=0.9, nesterov=True, weight_decay=5e-4
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=candidate.learning_rate, total_steps=self._epochs * len(batches)
        )
        for _ in range(self._epochs):
            network.train()
            for images, labels in batches:
                if time.monotonic() > self._deadline:
                    trial.study.stop()
                    raise optuna.TrialPruned
                loss = functional.cross_entropy(network(images), labels, label_smoothing=0.1)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        f1 = self._f1(network)
        params = sum(parameter.numel() for parameter in network.parameters())
        return f1, median_latency_ms(to_onnx(network, 64), 64), params

    @torch.inference_mode()
    def _f1(self, network: nn.Module) -> float:
        network.eval()
        labels, predicted = [], []
        for images, truth in DataLoader(self._validation, 256, num_workers=_CORES):
            predicted += network(images).argmax(dim=1).tolist()
            labels += truth.tolist()
        return float(f1_score(labels, predicted, average="macro"))


def median_latency_ms(model: bytes, side_px: int) -> float:
    """Of an ONNX file on one thread at batch 1."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    image, times = np.zeros((1, 3, side_px, side_px), np.float32), []
    for _ in range(60):
        started = time.perf_counter()
        session.run(None, {INPUT: image})
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times[10:])


def main() -> None:
    folder, minutes, epochs, subset, seed = sys.argv[1:]
    deadline = time.monotonic() + 60 * float(minutes)
    torch.set_num_threads(_CORES)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    objective = Objective(Path(folder), epochs=int(epochs), subset=float(subset), seed=int(seed), deadline=deadline)
    study = optuna.create_study(
        directions=["maximize", "minimize", "minimize"], sampler=optuna.samplers.TPESampler(seed=int(seed))
    )
    study.optimize(objective, timeout=60 * float(minutes))
    for trial in study.trials:
        if trial.values:
            print(json.dumps(dict(zip(("f1", "latency_ms", "params"), trial.values, strict=True))))


if __name__ == "__main__":
    main()
