"""``seedleaf fetch``: a variant as a folder with the model, its architecture and a model card."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from api.cli.errors import CommandError
from api.cli.model_card import file_name, model_card
from api.client.client import Client
from search.architectures.text import write_architecture


def fetch(
    variant_id: Annotated[str, typer.Argument(metavar="VARIANT", help="A variant's id.")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
) -> None:
    """Download a variant: the model, model.yaml and a model card, whole or not at all."""
    if out.exists():
        raise CommandError(f"{out} exists already: name a folder that does not")
    with Client() as client:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
                whole = Path(scratch) / "whole"
                whole.mkdir()
                _write(client, variant_id, whole)
                whole.rename(out)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
    print(f"wrote {', '.join(sorted(path.name for path in out.iterdir()))} to {out}")


def _write(client: Client, variant_id: str, folder: Path) -> None:
    variant = client.get_variant(variant_id)
    trial, study = client.get_trial(variant.trial_id), client.get_study(variant.study_id)
    for artifact in variant.artifacts:
        client.get_artifact(artifact, folder / file_name(artifact))
    architecture = write_architecture(trial.candidate.architecture, side_px=trial.candidate.image_size)
    (folder / "model.yaml").write_text(architecture, encoding="utf-8")
    (folder / "README.md").write_text(model_card(study, trial, variant), encoding="utf-8")
