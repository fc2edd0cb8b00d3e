"""``seedleaf infer``: predict a folder of images with a deployed file, timed like a submission."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from api.cli.errors import CommandError
from api.cli.output import TextFormat, print_json
from api.cli.process import run_worker
from api.cli.reports import ImagePrediction, Inference
from api.tabular.console import plain

_MOST_NAMED = 20


def infer(
    model: Annotated[Path, typer.Argument(help="A model.onnx as seedleaf fetch wrote it.")],
    images: Annotated[Path, typer.Argument(help="A folder of images; those in class folders are scored.")],
    out: Annotated[Path, typer.Option(help="The CSV file to write.")] = Path("predictions.csv"),
    threads: Annotated[int, typer.Option(min=1, help="Threads of the runtime.")] = 1,
    format_: TextFormat = "text",
) -> None:
    """Predict every image, one at a time, and show the submit time and how much of it is pure inference."""
    for path in (model, images):
        if not path.exists():
            raise CommandError(f"there is nothing at {path}")
    task = {"model": str(model.absolute()), "images": str(images.absolute()), "threads": threads}
    report = run_worker("workers.inference", json.dumps(task), Inference)
    _write(out, report.predictions)
    if format_ == "json":
        print_json(report.model_dump(mode="json"))
        return
    for name, reason in report.unreadable[:_MOST_NAMED]:
        print(plain(f"cannot be read: {name}: {reason}"))
    if len(report.unreadable) > _MOST_NAMED:
        print(f"and {len(report.unreadable) - _MOST_NAMED} more")
    print(_summary(report, out))


def _write(path: Path, predictions: Sequence[ImagePrediction]) -> None:
    labelled = any(prediction.label is not None for prediction in predictions)
    header = ["image", "class", "probability", *(["label"] if labelled else [])]
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for prediction in predictions:
                row = [prediction.name, prediction.predicted, f"{prediction.probability:.6f}"]
                writer.writerow(row + ([prediction.label or ""] if labelled else []))
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from error


def _summary(report: Inference, out: Path) -> str:
    count = len(report.predictions)
    each_ms = 1000 * report.total_s / max(count, 1)
    lines = [
        f"{count} images in {out}",
        f"submit time {report.total_s:.3f} s ({each_ms:.3f} ms per image), "
        f"of which {report.inference_s:.3f} s are pure inference",
    ]
    if report.f1 is not None and report.score is not None:
        lines.append(f"macro F1 {report.f1:.4f}; score {report.score:.4f} at the competition's 5,217 images")
    return "\n".join(lines)
