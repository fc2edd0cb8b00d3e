"""The networks of timm as parts that run one after another: a stem, stages and a head.

https://huggingface.co/docs/timm. A stage is a run of blocks. Its first block may change the side and the number of
channels; the others add to a residual stream, so any number of the last ones can be left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import timm
import torch
from torch import Tensor, nn

from workers.models.timm.plain_modules import with_plain_modules

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A whole network of timm.

    ``parts`` are the stem, the stages, and the head where there is one between the last stage and the pooling;
    ``stages`` counts the stages. ``mean`` and ``deviation`` belong to the images that its weights were trained on.
    """

    parts: tuple[nn.Sequential, ...]
    stages: int
    mean: Triple
    deviation: Triple

    @property
    def has_head(self) -> bool:
        return len(self.parts) == self.stages + 2


def build_backbone(name: str, weights: Mapping[str, Tensor] | None = None) -> Backbone:
    """timm's network ``name`` with ``weights``, named as timm names them, or fresh ones.

    ValueError for a name that timm does not have, a network without stages of blocks in a row, or weights of another.
    """
    if name not in timm.list_models():
        similar = timm.list_models(f"{name.split('_')[0]}*")[:8]
        hint = f"; it has: {', '.join(similar)}" if similar else ""
        raise ValueError(f"timm has no network {name!r}{hint}")
    network = timm.create_model(name, pretrained=False, num_classes=1)
    config = timm.models.get_pretrained_cfg(name)
    if config is None or not isinstance(config.classifier, str):
        raise ValueError(f"timm does not say how images of {name} are normalized, or what its classifier is")
    if weights is not None:
        _load(network, weights, name=name, classifier=config.classifier)
    with_plain_modules(network)
    stem, stages, head = _parts(name, dict(network.named_children()))
    parts = [nn.Sequential(*stem), *(nn.Sequential(*stage.children()) for stage in stages)]
    if head:
        parts.append(nn.Sequential(*head))
    return Backbone(
        parts=tuple(parts),
        stages=len(stages),
        mean=_triple(config.mean),
        deviation=_triple(config.std),
    )


def _load(network: nn.Module, weights: Mapping[str, Tensor], *, name: str, classifier: str) -> None:
    """Fill all but the classifier. Files without the number of batches that a normalization has seen will do."""
    own = {key: tensor for key, tensor in network.state_dict().items() if not key.startswith(f"{classifier}.")}
    for key, tensor in own.items():
        if not key.endswith("num_batches_tracked") and (key not in weights or weights[key].shape != tensor.shape):
            raise ValueError(f"these are no weights of {name}: {key} is missing or differs")
    network.load_state_dict({key: weights[key] for key in own if key in weights}, strict=False)


def _parts(name: str, children: dict[str, nn.Module]) -> tuple[list[nn.Module], list[nn.Module], list[nn.Module]]:
    """The modules of the stem, the stages and the head."""
    if {"conv_stem", "bn1", "blocks"} <= children.keys():
        # MobileNetV3 and V4 pool before their last convolution: it belongs to the classifier and is left out.
        head = [children[part] for part in ("conv_head", "bn2") if "bn2" in children]
        return [children["conv_stem"], children["bn1"]], list(children["blocks"].children()), head
    if {"conv1", "bn1", "act1", "maxpool", "layer1"} <= children.keys():
        stem = [children[part] for part in ("conv1", "bn1", "act1", "maxpool")]
        return stem, [children[f"layer{number}"] for number in range(1, 5)], []
    raise ValueError(f"{name} has no stages to cut: choose a network like EfficientNet, MobileNet or ResNet")


def _triple(values: Sequence[float]) -> Triple:
    first, second, third = values
    return first, second, third


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A backbone without weights, on the meta device. ``channels`` are the numbers of channels that go into each of
    its parts, followed by those that come out of the last.
    """

    backbone: Backbone
    channels: tuple[int, ...]

    @property
    def blocks(self) -> tuple[int, ...]:
        """The number of blocks of each stage."""
        return tuple(len(stage) for stage in self.backbone.parts[1 : self.backbone.stages + 1])


@lru_cache(maxsize=64)
def outline(name: str) -> Outline:
    """ValueError as ``build_backbone``."""
    with torch.device("meta"):
        backbone = build_backbone(name)
        features, channels = torch.zeros(1, 3, 64, 64), [3]
        for part in backbone.parts:
            features = part.eval()(features)
            channels.append(features.shape[1])
    return Outline(backbone=backbone, channels=tuple(channels))
