"""TimmStem, TimmStage and TimmHead: a network of timm (https://huggingface.co/docs/timm) part by part.

The parts of a network stand in its order: the stem, its stages from the first on, and the head after the last stage.
Each part may have fewer blocks and fewer channels than the whole. The stem names the weights that all parts start from.
"""

from types import ModuleType
from typing import Annotated

from pydantic import Field
from torch import nn

from workers.models.blocks.registry import block

Text = Annotated[str, Field(strict=True, min_length=1, max_length=500)]
Fraction = Annotated[float, Field(strict=True, gt=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=1, le=100)]


@block("TimmStem")
def timm_stem(channels_in: int, name: Text, width: Fraction, weights: Text | None) -> tuple[nn.Module, int]:
    """``weights`` are ``default`` for timm's own, the path of a .safetensors file, or null for fresh ones."""
    if channels_in != 3:
        raise ValueError(f"timm's networks take images of 3 channels, got {channels_in}: make it the first layer")
    stem = _parts().TimmStem(name, channels_in, width=width, weights=weights)
    return stem, stem.channels_out


@block("TimmStage")
def timm_stage(channels_in: int, name: Text, stage: Count, blocks: Count, width: Fraction) -> tuple[nn.Module, int]:
    """The first ``blocks`` of ``stage``, counted from 1."""
    part = _parts().stage(name, stage, channels_in, blocks=blocks, width=width)
    return part, part.channels_out


@block("TimmHead")
def timm_head(channels_in: int, name: Text, width: Fraction) -> tuple[nn.Module, int]:
    """The last convolution before the pooling; it stands after the last stage."""
    part = _parts().head(name, channels_in, width=width)
    return part, part.channels_out


def _parts() -> ModuleType:
    """Imported when a network of timm is built: it takes a second, and timm may not be installed."""
    try:
        from workers.models.timm import parts
    except ModuleNotFoundError as error:
        raise ValueError(
            f"networks of timm need a package that is not installed ({error}): install seedleaf[pretrained]"
        ) from error
    return parts
