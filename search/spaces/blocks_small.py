"""blocks-small: 3 to 6 stages of plain, depthwise-separable or inverted-residual blocks, halved down to about 4 px."""

from search.spaces.architecture_space import ArchitectureSpace, Stage

_WIDTHS = ((8, 16, 24, 32), (16, 24, 32, 48), (32, 48, 64, 96), (48, 64, 96, 128), (48, 64, 96, 128), (48, 64, 96, 128))


def _stage(number: int, widths: tuple[int, ...]) -> Stage:
    return Stage(
        name=f"stage{number}",
        stride=(2,),
        parameters={"width": widths, "kernel": (3, 5), "repeat": {"low": 1, "high": 3}, "expansion": (2, 4, 6)},
        blocks={
            "Conv": [("$repeat", "Conv", ("$width", "$kernel", "$stride"))],
            "DWConv": [("$repeat", "DWConv", ("$width", "$kernel", "$stride"))],
            "InvertedResidualv2": [("$repeat", "InvertedResidualv2", ("$width", "$expansion", "$stride", "$kernel"))],
        },
    )


_HEAD = (
    (1, "Conv", ("$head_width", 1, 1)),
    (1, "GlobalAvgPool", ()),
    (1, "FixedConv", ("$classes",)),
)
BLOCKS_SMALL = ArchitectureSpace(
    stages=tuple(_stage(number, widths) for number, widths in enumerate(_WIDTHS, start=1)),
    stage_count={"low": 3, "high": 6},
    least_side_px=4,
    parameters={"head_width": (128, 192, 256)},
    head=(Stage(name="head", blocks={"pooled": _HEAD}),),
)
