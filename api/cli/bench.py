"""``seedleaf bench``: models on this machine, side by side, by the protocol that times variants."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.output import Format, print_csv, print_table
from api.cli.process import ask
from api.tabular import formats

_BATCH = 32
_WORDS = frozenset({"model", "runtime", "takes", "version"})


def bench(
    models: Annotated[list[Path] | None, typer.Argument(metavar="MODEL...", help=".onnx and .pt2 files.")] = None,
    runtime: Annotated[
        list[str] | None, typer.Option(help="Repeatable; each file runs in those that take it.", show_default=False)
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Of each runtime, on as many cores of their own.")] = 1,
    batch: Annotated[
        list[int] | None, typer.Option(min=1, help="Repeatable: images at once, for the throughput; 32 without.")
    ] = None,
    side: Annotated[int | None, typer.Option(min=1, help="Pixels, for files whose image size is free.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the runtimes, and how to get those missing.")] = False,
    format_: Format = "table",
) -> None:
    """Time models at batch 1, interleaved, and tell which are faster and which tie."""
    if list_:
        _print_runtimes(ask("workers.latency", json.dumps({"list": True}))["runtimes"], format_)
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
    found = ask("workers.latency", json.dumps(task))
    if format_ == "json":
        print(json.dumps(found, indent=2))
    elif format_ == "csv":
        print_csv([_flat(row) | {"host": found["host"], "threads": threads} for row in found["rows"]])
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    rows, batches = found["rows"], list(found["rows"][0]["images_per_s"])
    throughputs = [f"images/s at {batch}" for batch in batches]
    headers = ("#", "model", "runtime", "p50 ms", "p90", "p99", "vs first", *throughputs, "memory")
    print_table(headers, [_row(row) for row in rows], left=_WORDS)
    count = found["threads"]
    print(f"p50 is the median of batch 1 with its 95% interval, on {count} thread{'s' * (count > 1)}; = ties")
    load = rows[0]["latency"]["load"]
    print(f"{found['host']}, load {load:.1f} when it began; memory is the peak of a process that only runs the model")
    if not rows[0]["latency"]["stable"]:
        print("the machine was not quiet (the reference drifted by more than 3% to the end): trust no small difference")
    if any(value is None for row in rows for value in row["images_per_s"].values()):
        print("-: the file is made for one image at a time")


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    latency = row["latency"]
    return (
        f"{row['place']}{'=' if row['ties'] else ''}",
        row["model"],
        row["runtime"],
        formats.interval(latency["p50_ms"], latency["low_ms"], latency["high_ms"]),
        formats.milliseconds(latency["p90_ms"]),
        formats.milliseconds(latency["p99_ms"]),
        f"{row['speed_up']:.2f}x",
        *("-" if value is None else formats.si(value) for value in row["images_per_s"].values()),
        formats.size(row["peak_memory_bytes"]),
    )


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Plain values under names with units; the latency's own are those of the JSON."""
    rest = {key: value for key, value in row.items() if key not in ("latency", "images_per_s")}
    return {
        **rest,
        **row["latency"],
        **{f"images_per_s_{batch}": value for batch, value in row["images_per_s"].items()},
    }


def _print_runtimes(runtimes: list[dict[str, Any]], format_: Format) -> None:
    if format_ == "json":
        print(json.dumps(runtimes, indent=2))
    elif format_ == "csv":
        print_csv(runtimes)
    else:
        rows = [(known["runtime"], known["takes"], known["version"] or "missing") for known in runtimes]
        print_table(("runtime", "takes", "version"), rows, left=_WORDS)
        for known in runtimes:
            if known["missing"]:
                print(known["missing"])
