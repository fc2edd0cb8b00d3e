"""A plain loop against the engine on a GPU, both on data that is on the device. Needs torch, NumPy and torchvision."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import mobilenet_v3_small

from benchmarks.parts.machine import spread
from workers.training.batch_augmentation import RandomAugmentation
from workers.training.device_dataset import DeviceDataset
from workers.training.engine import Epoch, TrainingPlan, train

_SIDE_PX, _BATCH, _IMAGES, _CLASSES, _RATE = 96, 128, 20_480, 10, 0.1


def compare_on_gpu(*, epochs: int, repeats: int) -> None:
    training, validation = _synthetic(_IMAGES), _synthetic(_BATCH)
    starts_s: list[float] = []
    sides: dict[str, Callable[[int], float]] = {
        "plain": partial(_plain, training, validation),
        "engine": partial(_engine, training, validation, starts_s),
    }
    for side in sides.values():
        side(1)
    starts_s.clear()
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            rates[name].append(side(epochs))
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}, CUDA {torch.version.cuda}; MobileNetV3-small 0.5, "
        f"{_SIDE_PX} px, batch {_BATCH}, {_IMAGES} images, {epochs} epochs"
    )
    for name, values in rates.items():
        ratios = [ours / theirs for ours, theirs in zip(values, rates["plain"], strict=True)]
        print(f"  {name:6} {spread(values, 0)} images/s; ratio to the plain one {spread(ratios, 2)}")
    print(f"  the engine's first epoch took {spread(starts_s, 2)} s more, for the capture")


def _network() -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = mobilenet_v3_small(width_mult=0.5, num_classes=_CLASSES)
    return network


def _engine(training: DeviceDataset, validation: DeviceDataset, starts_s: list[float], epochs: int) -> float:
    """Training images a second, scoring after each epoch included; what the first epoch took longer is noted."""
    augment = _random_flips(torch.Generator(device="cuda").manual_seed(0))
    plan = TrainingPlan(epochs=epochs, batch_size=_BATCH, learning_rate=_RATE, optimizer="sgd", seed=0)
    done: list[Epoch] = list(train(_network(), training, validation, plan, augment=augment))
    took_s = [epoch.elapsed_s for epoch in done]
    starts_s.append(took_s[0] - median(took_s[1:] or took_s))
    return epochs * len(training) / sum(took_s)


def _plain(training: DeviceDataset, validation: DeviceDataset, epochs: int) -> float:
    """The same by a loop as it is written usually, in bfloat16 and channels_last: training images a second."""
    network = _network().cuda().to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=_RATE, momentum=0.9, nesterov=True, weight_decay=5e-4)
    total = epochs * (len(training) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=_RATE, total_steps=total)
    flip = _random_flips(torch.Generator(device="cuda").manual_seed(0))
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(epochs):
        network.train()
        for index in torch.randperm(len(training), device="cuda").split(_BATCH):
            images, labels = flip(training.images[index], training.labels[index])
            with torch.autocast("cuda", dtype=torch.bfloat16):
                logits = network(images / 255)
            loss = functional.cross_entropy(logits.float(), labels, label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.inference_mode():
            int((network(validation.images / 255).argmax(dim=1) == validation.labels).sum())
    return epochs * len(training) / (time.perf_counter() - started)


def _random_flips(generator: torch.Generator) -> RandomAugmentation:
    def flip(images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        chosen = torch.rand(len(images), generator=generator, device=images.device) < 0.5
        return torch.where(chosen.view(-1, 1, 1, 1), images.flip(3), images), targets

    return RandomAugmentation(change=flip, generator=generator)


def _synthetic(images: int) -> DeviceDataset:
    generator = torch.Generator(device="cuda").manual_seed(0)
    shape = (images, _SIDE_PX, _SIDE_PX, 3)
    noise = torch.randint(0, 256, shape, dtype=torch.uint8, device="cuda", generator=generator)
    labels = torch.arange(images, device="cuda") % _CLASSES
    return DeviceDataset(images=noise.permute(0, 3, 1, 2), labels=labels, classes=_CLASSES)
