"""pretrained: networks of timm that are cut after one of their blocks and thinned stage by stage.

https://huggingface.co/docs/timm. Every network starts from the weights of the whole one. A network has fewer stages,
fewer blocks in each and narrower ones, so that it costs from all of the whole down to a hundredth of it.
"""

from dataclasses import dataclass

from search.spaces.architecture_space import ArchitectureSpace, Line, Stage

#: A width is the fraction of a stage's channels that are kept.
_WIDTHS = (0.25, 0.375, 0.5, 0.75, 1.0)
_FEWEST_STAGES = 3


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
    """The networks that can be cut and thinned from ``name``, one of BACKBONES, starting from ``weights``."""
    shape = BACKBONES[name]
    stages = [_stage("stem", (1, "TimmStem", (name, "$width", weights)))]
    for number, blocks in enumerate(shape.blocks, start=1):
        line: Line = (1, "TimmStage", (name, number, "$blocks" if blocks > 1 else 1, "$width"))
        stages.append(_stage(f"stage{number}", line, blocks=blocks))
    if shape.head:
        stages.append(_stage("last", (1, "TimmHead", (name, "$width"))))
    classifier: tuple[Line, ...] = ((1, "GlobalAvgPool", ()), (1, "FixedConv", ("$classes",)))
    return ArchitectureSpace.model_validate(
        {
            "stages": stages,
            "stage_count": {"low": 1 + _FEWEST_STAGES, "high": len(stages)},
            "head": [Stage.model_validate({"name": "classifier", "blocks": {"pooled": list(classifier)}})],
        }
    )


def _stage(name: str, line: Line, *, blocks: int = 1) -> Stage:
    parameters: dict[str, object] = {"width": list(_WIDTHS)}
    if blocks > 1:
        parameters["blocks"] = {"low": 1, "high": blocks}
    return Stage.model_validate({"name": name, "parameters": parameters, "blocks": {"timm": [line]}})


PRETRAINED = backbone_space("tf_efficientnet_lite0")
#: What suits fine-tuning, for whatever a study leaves out. AdamW takes a twentieth of these rates.
PRETRAINED_DEFAULTS: dict[str, object] = {
    "image_size": [48, 64, 96],
    "optimizer": "adamw",
    "learning_rate": {"low": 0.015, "high": 0.1, "log": True},
}
PRETRAINED_EPOCHS = 8


def names_pretrained(architecture: object) -> bool:
    """Whether what a spec gives as its architecture is this preset, or a list that has it."""
    return architecture == "pretrained" or (isinstance(architecture, list | tuple) and "pretrained" in architecture)
