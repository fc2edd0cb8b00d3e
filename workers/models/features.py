"""What tells architectures apart before they are trained, for the model of a search."""

import math
from collections import defaultdict

from search.contract.candidate import Candidate, Layer
from search.spaces.pretrained import is_pretrained
from workers.models.blocks import BLOCKS
from workers.models.profile import layer_costs, total_cost


def features(candidate: Candidate) -> dict[str, float]:
    """Logarithms of the whole network's costs and of its activations, which tell how long it trains (Dollar, Singh,
    Girshick: Fast and Accurate Model Scaling, CVPR 2021); how much of its depth each kind of block has; and where in it
    the costs lie: for each halving of the side the logarithms of the multiply-accumulates, parameters, activations and
    width, and the depth in layers, in blocks for a stage of timm; and whether it starts from trained weights.

    Networks of different stages become alike in this way. ArchitectureError if the shapes do not work out.
    """
    side_px = candidate.image_size
    costs = layer_costs(candidate.architecture, side_px)
    macs: dict[int, int] = defaultdict(int)
    params: dict[int, int] = defaultdict(int)
    activations: dict[int, int] = defaultdict(int)
    width: dict[int, int] = defaultdict(int)
    depth: dict[int, float] = defaultdict(float)
    blocks: dict[str, float] = defaultdict(float)
    for layer, cost in zip(candidate.architecture.backbone, costs, strict=True):
        block, layer_depth = layer[1], _depth(layer)
        level = round(math.log2(side_px / cost.shape[1])) if len(cost.shape) > 1 else round(math.log2(side_px))
        if cost.params:
            macs[level] += cost.macs
            params[level] += cost.params
            activations[level] += cost.activations
            width[level] = max(width[level], cost.shape[0])
            depth[level] += layer_depth
            blocks[block] += layer_depth
    told = {f"log_{name}": math.log1p(value) for name, value in total_cost(costs).metrics.items()}
    told["log_activations"] = math.log1p(sum(activations.values()))
    told["log_side_px"] = math.log(side_px)
    told["is_pretrained"] = float(is_pretrained(candidate.architecture))
    told["depth"] = sum(depth.values())
    told |= {f"share_of_{block}": blocks[block] / max(told["depth"], 1) for block in BLOCKS}
    for level in macs:
        told[f"level{level}.log_macs"] = math.log1p(macs[level])
        told[f"level{level}.log_params"] = math.log1p(params[level])
        told[f"level{level}.log_activations"] = math.log1p(activations[level])
        told[f"level{level}.log_width"] = math.log1p(width[level])
        told[f"level{level}.depth"] = depth[level]
    return told


def _depth(layer: Layer) -> int:
    repeat, block, arguments = layer
    return int(arguments[2]) if block == "TimmStage" else repeat
