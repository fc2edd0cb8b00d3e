"""``python -m workers.latency``: {models, runtimes, threads, batches, side_px} as JSON on standard input, what was
measured as JSON back; ``{"list": true}`` asks for the runtimes. Exit code 1 with the reason on standard error.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from workers.latency.bench import BenchReport, report
from workers.latency.gate import SlotBusyError
from workers.latency.runtimes import RUNTIMES, ModelError, Runtime, RuntimeMissingError


class BenchTask(BaseModel):
    """``list``: of the runtimes, instead of a measurement. ``side_px``: for models whose image size is free."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    list: bool = False
    models: tuple[Path, ...] = ()
    runtimes: tuple[str, ...] = ()
    threads: int = 1
    batches: tuple[int, ...] = ()
    side_px: int | None = None


@dataclass(frozen=True, kw_only=True)
class RuntimeStatus:
    """``missing``: why the runtime cannot be used here and how to get it; ``version`` where it can."""

    runtime: str
    takes: Literal["onnx", "pt2", "network"]
    version: str | None
    missing: str | None


def main() -> None:
    task = BenchTask.model_validate_json(sys.stdin.read())
    try:
        answer = {"runtimes": [asdict(status) for status in _listed()]} if task.list else asdict(_measured(task))
    except (ModelError, RuntimeMissingError, SlotBusyError, ValueError) as error:
        sys.exit(str(error))
    json.dump(answer, sys.stdout)


def _measured(task: BenchTask) -> BenchReport:
    return report(
        task.models,
        [_named(name) for name in task.runtimes],
        threads=task.threads,
        batches=task.batches,
        side_px=task.side_px,
    )


def _named(name: str) -> Runtime:
    if name not in RUNTIMES or RUNTIMES[name].takes == "network":
        names = ", ".join(runtime.name for runtime in RUNTIMES.values() if runtime.takes != "network")
        raise ValueError(f"there is no runtime {name}: known are {names}")
    return RUNTIMES[name]


def _listed() -> list[RuntimeStatus]:
    return [
        RuntimeStatus(
            runtime=runtime.name,
            takes=runtime.takes,
            version=runtime.version() if runtime.missing is None else None,
            missing=runtime.missing,
        )
        for runtime in RUNTIMES.values()
    ]


if __name__ == "__main__":
    main()
