"""A linear probe: the features of a network as they are, and a classifier on them that is solved, not trained.

The classifier is a multinomial logistic regression with a ridge penalty on standardized features. L-BFGS minimizes it
over all training images at once. The standardization is folded into the classifier: the network stays as it was.

| name | shape | meaning |
|---|---|---|
| features | [n, d] | what goes into the network's classifier, for n images |
| labels | int64 [n] | their classes |
| weight, bias | [classes, d], [classes] | logits = features @ weight.T + bias |
"""

import time
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.models import Network
from workers.training.checkpoint import Epoch
from workers.training.device import memory_advice, prepare_device
from workers.training.device_dataset import DeviceDataset, pixels
from workers.training.evaluation import Working
from workers.training.folding import folded
from workers.training.metrics import scores

#: Candidates for the penalty, per image; the weaker ones start from the solution of the stronger ones.
PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01)
_CHUNK_IMAGES = {"cpu": 64, "cuda": 256}
_MAX_ITERATIONS = 200
_GRADIENT_TOLERANCE = 1e-5


@dataclass(frozen=True, kw_only=True)
class LinearClassifier:
    """``weight`` [classes, d] and ``bias`` [classes]."""

    weight: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        return features @ self.weight.T + self.bias

    def on_raw(self, mean: Tensor, deviation: Tensor) -> "LinearClassifier":
        """The same function of features before ``mean`` was subtracted and ``deviation`` divided by, both [d]."""
        weight = self.weight / deviation
        return LinearClassifier(weight=weight, bias=self.bias - weight @ mean)


def probe(
    network: Network,
    training: DeviceDataset,
    validation: DeviceDataset,
    *,
    working: Working = nullcontext,
    memory_share: float = 1.0,
) -> Epoch:
    """Solve the classifier of ``network`` in place, on the device of the data; as the report of one epoch.

    The penalty is the one with the best macro F1 on ``validation``. ValueError for a network whose classifier does not
    take one pixel; DeviceMemoryError when the GPU's memory is full.
    """
    started = time.perf_counter()
    device = training.images.device
    prepare_device(device, memory_share)
    with memory_advice(_CHUNK_IMAGES[device.type], training.images.shape[-1]):
        network.to(device).to(memory_format=torch.channels_last)
        features = features_of(network, training, working=working)
        mean, deviation = features.mean(dim=0), _deviation(features)
        features = (features - mean) / deviation
        held_out = (features_of(network, validation, working=working) - mean) / deviation
    best, best_scores = None, None
    current = LinearClassifier(
        weight=features.new_zeros(training.classes, features.shape[1]), bias=features.new_zeros(training.classes)
    )
    for penalty in PENALTIES:
        with working():
            current = solve(features, training.labels, penalty=penalty, start=current)
        predicted = current.logits(held_out).argmax(dim=1)
        measured = scores(predicted, validation.labels, validation.classes)
        if best_scores is None or measured.f1 > best_scores.f1:
            best, best_scores = current, measured
    assert best is not None
    assert best_scores is not None
    loss = nn.functional.cross_entropy(best.logits(features), training.labels).item()
    _fill(network.classifier, best.on_raw(mean, deviation))
    elapsed_s = time.perf_counter() - started
    return Epoch(epoch=1, loss=loss, elapsed_s=elapsed_s, steps_s=elapsed_s, scores=best_scores)


def solve(features: Tensor, labels: Tensor, *, penalty: float, start: LinearClassifier) -> LinearClassifier:
    """The minimum of mean cross-entropy + ``penalty`` / 2 * (sum of the squares of the weights); biases are free."""
    weight, bias = (tensor.clone().requires_grad_() for tensor in (start.weight, start.bias))
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=_MAX_ITERATIONS,
        tolerance_grad=_GRADIENT_TOLERANCE,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(features @ weight.T + bias, labels) + penalty / 2 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return LinearClassifier(weight=weight.detach(), bias=bias.detach())


@torch.no_grad()
def features_of(network: Network, data: DeviceDataset, *, working: Working = nullcontext) -> Tensor:
    """What goes into the classifier of ``network`` in evaluation mode, float32 [n, d], chunk by chunk."""
    device = data.images.device
    scored = folded(network) if device.type == "cpu" else network.eval()
    assert isinstance(scored, Network)
    chunks: list[Tensor] = []
    hook = scored.classifier.register_forward_pre_hook(lambda _, inputs: chunks.append(_flat(inputs[0])))
    try:
        for images in data.images.split(_CHUNK_IMAGES[device.type]):
            with working():
                scored(pixels(images))
    finally:
        hook.remove()
    return torch.cat(chunks)


def _flat(features: Tensor) -> Tensor:
    if features.shape[2:].numel() != 1:
        raise ValueError(f"a linear probe needs a classifier of pooled features, got {list(features.shape[1:])}")
    return features.flatten(1).float()


def _deviation(features: Tensor) -> Tensor:
    """The standard deviation of each feature, 1 for one that never changes."""
    deviation = features.std(dim=0, correction=0)
    return torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation))


@torch.no_grad()
def _fill(classifier: nn.Module, solved: LinearClassifier) -> None:
    assert isinstance(classifier, nn.Conv2d | nn.Linear)
    assert classifier.bias is not None
    classifier.weight.copy_(solved.weight.reshape(classifier.weight.shape))
    classifier.bias.copy_(solved.bias)
