"""``python -m workers.latency``: {models, runtimes, threads, batches, side_px} as JSON on standard input, what was
measured as JSON back; ``{"list": true}`` asks for the runtimes. Exit code 1 with the reason on standard error.
"""

import json
import sys
from pathlib import Path
from typing import Any

from workers.latency.bench import report
from workers.latency.gate import SlotBusyError
from workers.latency.runtimes import RUNTIMES, ModelError, Runtime, RuntimeMissingError


def main() -> None:
    task: dict[str, Any] = json.load(sys.stdin)
    try:
        answer = {"runtimes": _listed()} if task.get("list") else _measured(task)
    except (ModelError, RuntimeMissingError, SlotBusyError, ValueError) as error:
        sys.exit(str(error))
    json.dump(answer, sys.stdout)


def _measured(task: dict[str, Any]) -> dict[str, Any]:
    return report(
        [Path(path) for path in task["models"]],
        [_named(name) for name in task["runtimes"]],
        threads=task["threads"],
        batches=task["batches"],
        side_px=task["side_px"],
    )


def _named(name: str) -> Runtime:
    if name not in RUNTIMES or RUNTIMES[name].takes == "network":
        names = ", ".join(runtime.name for runtime in RUNTIMES.values() if runtime.takes != "network")
        raise ValueError(f"there is no runtime {name}: known are {names}")
    return RUNTIMES[name]


def _listed() -> list[dict[str, Any]]:
    return [
        {
            "runtime": runtime.name,
            "takes": runtime.takes,
            "version": runtime.version() if runtime.missing is None else None,
            "missing": runtime.missing,
        }
        for runtime in RUNTIMES.values()
    ]


if __name__ == "__main__":
    main()
