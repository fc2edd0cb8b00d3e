"""``python -m workers.models``: an architecture as JSON on standard input, what it costs as JSON on standard output.

The task is ``{"architecture": ..., "side_px": 96, "classes": 6 or null}``, the answer ``{"layers": [...], "totals":
{...}}`` or, for an architecture that does not work, ``{"problem": ..., "layer": 3 or null}``.
"""

import json
import sys
from dataclasses import asdict
from typing import Any

from search.contract.candidate import Architecture
from workers.models.builder import ArchitectureError
from workers.models.profile import layer_costs, totals


def costs(architecture: Architecture, side_px: int, classes: int | None) -> dict[str, Any]:
    """The layers' and the network's costs. ArchitectureError if it does not work, or not for that many classes."""
    layers = layer_costs(architecture, side_px)
    outputs = layers[-1].shape[0]
    if classes is not None and outputs != classes:
        raise ArchitectureError(f"the network ends with {outputs} outputs, not with {classes} classes", len(layers))
    return {"layers": [asdict(layer) for layer in layers], "totals": totals(layers)}


def main() -> None:
    task: dict[str, Any] = json.load(sys.stdin)
    architecture = Architecture.model_validate(task["architecture"])
    try:
        answer = costs(architecture, task["side_px"], task["classes"])
    except ArchitectureError as error:
        answer = {"problem": str(error), "layer": error.layer}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
