"""mobile: MobileNetV3's stages with the choices of Once-for-all, for images from thumbnails to photos.

https://arxiv.org/abs/1905.02244 and https://arxiv.org/abs/1908.09791. Each stage draws kernel, expansion, width, depth
and squeeze-and-excitation; the first two have ReLU, the later ones hard-swish.
"""

from search.spaces.architecture_space import ArchitectureSpace, Stage

_STEM = Stage(name="stem", stride=(2,), blocks={"Conv": [(1, "Conv", (16, 3, "$stride", None, 1, "Hardswish"))]})


def _stage(number: int, *, widths: tuple[int, ...], hard_swish: int, stride: int) -> Stage:
    arguments = ("$kernel", "$expansion", "$width", "$se", hard_swish, "$stride")
    return Stage(
        name=f"stage{number}",
        stride=(stride,),
        parameters={
            "kernel": (3, 5, 7),
            "expansion": (2, 3, 4, 6),
            "width": widths,
            "se": (0, 1),
            "depth": {"low": 1, "high": 4},
        },
        blocks={"InvertedResidualv3": [("$depth", "InvertedResidualv3", arguments)]},
    )


_HEAD = (
    (1, "Conv", ("$head_width", 1, 1, None, 1, "Hardswish")),
    (1, "GlobalAvgPool", ()),
    (1, "FixedConv", ("$classes",)),
)
MOBILE = ArchitectureSpace(
    stages=(
        _STEM,
        _stage(1, widths=(16, 24, 32), hard_swish=0, stride=2),
        _stage(2, widths=(24, 32, 40), hard_swish=0, stride=2),
        _stage(3, widths=(48, 64, 80), hard_swish=1, stride=2),
        _stage(4, widths=(72, 96, 112), hard_swish=1, stride=1),
        _stage(5, widths=(96, 128, 160), hard_swish=1, stride=2),
    ),
    least_side_px=4,
    parameters={"head_width": (256, 512, 960)},
    head=(Stage(name="head", blocks={"pooled": _HEAD}),),
)
