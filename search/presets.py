"""Architecture presets: functions that draw a backbone, stage by stage, from a chooser."""

from collections.abc import Callable
from typing import Any

from search.candidate import Layer
from search.chooser import Chooser

Preset = Callable[..., tuple[Layer, ...]]

_WIDTHS = ((8, 16, 24, 32), (16, 24, 32, 48), (32, 48, 64, 96), (48, 64, 96, 128))
_LEAST_SIDE_PX = 4


def blocks_small(chooser: Chooser, *, side_px: int, classes: int) -> tuple[Layer, ...]:
    """3 to 6 stages of plain, depthwise-separable or inverted-residual blocks, halved down to about 4 px.

    Each stage draws its block, kernel, width, repeats and, for inverted residuals, expansion: 120 ways a stage,
    120^3 + ... + 120^6 networks.
    """
    layers: list[Layer] = []
    for stage in range(chooser.suggest_int("stages", 3, 6)):
        stride = 2 if side_px // 2 >= _LEAST_SIDE_PX else 1
        side_px //= stride
        layers.append(_stage(chooser, f"stage{stage + 1}", stage=stage, stride=stride))
    head = chooser.suggest_categorical("head_width", (128, 192, 256))
    return (
        *layers,
        (1, "Conv", (head, 1, 1)),
        (1, "GlobalAvgPool", ()),
        (1, "FixedConv", (classes,)),
    )


def _stage(chooser: Chooser, name: str, *, stage: int, stride: int) -> Layer:
    block = chooser.suggest_categorical(f"{name}.block", ("Conv", "DWConv", "InvertedResidualv2"))
    width = chooser.suggest_categorical(f"{name}.width", _WIDTHS[min(stage, len(_WIDTHS) - 1)])
    kernel = chooser.suggest_categorical(f"{name}.kernel", (3, 5))
    repeat = chooser.suggest_int(f"{name}.repeat", 1, 3)
    arguments: tuple[Any, ...] = (width, kernel, stride)
    if block == "InvertedResidualv2":
        expansion = chooser.suggest_categorical(f"{name}.expansion", (2, 4, 6))
        arguments = (width, expansion, stride, kernel)
    return (repeat, block, arguments)


PRESETS: dict[str, Preset] = {"blocks-small": blocks_small}
