"""``seedleaf fetch``: a model as a folder that explains itself."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli.errors import CommandError
from api.client.client import Client
from api.client.errors import RequestRejectedError


def fetch(
    wanted: Annotated[str, typer.Argument(metavar="VARIANT|STUDY", help="A variant's id, or a study's.")],
    out: Annotated[Path, typer.Option(help="The folder to make.")],
) -> None:
    """Download a model with a program that uses it and a model card, whole or not at all.

    Of a study it is the recommended model: the fastest within one point of its best F1.
    """
    if out.exists():
        raise CommandError(f"{out} exists already: name a folder that does not")
    # No other command needs NumPy, Jinja and matplotlib, nor waits for them.
    from api.handout.folder import write_model, write_whole
    from api.handout.model import read_model

    with Client() as client:
        model = read_model(client, _variant_of(client, wanted))
        try:
            write_whole(out, lambda folder: write_model(client, model, folder))
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
    print(f"wrote {', '.join(sorted(path.name for path in out.iterdir()))} to {out}")


def _variant_of(client: Client, wanted: str) -> str:
    if _is_variant(client, wanted):
        return wanted
    try:
        front = client.get_front(wanted)
    except RequestRejectedError as error:
        if error.status != 404:
            raise
        raise CommandError(
            f"there is no variant and no study {wanted!r}: seedleaf leaderboard --variants lists what there is"
        ) from error
    if front.recommended is not None:
        return front.recommended
    if not front.variants:
        raise CommandError(f"study {wanted} has no model to fetch yet: they are made when its search has ended")
    choices = "; ".join(f"{group.recommended} ({group.host})" for group in front.variants)
    raise CommandError(f"study {wanted} was timed on several hosts, which are not compared: fetch one of {choices}")


def _is_variant(client: Client, wanted: str) -> bool:
    try:
        client.get_variant(wanted)
    except RequestRejectedError as error:
        if error.status != 404:
            raise
        return False
    return True
