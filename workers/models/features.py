"""What tells architectures apart before they are trained, for the model of a search."""

import math
from collections import defaultdict

from search.candidate import Candidate
from workers.models.profile import layer_costs, totals


def features(candidate: Candidate) -> dict[str, float]:
    """Logarithms of the whole network's costs, and where in it they lie: for each halving of the side the logarithms of
    the multiply-accumulates, parameters and width, and the depth in layers.

    Networks of different stages become alike in this way. ArchitectureError if the shapes do not work out.
    """
    side_px = candidate.image_size
    costs = layer_costs(candidate.architecture, side_px)
    macs: dict[int, int] = defaultdict(int)
    params: dict[int, int] = defaultdict(int)
    width: dict[int, int] = defaultdict(int)
    depth: dict[int, float] = defaultdict(float)
    for (repeat, _, _), cost in zip(candidate.architecture.backbone, costs, strict=True):
        level = round(math.log2(side_px / cost.shape[1])) if len(cost.shape) > 1 else round(math.log2(side_px))
        if cost.params:
            macs[level] += cost.macs
            params[level] += cost.params
            width[level] = max(width[level], cost.shape[0])
            depth[level] += repeat
    told = {f"log_{name}": math.log1p(value) for name, value in totals(costs).items()}
    told["log_side_px"] = math.log(side_px)
    told["depth"] = sum(depth.values())
    for level in macs:
        told[f"level{level}.log_macs"] = math.log1p(macs[level])
        told[f"level{level}.log_params"] = math.log1p(params[level])
        told[f"level{level}.log_width"] = math.log1p(width[level])
        told[f"level{level}.depth"] = depth[level]
    return told
