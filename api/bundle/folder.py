"""The folder that a model is handed out as: there is all of it, on the disk, or nothing."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from api.bundle.card import model_card
from api.bundle.model import Model, read_model
from api.bundle.plots import draw
from api.bundle.program import handed_out
from api.client.client import Client
from api.client.resources import FILE_NAMES
from search.spaces.model_yaml import write_architecture


def hand_out(client: Client, variant_id: str, out: Path) -> None:
    """Make the folder ``out`` of a variant, whole or not at all. OSError where it cannot be written."""
    write_whole(out, lambda folder: write_model(client, read_model(client, variant_id), folder))


def write_whole(out: Path, write: Callable[[Path], None]) -> None:
    """Make the folder ``out`` with what ``write`` puts into it: under a hidden name first, flushed, then renamed.

    FileExistsError if it exists; OSError where it cannot be written.
    """
    if out.exists():
        raise FileExistsError(f"{out} exists already: name a folder that does not")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        write(whole)
        for path in (*whole.iterdir(), whole):
            _flush(path)
        whole.rename(out)
    _flush(out.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_model(client: Client, model: Model, folder: Path) -> None:
    """Every file of ``model`` into an empty ``folder``."""
    for artifact in model.variant.artifacts:
        client.get_artifact(artifact, folder / FILE_NAMES[artifact.kind])
    candidate, spec = model.trial.candidate, model.study.spec
    texts = {
        "model.yaml": write_architecture(candidate.architecture, side_px=candidate.image_size),
        "study.yaml": _yaml(spec.model_dump(mode="json", exclude_defaults=True)),
        "README.md": model_card(model, draw(model, folder)),
        **handed_out(model.classes, side_px=candidate.image_size, resize=spec.dataset.resize),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    return text
