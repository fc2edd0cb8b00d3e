"""``seedleaf gc``: clean up the database and the artifacts of this machine's server, which may be running."""

from dataclasses import asdict
from typing import Annotated

import typer

from api.cli.errors import CommandError
from api.cli.output import TextFormat, print_json
from api.cli.server_database import server_database
from api.tabular import formats


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")] = False,
    older_than: Annotated[
        float, typer.Option(min=0, metavar="DAYS", help="Only for studies that ended at least so many days ago.")
    ] = 7.0,
    format_: TextFormat = "text",
) -> None:
    """Delete weights and detailed curves of dominated trials of ended studies, and unreferenced files."""
    from services.errors import StorageError
    from services.settings import Settings
    from services.storage.artifacts import ArtifactStore
    from services.storage.retention import collect

    try:
        artifacts = ArtifactStore(Settings().artifacts)
        with server_database() as engine:
            collected = collect(engine, artifacts, older_than_days=older_than, dry_run=dry_run)
    except (ValueError, StorageError) as error:
        raise CommandError(str(error)) from error
    if format_ == "json":
        print_json({**asdict(collected), "dry_run": dry_run})
        return
    size = formats.size(collected.size_bytes)
    print(
        f"{'would collect' if dry_run else 'collected'} {size} in {collected.files} files, "
        f"weights of {collected.weights} dominated trials, {collected.epochs} epochs of curves, "
        f"{collected.events} events"
    )
