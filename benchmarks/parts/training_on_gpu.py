"""The engine on a GPU, eager against captured. It imports torch, NumPy and torchvision, and nothing else."""

from statistics import median

import torch
from torch import Tensor
from torchvision.models import mobilenet_v3_small

from benchmarks.parts.machine import spread
from workers.training.augment import ChanceAugment
from workers.training.engine import Epoch, TrainingPlan, train
from workers.training.resident import Resident
from workers.training.ways import Way, captured, eager

_SIDE_PX, _BATCH, _IMAGES, _CLASSES = 96, 128, 20_480, 10
_WAYS: dict[str, Way] = {"eager": eager, "engine": captured}


def compare_on_gpu(*, epochs: int, repeats: int) -> None:
    training, validation = _synthetic(_IMAGES), _synthetic(_BATCH)
    rates: dict[str, list[float]] = {name: [] for name in _WAYS}
    starts_s = []
    _train(training, validation, epochs=1, way=captured)
    for _ in range(repeats):
        for name, way in _WAYS.items():
            took_s = [epoch.elapsed_s for epoch in _train(training, validation, epochs=epochs, way=way)]
            rates[name].append(epochs * len(training) / sum(took_s))
            if way is captured:
                starts_s.append(took_s[0] - median(took_s[1:] or took_s))
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, CUDA {torch.version.cuda}; MobileNetV3-small 0.5, "
        f"{_SIDE_PX} px, batch {_BATCH}, {_IMAGES} images, {epochs} epochs"
    )
    for name, values in rates.items():
        print(f"{name:6} {spread(values, 0)} images/s")
    ratios = [ours / theirs for ours, theirs in zip(rates["engine"], rates["eager"], strict=True)]
    print(f"ratio  {spread(ratios, 2)}; the first epoch took {spread(starts_s, 2)} s more, for the capture")


def _train(training: Resident, validation: Resident, *, epochs: int, way: Way) -> list[Epoch]:
    torch.manual_seed(0)
    network = mobilenet_v3_small(width_mult=0.5, num_classes=_CLASSES)
    augment = _random_flips(torch.Generator(device="cuda").manual_seed(0))
    plan = TrainingPlan(epochs=epochs, batch_size=_BATCH, learning_rate=0.1, optimizer="sgd", seed=0)
    return list(train(network, training, validation, plan, augment=augment, way=way))


def _random_flips(generator: torch.Generator) -> ChanceAugment:
    def flip(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        chosen = torch.rand(len(images), generator=generator, device=images.device) < 0.5
        return torch.where(chosen.view(-1, 1, 1, 1), images.flip(3), images), targets

    return ChanceAugment(change=flip, generator=generator)


def _synthetic(images: int) -> Resident:
    generator = torch.Generator(device="cuda").manual_seed(0)
    shape = (images, _SIDE_PX, _SIDE_PX, 3)
    noise = torch.randint(0, 256, shape, dtype=torch.uint8, device="cuda", generator=generator)
    labels = torch.arange(images, device="cuda") % _CLASSES
    return Resident(images=noise.permute(0, 3, 1, 2), labels=labels, classes=_CLASSES)
