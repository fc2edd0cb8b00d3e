"""seed-blocks and baseline-blocks: the search space of the competition's team that this project grew out of.

Eight stages of convolutions and inverted residuals (the baseline that was supplied has the first seven), each with
stride 1 or 2, at most five halvings. Stride 2 is forced at m2 without a halving before, at m4 with fewer than two and
at m6 with fewer than three.
"""

from search.spaces.architecture_space import ArchitectureSpace, Stage

_Range = tuple[int, int, int]
_MULTIPLES = (0.25, 0.5, 0.75, 1.0)
_LEAST_DOWNSAMPLINGS = {"m2": 1, "m4": 2, "m6": 3}


def _range(values: _Range) -> dict[str, int]:
    return dict(zip(("low", "high", "step"), values, strict=True))


_ACTIVATION = ("ReLU", "Hardswish")
_M1 = Stage(
    name="m1",
    stride=(1, 2),
    parameters={"repeat": {"low": 1, "high": 3}, "out": _range((16, 64, 16)), "activation": _ACTIVATION},
    blocks={
        "Conv": [("$repeat", "Conv", ("$out", 3, "$stride", None, 1, "$activation"))],
        "DWConv": [("$repeat", "DWConv", ("$out", 3, "$stride", None, "$activation"))],
    },
)


def _stage(name: str, *, conv: _Range, v2: _Range, most_expansion: int, v3: _Range) -> Stage:
    """A later stage; ``conv``, ``v2`` and ``v3`` are the widths of the blocks: least, most, step."""
    convolution = {"out": _range(conv), "kernel": (1, 3, 5), "activation": _ACTIVATION}
    return Stage(
        name=name,
        stride=(1, 2),
        least_downsamplings=_LEAST_DOWNSAMPLINGS.get(name, 0),
        parameters={"repeat": {"low": 1, "high": 5}},
        blocks={
            "Conv": {
                "layers": [("$repeat", "Conv", ("$out", "$kernel", "$stride", None, 1, "$activation"))],
                "parameters": convolution,
            },
            "DWConv": {
                "layers": [("$repeat", "DWConv", ("$out", "$kernel", "$stride", None, "$activation"))],
                "parameters": convolution,
            },
            "InvertedResidualv2": {
                "layers": [("$repeat", "InvertedResidualv2", ("$out", "$expansion", "$stride"))],
                "parameters": {"out": _range(v2), "expansion": {"low": 1, "high": most_expansion}},
            },
            "InvertedResidualv3": {
                "layers": [
                    ("$repeat", "InvertedResidualv3", ("$kernel", "$expansion", "$out", "$se", "$hs", "$stride"))
                ],
                "parameters": {
                    "kernel": (3, 5),
                    "expansion": {"low": 1.0, "high": 6.0, "step": 0.1},
                    "out": _range(v3),
                    "se": (0, 1),
                    "hs": (0, 1),
                },
            },
            "Pass": [(1, "Pass", ())],
        },
    )


_STAGES = (
    _M1,
    _stage("m2", conv=(16, 128, 16), v2=(16, 32, 16), most_expansion=4, v3=(16, 40, 8)),
    _stage("m3", conv=(16, 128, 16), v2=(8, 32, 8), most_expansion=8, v3=(8, 40, 8)),
    _stage("m4", conv=(16, 256, 16), v2=(8, 64, 8), most_expansion=8, v3=(8, 80, 8)),
    _stage("m5", conv=(16, 256, 16), v2=(16, 128, 16), most_expansion=8, v3=(16, 80, 16)),
    _stage("m6", conv=(16, 512, 16), v2=(16, 128, 16), most_expansion=8, v3=(16, 160, 16)),
    _stage("m7", conv=(128, 1024, 128), v2=(16, 160, 16), most_expansion=8, v3=(8, 160, 8)),
    _stage("m8", conv=(128, 1024, 128), v2=(16, 160, 16), most_expansion=8, v3=(8, 160, 8)),
)
_POOLED = ((1, "Conv", ("$last_dim", 1, 1)), (1, "GlobalAvgPool", ()))
_HEAD = Stage(
    name="head",
    parameters={"last_dim": _range((128, 1024, 128))},
    blocks={
        "FixedConv": (*_POOLED, (1, "FixedConv", ("$classes",))),
        "Linear": (*_POOLED, (1, "Flatten", ()), (1, "Linear", ("$classes",))),
    },
)


def _space(stages: tuple[Stage, ...]) -> ArchitectureSpace:
    return ArchitectureSpace(
        stages=stages, head=(_HEAD,), depth_multiple=_MULTIPLES, width_multiple=_MULTIPLES, max_downsamplings=5
    )


SEED_BLOCKS = _space(_STAGES)
BASELINE_BLOCKS = _space(_STAGES[:7])
