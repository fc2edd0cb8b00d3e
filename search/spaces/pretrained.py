"""Presets of pretrained networks: networks of timm that are cut after one of their stages and thinned.

https://huggingface.co/docs/timm. Every network starts from the weights of the whole one. A network has fewer stages and
fewer channels in them, so that it costs from all of the whole down to a hundredth of it. Each backbone is a preset of
its own name; ``pretrained`` is the one whose weights are installed as a package.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from search.contract.candidate import Architecture
from search.spaces.architecture_space import ArchitectureSpace, Block, Line, Stage
from search.spaces.values import Scalar, Values

#: A width is the fraction of a stage's channels that are kept. The first stages have few: with less than half of them a
#: network has lost what it knew.
_EARLY_WIDTHS, _LATE_WIDTHS = (0.5, 0.75, 1.0), (0.25, 0.5, 0.75, 1.0)
_FEWEST_STAGES = 3
#: The line that names the weights, as its third argument.
_STEM = "TimmStem"


@dataclass(frozen=True, kw_only=True)
class BackboneShape:
    """The number of ``blocks`` of each stage of a network of timm, and whether it has a ``head`` before the pooling."""

    blocks: tuple[int, ...]
    head: bool


BACKBONES = {
    "efficientnet_b0": BackboneShape(blocks=(1, 2, 2, 3, 3, 4, 1), head=True),
    "mobilenetv2_050": BackboneShape(blocks=(1, 2, 3, 4, 3, 3, 1), head=True),
    "mobilenetv2_100": BackboneShape(blocks=(1, 2, 3, 4, 3, 3, 1), head=True),
    "mobilenetv3_large_100": BackboneShape(blocks=(1, 2, 3, 4, 2, 3, 1), head=False),
    "mobilenetv3_small_050": BackboneShape(blocks=(1, 2, 3, 2, 3, 1), head=False),
    "mobilenetv3_small_100": BackboneShape(blocks=(1, 2, 3, 2, 3, 1), head=False),
    "resnet18": BackboneShape(blocks=(2, 2, 2, 2), head=False),
    "tf_efficientnet_lite0": BackboneShape(blocks=(1, 2, 2, 3, 3, 4, 1), head=True),
    "tinynet_e": BackboneShape(blocks=(1, 1, 1, 2, 2, 2, 1), head=True),
}


def backbone_space(name: str, *, weights: str | None = "default") -> ArchitectureSpace:
    """The networks that can be cut and thinned from ``name``, one of BACKBONES, starting from ``weights``.

    The stem and the stages of the first half share a width, and so do the other stages and the head.
    """
    shape = BACKBONES[name]
    early = len(shape.blocks) // 2
    stages = [_stage("stem", (1, _STEM, (name, "$early_width", weights)))]
    for number, blocks in enumerate(shape.blocks, start=1):
        width = "$early_width" if number <= early else "$late_width"
        stages.append(_stage(f"stage{number}", (1, "TimmStage", (name, number, blocks, width))))
    if shape.head:
        stages.append(_stage("last", (1, "TimmHead", (name, "$late_width"))))
    classifier: tuple[Line, ...] = ((1, "GlobalAvgPool", ()), (1, "FixedConv", ("$classes",)))
    return ArchitectureSpace(
        stages=tuple(stages),
        stage_count=Values(low=1 + _FEWEST_STAGES, high=len(stages)),
        head=(Stage(name="classifier", blocks={"pooled": Block(layers=classifier)}),),
        parameters={"early_width": Values(choices=_EARLY_WIDTHS), "late_width": Values(choices=_LATE_WIDTHS)},
    )


def _stage(name: str, line: Line) -> Stage:
    return Stage(name=name, blocks={"timm": Block(layers=(line,))})


#: The teacher's weights that a study with a teacher tries.
TEACHER_WEIGHTS = (0.0, 0.5, 0.9)
PRETRAINED_PRESETS = {name: backbone_space(name) for name in BACKBONES}
PRETRAINED_PRESETS["pretrained"] = PRETRAINED_PRESETS["tf_efficientnet_lite0"]
#: What suits fine-tuning, for whatever a study leaves out. AdamW takes a twentieth of these rates.
PRETRAINED_DEFAULTS: dict[str, object] = {
    "image_size": [32, 48, 64, 96],
    "optimizer": "adamw",
    "learning_rate": {"low": 0.02, "high": 0.2, "log": True},
    "distillation_weight": list(TEACHER_WEIGHTS),
}
#: A study that says nothing of epochs chooses among these.
PRETRAINED_EPOCHS = (8, 16)
#: Recipes without training, for many networks: the space has thinned ones, and a fine-tuning takes as long as a trial.
PRETRAINED_COMPRESSION: dict[str, object] = {"max_candidates": 10, "recipes": ["fp32", "static-int8"]}
#: The rate at which one would fine-tune a network by hand: 0.002 for AdamW.
USUAL_LEARNING_RATE = 0.04
#: These fractions of the stages, at full width, are tried first.
_FIRST_CUTS = (Fraction(1, 2), Fraction(2, 3), Fraction(1))


def pretrained_families(architecture: object) -> list[str]:
    """The presets of pretrained networks among what a spec gives as its architecture: a preset, a space or a list."""
    choices = architecture if isinstance(architecture, list | tuple) else [architecture]
    return [choice for choice in choices if isinstance(choice, str) and choice in PRETRAINED_PRESETS]


def may_be_pretrained(space: ArchitectureSpace) -> bool:
    """Whether some networks of the space are those of timm, line by line."""
    blocks = [block for stage in space.stages for block in stage.blocks.values()]
    return any(module == _STEM for block in blocks for _, module, _ in block.layers)


def is_pretrained(architecture: Architecture) -> bool:
    """Whether its lines are those of a network of timm and start from trained weights."""
    return any(
        module == _STEM and arguments[2:3] not in ((), (None,)) for _, module, arguments in architecture.backbone
    )


def first_cuts(architecture: object) -> list[dict[str, Scalar]]:
    """The networks of these presets that a study tries first: a short cut of each before the whole of any."""
    names = pretrained_families(architecture)
    cuts = dict.fromkeys((name, _cut(name, fraction)) for fraction in _FIRST_CUTS for name in names)
    return [_full_width(architecture, name, stages=stages) for name, stages in cuts]


def short_cuts(architecture: object) -> list[dict[str, Scalar]]:
    """The shortest one of the first cuts of each of these presets."""
    names = pretrained_families(architecture)
    return [_full_width(architecture, name, stages=_cut(name, _FIRST_CUTS[0])) for name in names]


def whole_network(architecture: object) -> dict[str, Scalar]:
    """Every stage with all its channels of the first of these presets in what a spec gives as its architecture."""
    name = pretrained_families(architecture)[0]
    return _full_width(architecture, name, stages=len(PRETRAINED_PRESETS[name].stages))


def _full_width(architecture: object, name: str, *, stages: int) -> dict[str, Scalar]:
    """The first ``stages`` of a preset, the stem counted, with all their channels."""
    blocks = [block for stage in PRETRAINED_PRESETS[name].stages[:stages] for block in stage.blocks.values()]
    widths = dict.fromkeys(parameter for block in blocks for parameter in block.references)
    point: dict[str, Scalar] = {"stages": stages, **dict.fromkeys(widths, 1.0)}
    if isinstance(architecture, str) or (isinstance(architecture, list | tuple) and len(architecture) == 1):
        return point
    return {"family": name, **{f"{name}.{parameter}": value for parameter, value in point.items()}}


def _cut(name: str, fraction: Fraction) -> int:
    """So many of the stages of a preset, the stem counted, at least as many as it keeps in any case."""
    whole = len(PRETRAINED_PRESETS[name].stages)
    return max(ceil(fraction * whole), 1 + _FEWEST_STAGES)
