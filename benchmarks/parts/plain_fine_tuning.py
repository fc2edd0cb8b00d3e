"""The other side of benchmarks.pretrained: fine-tuning as users write it. Prints a JSON line for each finished model.

Called with a folder of ``train`` and ``test``, minutes and the seed. EfficientNet-Lite0 with ImageNet's weights, whole
and cut to its first 11 and 8 blocks, at 96 and 64 px, each for 6 or 8 epochs: AdamW, one-cycle, batches of 64, flips,
bfloat16. A fifth of ``train`` is for validation.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import timm
import torch
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.parts.plain_search import median_latency_ms
from workers.export import to_onnx
from workers.models.timm.weights import load_weights_of

_NETWORK, _RATE, _BATCH, _CORES = "tf_efficientnet_lite0", 2e-3, 64, 2
#: Blocks that are kept (None: all of them, and the head), side in pixels, epochs; what is best first.
_MODELS = ((None, 96, 6), (11, 64, 8), (8, 64, 8), (None, 64, 6), (11, 96, 8), (8, 96, 8))


class Cut(nn.Module):
    """The first ``blocks`` of the network, pooled, and a new classifier."""

    def __init__(self, blocks: int | None, classes: int) -> None:
        super().__init__()
        whole = timm.create_model(_NETWORK, pretrained=False, num_classes=classes)
        whole.load_state_dict(dict(load_weights_of(_NETWORK)) | _classifier(whole), strict=False)
        parts = [whole.get_submodule("conv_stem"), whole.get_submodule("bn1")]
        parts += [block for stage in whole.get_submodule("blocks").children() for block in stage.children()][:blocks]
        if blocks is None:
            parts += [whole.get_submodule("conv_head"), whole.get_submodule("bn2")]
        self.features = nn.Sequential(*parts)
        with torch.inference_mode():
            channels = self.features.eval()(torch.zeros(1, 3, 64, 64)).shape[1]
        self.classifier = nn.Linear(channels, classes)

    def forward(self, images: Tensor) -> Tensor:
        features = self.features((images - 0.5) / 0.5)
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return logits


def _classifier(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in network.state_dict().items() if name.startswith("classifier.")}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Macro F1 on validation and test images, and the latency of the exported file in milliseconds."""

    f1: float
    f1_test: float
    latency_ms: float


def fine_tune(folder: Path, blocks: int | None, side_px: int, epochs: int, seed: int) -> Figures:
    """Train one model and measure it."""
    sized = [transforms.Resize((side_px, side_px)), transforms.ToTensor()]
    flipped = ImageFolder(str(folder / "train"), transforms.Compose([transforms.RandomHorizontalFlip(), *sized]))
    plain = ImageFolder(str(folder / "train"), transforms.Compose(sized))
    rows, labels = np.arange(len(plain)), np.array(plain.targets)
    train, held_out = train_test_split(rows, test_size=0.2, stratify=labels, random_state=seed)
    torch.manual_seed(seed)
    network = Cut(blocks, len(plain.classes))
    batches = DataLoader(Subset(flipped, train.tolist()), _BATCH, shuffle=True, num_workers=_CORES)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=_RATE, total_steps=epochs * len(batches))
    for _ in range(epochs):
        network.train()
        for images, truth in batches:
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(images)
            loss = functional.cross_entropy(logits.float(), truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()
    return Figures(
        f1=macro_f1(network, Subset(plain, held_out.tolist())),
        f1_test=macro_f1(network, ImageFolder(str(folder / "test"), plain.transform)),
        latency_ms=median_latency_ms(to_onnx(network, side_px), side_px),
    )


def macro_f1(network: nn.Module, images: Dataset[tuple[Tensor, int]]) -> float:
    """Of all classes that occur among the images or the predictions."""
    predicted: list[int] = []
    truth: list[int] = []
    with torch.inference_mode():
        for batch, labels in DataLoader(images, 256, num_workers=_CORES):
            predicted += network(batch).argmax(dim=1).tolist()
            truth += labels.tolist()
    return float(f1_score(truth, predicted, average="macro"))


def main() -> None:
    folder, minutes, seed = sys.argv[1:]
    torch.set_num_threads(_CORES)
    started = time.monotonic()
    for blocks, side_px, epochs in _MODELS:
        figures = fine_tune(Path(folder), blocks, side_px, epochs, int(seed))
        elapsed_s = time.monotonic() - started
        if elapsed_s > 60 * float(minutes):
            return
        model = {"blocks": blocks, "side_px": side_px, **asdict(figures), "elapsed_s": elapsed_s}
        print(json.dumps(model), flush=True)


if __name__ == "__main__":
    main()
