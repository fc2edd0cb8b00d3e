"""``seedleaf fetch``: download a model as a folder with a model card."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.errors import CommandError
from api.cli.names import find_study
from api.cli.output import TextFormat, print_json
from api.client.client import Client
from api.client.errors import RequestRejectedError


def fetch(
    wanted: Annotated[str, typer.Argument(metavar="VARIANT|STUDY", help="A variant's id, or a study's id or name.")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    format_: TextFormat = "text",
) -> None:
    """Download a model with a program that predicts with it and a model card.

    For a study it is the recommended model: the fastest within 0.01 of its best F1.
    """
    if out.exists():
        raise CommandError(f"{out} exists already: name a folder that does not")
    with Client() as client:
        client.get_variant(_variant_of(client, wanted)).download(out)
    files = sorted(path.name for path in out.iterdir())
    if format_ == "json":
        print_json({"out": str(out), "files": files})
    else:
        print(f"wrote {', '.join(files)} to {out}")


def _variant_of(client: Client, wanted: str) -> str:
    if _is_variant(client, wanted):
        return wanted
    try:
        study = find_study(client, wanted)
    except RequestRejectedError as error:
        raise CommandError(
            f"there is no variant and no study {wanted!r}: seedleaf leaderboard --variants lists what there is"
        ) from error
    front = study.front()
    if front.recommended is not None:
        return front.recommended
    if not front.variants:
        raise CommandError(f"study {study.id} has no model to fetch yet: models are made when its search has ended")
    choices = "; ".join(f"{group.recommended} ({group.host})" for group in front.variants)
    raise CommandError(f"study {study.id} was timed on several hosts, which are not compared: fetch one of {choices}")


def _is_variant(client: Client, wanted: str) -> bool:
    try:
        client.get_variant(wanted)
    except RequestRejectedError as error:
        if error.status != 404:
            raise
        return False
    return True
