"""The modules of the blocks TimmStem, TimmStage and TimmHead: a part of a network of timm, cut and thinned."""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from workers.models.pretrained import Pretrained, Source, load_named_file
from workers.models.timm.backbone import build_backbone, outline
from workers.models.timm.thinning import thin
from workers.models.timm.weights import load_weights_of

_OWN_WEIGHTS = "default"
#: timm's files have 0.01, for hundreds of epochs; within a few epochs the running statistics would not follow.
_BATCHNORM_MOMENTUM = 0.1


class TimmPart(Pretrained):
    """Part ``position`` of the backbone ``name``, with its first ``blocks`` modules and ``width`` of its channels.

    Features [n, c, side, side] to features.
    """

    def __init__(self, name: str, position: int, channels_in: int, *, blocks: int | None, width: float) -> None:
        super().__init__()
        self.name, self.position, self.blocks, self.width = name, position, blocks, width
        device = torch.get_default_device()
        self.body = deepcopy(self._part_of(outline(name).backbone.parts))
        with torch.device("meta"):
            self.channels_out = len(self._thinned(self.body, range(channels_in)))
        if device.type != "meta":
            _begin_afresh(self.body.to_empty(device=device))
        for module in self.body.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = _BATCHNORM_MOMENTUM

    def _part_of(self, parts: tuple[nn.Sequential, ...]) -> nn.Sequential:
        return parts[self.position][: self.blocks]

    def _thinned(self, part: nn.Sequential, inputs: Sequence[int]) -> Sequence[int]:
        return thin(part, inputs, channels_in=outline(self.name).channels[self.position], width=self.width)

    def forward(self, features: Tensor) -> Tensor:
        output: Tensor = self.body(features)
        return output

    def load_pretrained(self, source: Source | None) -> Source | None:
        """Fill it from the backbone that the stem has loaded; without one it keeps its fresh weights."""
        if source is None:
            return None
        part = self._part_of(source.parts)
        channels = self._thinned(part, source.channels)
        self.body.load_state_dict(part.state_dict())
        return Source(parts=source.parts, channels=channels)


class TimmStem(TimmPart):
    """Images [n, 3, side, side] in [0, 1] to features; they are normalized as the weights' own training images were."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, channels_in: int, *, width: float, weights: str | None) -> None:
        super().__init__(name, 0, channels_in, blocks=None, width=width)
        self.weights = weights
        backbone = outline(name).backbone
        for statistic, values in (("mean", backbone.mean), ("deviation", backbone.deviation)):
            self.register_buffer(statistic, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward((images - self.mean) / self.deviation)

    def load_pretrained(self, source: Source | None) -> Source | None:
        """Read the weights for all parts. ValueError if there are none, or they are another network's."""
        if self.weights is None:
            return None
        tensors = load_weights_of(self.name) if self.weights == _OWN_WEIGHTS else load_named_file(self.weights)
        with torch.device("cpu"):
            backbone = build_backbone(self.name, tensors)
        return super().load_pretrained(Source(parts=backbone.parts, channels=range(3)))


def _begin_afresh(part: nn.Module) -> None:
    """Draw the weights of every layer. ValueError for parameters that no layer of PyTorch draws."""
    for name, module in part.named_modules():
        own = list(module.parameters(recurse=False))
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
        elif own:
            raise ValueError(f"{type(module).__name__} at {name} has weights that cannot be drawn afresh")


def stage(name: str, number: int, channels_in: int, *, blocks: int, width: float) -> TimmPart:
    """The first ``blocks`` of stage ``number``, counted from 1. ValueError if there are not so many."""
    available = outline(name).blocks
    if number > len(available) or blocks > available[number - 1]:
        counts = ", ".join(map(str, available))
        raise ValueError(f"{name} has stages of {counts} blocks: there is no {blocks} of stage {number}")
    return TimmPart(name, number, channels_in, blocks=blocks, width=width)


def head(name: str, channels_in: int, *, width: float) -> TimmPart:
    """What stands between the last stage and the pooling. ValueError if nothing does."""
    backbone = outline(name).backbone
    if not backbone.has_head:
        raise ValueError(f"{name} has no head before its pooling: leave TimmHead out")
    return TimmPart(name, backbone.stages + 1, channels_in, blocks=None, width=width)
