"""``seedleaf bench``: models on this machine, side by side, by the protocol that times variants."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import Format, print_csv, print_json, print_table
from api.cli.process import run_worker
from api.cli.reports import Bench, BenchRow, RuntimeList, RuntimeStatus
from api.tabular import formats

_BATCH = 32
_WORDS = frozenset({"model", "runtime", "takes", "version"})


def bench(
    models: Annotated[list[Path] | None, typer.Argument(metavar="MODEL...", help=".onnx and .pt2 files.")] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option(help="A runtime; repeatable. Each file runs in those that take it.", show_default=False),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each runtime, on as many cores of their own.")] = 1,
    batch: Annotated[
        list[int] | None, typer.Option(min=1, help="Batch size for the throughput; repeatable. 32 by default.")
    ] = None,
    side: Annotated[int | None, typer.Option(min=1, help="Image side in pixels, for files that leave it open.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the runtimes, and how to install those missing.")] = False,
    format_: Format = "table",
) -> None:
    """Time models at batch 1, interleaved, and show which are faster and which tie."""
    if list_:
        _print_runtimes(run_worker("workers.latency", json.dumps({"list": True}), RuntimeList).runtimes, format_)
        return
    if not models:
        raise typer.BadParameter("name at least one model: a .onnx or .pt2 file")
    task = {
        "models": [str(path) for path in models],
        "runtimes": runtime or [],
        "threads": threads,
        "batches": sorted(set(batch or [_BATCH]) - {1}),
        "side_px": side,
    }
    report = run_worker("workers.latency", json.dumps(task), Bench)
    if format_ == "json":
        print_json(report.model_dump(mode="json"))
    elif format_ == "csv":
        print_csv([_flat(row) | {"host": report.host, "threads": threads} for row in report.rows])
    else:
        _print(report)


def _print(report: Bench) -> None:
    first = report.rows[0]
    throughputs = [f"images/s at {batch}" for batch in first.images_per_s]
    headers = ("#", "model", "runtime", "p50 ms", "p90", "p99", "vs first", *throughputs, "memory")
    print_table(headers, [_cells(row) for row in report.rows], left=_WORDS)
    count = report.threads
    print(f"p50 is the median of batch 1 with its 95% interval, on {count} thread{'s' * (count > 1)}; = ties")
    print(
        f"{report.host}, load {first.latency.load:.1f} when it began; "
        "memory is the peak of a process that only runs the model"
    )
    if not first.latency.stable:
        print("the machine was not quiet (the reference drifted by more than 3%): do not trust small differences")
    if any(value is None for row in report.rows for value in row.images_per_s.values()):
        print("-: the file takes one image at a time")


def _cells(row: BenchRow) -> tuple[str, ...]:
    latency = row.latency
    return (
        f"{row.place}{'=' if row.ties else ''}",
        row.model,
        row.runtime,
        formats.interval(latency.p50_ms, latency.low_ms, latency.high_ms),
        formats.milliseconds(latency.p90_ms),
        formats.milliseconds(latency.p99_ms),
        f"{row.speed_up:.2f}x",
        *("-" if value is None else formats.si(value) for value in row.images_per_s.values()),
        formats.size(row.peak_memory_bytes),
    )


def _flat(row: BenchRow) -> dict[str, object]:
    """CSV columns by name, with units."""
    return {
        **row.model_dump(exclude={"latency", "images_per_s"}),
        **asdict(row.latency),
        **{f"images_per_s_{batch}": value for batch, value in row.images_per_s.items()},
    }


def _print_runtimes(runtimes: Sequence[RuntimeStatus], format_: Format) -> None:
    if format_ == "json":
        print_json(runtimes)
    elif format_ == "csv":
        print_csv([status.model_dump() for status in runtimes])
    else:
        rows = [(status.runtime, status.takes, status.version or "missing") for status in runtimes]
        print_table(("runtime", "takes", "version"), rows, left=_WORDS)
        for status in runtimes:
            if status.missing:
                print(status.missing)
