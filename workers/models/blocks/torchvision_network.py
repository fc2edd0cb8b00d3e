"""TorchVision: a whole classification network of torchvision (https://docs.pytorch.org/vision/stable/models.html)."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from workers.models.arguments import Factor, Flag, Width
from workers.models.blocks.registry import block
from workers.models.pretrained import Pretrained, Source, load_named_file, load_torchvision

#: Below this side the stem keeps it: networks made for 224 px would leave a pixel or two of a small image.
SMALL_SIDE_PX = 64
_OWN_WEIGHTS = "default"
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_WIDTH_OF_BOTTLENECKS = 64

Text = Annotated[str, Field(strict=True, min_length=1, max_length=500)]
Side = Annotated[int, Field(strict=True, ge=8, le=1024)]


class TorchVisionNetwork(Pretrained):
    """[n, 3, side, side] in [0, 1] -> [n, classes].

    With ``weights``, images are normalized as ImageNet's. ``frozen`` trains the classifier only, on fixed batch
    statistics.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, body: nn.Module, *, name: str, weights: str | None, frozen: bool) -> None:
        super().__init__()
        self.body, self.name, self.weights, self.frozen = body, name, weights, frozen
        layers = [key for key, part in body.named_modules() if isinstance(part, nn.Conv2d | nn.Linear)]
        self._classifier = layers[-1]
        if weights is not None:
            for statistic, values in (("mean", _MEAN), ("deviation", _DEVIATION)):
                self.register_buffer(statistic, torch.tensor(values).view(1, 3, 1, 1), persistent=False)
        if frozen:
            body.requires_grad_(False)
            body.get_submodule(self._classifier).requires_grad_(True)

    def forward(self, images: Tensor) -> Tensor:
        if self.weights is not None:
            images = (images - self.mean) / self.deviation
        logits: Tensor = self.body(images)
        return logits

    def train(self, mode: bool = True) -> "TorchVisionNetwork":
        super().train(mode)
        if self.frozen:
            self.body.eval()
        return self

    def load_pretrained(self, source: Source | None) -> None:
        """Fill all but the classifier from ``weights``. ValueError if there are none, or they are another network's."""
        if self.weights is None:
            return
        loaded = load_torchvision(self.name) if self.weights == _OWN_WEIGHTS else load_named_file(self.weights)
        own = self.body.state_dict()
        wanted = {key for key in own if not key.startswith(f"{self._classifier}.")}
        wrong = sorted(key for key in wanted if key not in loaded or loaded[key].shape != own[key].shape)
        if wrong:
            raise ValueError(f"{self.weights} holds no weights of {self.name}: {wrong[0]} is missing or differs")
        self.body.load_state_dict({key: loaded[key] for key in wanted}, strict=False)


@block("TorchVision", functional=True)
def torchvision_network(
    channels_in: int,
    name: Text,
    width: Factor,
    weights: Text | None,
    frozen: Flag,
    classes: Width,
    side_px: Side,
) -> tuple[nn.Module, int]:
    """``weights`` are ``default``, torchvision's own, which it downloads when first used, or the path of a .safetensors
    file, or null for fresh ones. Images smaller than 64 px are not halved by the stem.
    """
    import torchvision.models

    names = torchvision.models.list_models(module=torchvision.models)
    if name not in names:
        raise ValueError(f"torchvision has no classification network {name!r}; it has: {', '.join(names)}")
    if channels_in != 3:
        raise ValueError(
            f"torchvision's networks take images of 3 channels, got {channels_in}: make it the first layer"
        )
    if weights is not None and width != 1:
        raise ValueError(f"there are pretrained weights for width 1 only, got {width:g}")
    if frozen and weights is None:
        raise ValueError("a frozen network needs pretrained weights: name them, or train all of it")
    body = _body(name, classes, _options(name, width, side_px))
    if side_px < SMALL_SIDE_PX:
        _keep_side(body)
    return TorchVisionNetwork(body, name=name, weights=weights, frozen=frozen), classes


def _body(name: str, classes: int, options: dict[str, object]) -> nn.Module:
    from torchvision.models import get_model

    device = torch.get_default_device()
    # RegNet computes its widths with tensors, which have no values on the meta device.
    with torch.device("cpu" if name.startswith("regnet_") else device):
        try:
            body: nn.Module = get_model(name, num_classes=classes, **options)
        except AssertionError as error:
            raise ValueError(f"{name} does not work with {options}: {error}") from error
    return body.to(device)


def _options(name: str, width: float, side_px: int) -> dict[str, object]:
    """What the constructor takes beside the number of classes. ValueError for a width that it does not have."""
    options: dict[str, object] = {}
    if name in ("googlenet", "inception_v3"):
        options = {"aux_logits": False, "init_weights": True}
    elif name.startswith("vit_"):
        options = {"image_size": side_px}
    elif name.startswith("maxvit_"):
        options = {"input_size": (side_px, side_px)}
    if width == 1:
        return options
    if name.startswith("mobilenet_"):
        return {"width_mult": width}
    if name in ("resnet50", "resnet101", "resnet152"):
        return {"width_per_group": max(round(_WIDTH_OF_BOTTLENECKS * width), 1)}
    raise ValueError(f"{name} has no width to choose: give 1, got {width:g}")


def _keep_side(body: nn.Module) -> None:
    """Stride 1 for the first convolution and no max-pooling after it; patch embeddings stay as they are."""
    first = next(part for part in body.modules() if isinstance(part, nn.Conv2d))
    if first.stride == (1, 1) or first.stride[0] >= first.kernel_size[0]:
        return
    first.stride = (1, 1)
    for key, part in body.named_modules():
        if isinstance(part, nn.MaxPool2d):
            parent, _, child = key.rpartition(".")
            setattr(body.get_submodule(parent), child, nn.Identity())
            return
