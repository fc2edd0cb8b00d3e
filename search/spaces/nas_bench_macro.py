"""nas-bench-macro: the 6,561 networks whose accuracy on CIFAR-10 NAS-Bench-Macro tabulates.

https://arxiv.org/abs/2103.11922. Eight layers, each an identity or MobileNetV2's block with expansion 3 and kernel 3 or
expansion 6 and kernel 5: the digits 0, 1 and 2 of a network's code there. Where a layer halves and widens, its identity
is a 1x1 convolution.
"""

from search.spaces.architecture_space import ArchitectureSpace, Stage

#: A layer's digit in NAS-Bench-Macro's code of a network by the name of its block here.
DIGITS = {"identity": 0, "expand3": 1, "expand6": 2}
_WIDTHS = (64, 64, 128, 128, 128, 256, 256, 256)
_HALVES = (True, False, True, False, False, True, False, False)


def _layer(number: int, width: int, *, halves: bool) -> Stage:
    unchanged = (1, "Conv", (width, 1, "$stride", 0, 1, "Identity")) if halves else (1, "Pass", ())
    return Stage(
        name=f"layer{number}",
        stride=(2,) if halves else (1,),
        blocks={
            "identity": [unchanged],
            "expand3": [(1, "InvertedResidualv2", (width, 3, "$stride", 3))],
            "expand6": [(1, "InvertedResidualv2", (width, 6, "$stride", 5))],
        },
    )


_STEM = Stage(name="stem", blocks={"Conv": [(1, "Conv", (32, 3, 1))]})
_HEAD = ((1, "Conv", (1280, 1, 1)), (1, "GlobalAvgPool", ()), (1, "Flatten", ()), (1, "Linear", ("$classes",)))
_LAYERS = tuple(
    _layer(number, width, halves=halves)
    for number, (width, halves) in enumerate(zip(_WIDTHS, _HALVES, strict=True), start=1)
)
NAS_BENCH_MACRO = ArchitectureSpace(stages=(_STEM, *_LAYERS), head=(Stage(name="head", blocks={"pooled": _HEAD}),))
