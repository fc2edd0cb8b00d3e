"""torchvision and torchvision-pretrained: light networks of torchvision, with fresh or with ImageNet's weights.

A space written out in a spec may name any other classification network of torchvision in the same way.
"""

from typing import Any

from search.spaces.architecture_space import ArchitectureSpace, Stage

_SCALED = ("mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small")
_UNSCALED = (
    "efficientnet_b0",
    "mnasnet0_5",
    "mnasnet1_0",
    "regnet_y_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
)


def _line(width: Any, weights: str | None, frozen: Any) -> tuple[Any, ...]:
    return (1, "TorchVision", ("$name", width, weights, frozen, "$classes", "$side_px"))


TORCHVISION = ArchitectureSpace(
    stages=(
        Stage(
            name="network",
            blocks={
                "scaled": {
                    "layers": [_line("$width", None, False)],
                    "parameters": {"name": _SCALED, "width": (0.35, 0.5, 0.75, 1.0)},
                },
                "unscaled": {"layers": [_line(1.0, None, False)], "parameters": {"name": _UNSCALED}},
            },
        ),
    )
)
TORCHVISION_PRETRAINED = ArchitectureSpace(
    stages=(
        Stage(
            name="network",
            parameters={"name": sorted((*_SCALED, *_UNSCALED)), "frozen": (False, True)},
            blocks={"pretrained": [_line(1.0, "default", "$frozen")]},
        ),
    )
)
