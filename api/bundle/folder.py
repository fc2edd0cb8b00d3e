"""The folder of a bundle: it is written whole, or not at all."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml

from api.bundle.card import model_card
from api.bundle.model import Model
from api.bundle.plots import draw
from api.bundle.program import program_files
from search.files import flush_to_disk
from search.spaces.model_yaml import write_architecture


def write_whole(out: Path, write: Callable[[Path], None]) -> None:
    """Make the folder ``out`` with the files that ``write`` creates: under a hidden name, flushed, then renamed.

    FileExistsError if ``out`` exists; OSError if it cannot be written.
    """
    if out.exists():
        raise FileExistsError(f"{out} exists already: name a folder that does not")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        write(whole)
        for path in (*whole.iterdir(), whole):
            flush_to_disk(path)
        whole.rename(out)
    flush_to_disk(out.parent)


def write_bundle(model: Model, folder: Path) -> None:
    """Write every file that explains ``model`` into ``folder``, beside the artifacts of its variant."""
    candidate, spec = model.trial.candidate, model.study.spec
    study = spec.model_dump(mode="json", exclude_defaults=True)
    texts = {
        "model.yaml": write_architecture(candidate.architecture, side_px=candidate.image_size),
        "study.yaml": yaml.safe_dump(study, sort_keys=False, allow_unicode=True),
        "README.md": model_card(model, draw(model, folder)),
        **program_files(model.classes, side_px=candidate.image_size, resize=spec.dataset.resize),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
