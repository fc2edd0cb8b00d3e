"""Scoring a network on data that is on the device, in float32 as it is exported, without waiting for the device."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from search.contract.epochs import ClassificationScores
from workers.training.device_dataset import DeviceDataset, pixels
from workers.training.execution import Execution, Work, eager
from workers.training.folding import folded
from workers.training.metrics import scores
from workers.training.state import TrainingState

#: Entered around each unit of work, so that a latency measurement on this host can wait for a quiet moment.
Working = Callable[[], AbstractContextManager[object]]

#: On a CPU larger chunks fall out of its caches: 64 images at a time are scored up to 1.8 times as fast as 256.
_CHUNK_IMAGES = {"cpu": 64, "cuda": 256}


class Evaluation:
    """Scores ``network`` on ``data``, in chunks of equal size that ``execution`` runs."""

    def __init__(self, network: nn.Module, data: DeviceDataset, *, execution: Execution) -> None:
        self._network, self._data, self._execution = network, data, execution
        self._scored = network
        device = data.images.device
        self._chunks = math.ceil(len(data) / _CHUNK_IMAGES[device.type])
        self._within = torch.arange(math.ceil(len(data) / self._chunks), device=device)
        self._chunk = torch.zeros((), dtype=torch.int64, device=device)
        self._predicted = torch.zeros(self._chunks * len(self._within), dtype=torch.int64, device=device)
        self._state = TrainingState({"chunk": self._chunk, "predicted": self._predicted}, (), device)
        self._run: Work | None = None

    def __call__(self, *, working: Working = nullcontext) -> ClassificationScores:
        self._network.eval()
        if self._data.images.device.type == "cpu":
            self._scored = folded(self._network)
        self._chunk.zero_()
        if self._run is None:
            self._run = self._execution(self._predict_chunk, self._state)
        for _ in range(self._chunks):
            with working():
                self._run()
        return scores(self._predicted[: len(self._data)], self._data.labels, self._data.classes)

    @torch.no_grad()
    def _predict_chunk(self) -> None:
        """Predict the next chunk; of what exceeds the data, the last image is predicted again."""
        rows = self._chunk * len(self._within) + self._within
        index = rows.clamp(max=len(self._data) - 1)
        predicted: Tensor = self._scored(pixels(self._data.images_at(index))).argmax(dim=1)
        self._predicted.index_copy_(0, rows, predicted)
        self._chunk += 1


def evaluate(network: nn.Module, data: DeviceDataset, *, working: Working = nullcontext) -> ClassificationScores:
    """Scores of the network in evaluation mode on all of ``data``."""
    return Evaluation(network, data, execution=eager)(working=working)
