"""The other side of benchmarks.training: a plain PyTorch loop over a folder of images, decoded in each epoch."""

import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, random_split
from torchvision import transforms
from torchvision.datasets import ImageFolder


def plain_rate(
    network: nn.Module, folder: Path, *, side_px: int, batch_size: int, epochs: int, processes: int, rate: float
) -> float:
    """Training images a second, scoring after each epoch included."""
    steps = [transforms.Resize((side_px, side_px)), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
    dataset = ImageFolder(str(folder), transforms.Compose(steps))
    training, validation = random_split(dataset, [0.8, 0.2], torch.Generator().manual_seed(0))
    batches = DataLoader(training, batch_size, shuffle=True, num_workers=processes, persistent_workers=processes > 0)
    scored = DataLoader(validation, 256, num_workers=processes, persistent_workers=processes > 0)
    optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=epochs * len(batches))
    started = time.perf_counter()
    for _ in range(epochs):
        network.train()
        for images, labels in batches:
            loss = functional.cross_entropy(network(images), labels, label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.inference_mode():
            for images, _ in scored:
                network(images).argmax(dim=1)
    return epochs * len(training) / (time.perf_counter() - started)
