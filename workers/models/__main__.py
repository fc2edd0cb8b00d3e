"""``python -m workers.models``: an architecture as JSON on standard input, what it costs as JSON on standard output.

The task is ``{"architecture": ..., "side_px": 96, "classes": 6 or null}``, the answer ``{"layers": [...], "totals":
{...}}`` or, for an architecture that does not work, ``{"problem": ..., "layer": 3 or null}``.
"""

import json
import sys
from dataclasses import asdict, dataclass

from pydantic import BaseModel, ConfigDict

from search.contract.candidate import Architecture
from workers.models.builder import ArchitectureError
from workers.models.profile import LayerCost, ModelCost, layer_costs, total_cost


class CostTask(BaseModel):
    """``classes``: how many the network must end with, if that matters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Architecture
    side_px: int
    classes: int | None


@dataclass(frozen=True, kw_only=True)
class NetworkCosts:
    layers: list[LayerCost]
    totals: ModelCost


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why the network does not work; ``layer`` counts from 1, None where no single one is to blame."""

    problem: str
    layer: int | None


def costs(architecture: Architecture, side_px: int, classes: int | None) -> NetworkCosts:
    """The layers' and the network's costs. ArchitectureError if it does not work, or not for that many classes."""
    layers = layer_costs(architecture, side_px)
    outputs = layers[-1].shape[0]
    if classes is not None and outputs != classes:
        raise ArchitectureError(f"the network ends with {outputs} outputs, not with {classes} classes", len(layers))
    return NetworkCosts(layers=layers, totals=total_cost(layers))


def main() -> None:
    task = CostTask.model_validate_json(sys.stdin.read())
    answer: NetworkCosts | Problem
    try:
        answer = costs(task.architecture, task.side_px, task.classes)
    except ArchitectureError as error:
        answer = Problem(problem=str(error), layer=error.layer)
    json.dump(asdict(answer), sys.stdout)


if __name__ == "__main__":
    main()
