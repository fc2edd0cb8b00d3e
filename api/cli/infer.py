"""``seedleaf infer``: a deployed file on a folder of images, timed like a submission."""

import csv
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.errors import CommandError
from api.cli.output import TextFormat, print_json
from api.cli.process import ask

_MOST_NAMED = 20


def infer(
    model: Annotated[Path, typer.Argument(help="A model.onnx as seedleaf fetch wrote it.")],
    images: Annotated[Path, typer.Argument(help="A folder of images; those in class folders are scored.")],
    out: Annotated[Path, typer.Option(help="The CSV file to write.")] = Path("predictions.csv"),
    threads: Annotated[int, typer.Option(min=1, help="Of the runtime.")] = 1,
    format_: TextFormat = "text",
) -> None:
    """Predict every image, one at a time, and tell the submit time and its share of pure inference."""
    for path in (model, images):
        if not path.exists():
            raise CommandError(f"there is nothing at {path}")
    task = {"model": str(model.absolute()), "images": str(images.absolute()), "threads": threads}
    found = ask("workers.inference", json.dumps(task))
    _write(out, found["predictions"])
    if format_ == "json":
        print_json(found)
        return
    for name, reason in found["unreadable"][:_MOST_NAMED]:
        print(f"cannot be read: {name}: {reason}")
    if len(found["unreadable"]) > _MOST_NAMED:
        print(f"and {len(found['unreadable']) - _MOST_NAMED} more")
    print(_summary(found, out))


def _write(path: Path, predictions: list[dict[str, Any]]) -> None:
    labelled = any(prediction["label"] is not None for prediction in predictions)
    header = ["image", "class", "probability", *(["label"] if labelled else [])]
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for prediction in predictions:
                row = [prediction["name"], prediction["predicted"], f"{prediction['probability']:.6f}"]
                writer.writerow(row + ([prediction["label"] or ""] if labelled else []))
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from error


def _summary(found: dict[str, Any], out: Path) -> str:
    count, total_s, inference_s = len(found["predictions"]), found["total_s"], found["inference_s"]
    each_ms = 1000 * total_s / max(count, 1)
    lines = [
        f"{count} images in {out}",
        f"submit time {total_s:.3f} s ({each_ms:.3f} ms an image), of which {inference_s:.3f} s are pure inference",
    ]
    if found["f1"] is not None:
        lines.append(f"macro F1 {found['f1']:.4f}; score {found['score']:.4f} at the competition's 5,217 images")
    return "\n".join(lines)
