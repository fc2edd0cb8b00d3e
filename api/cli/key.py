"""``seedleaf key``: API keys. The commands write to the server's database, so only its owner can create keys."""

from datetime import datetime
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict

from api.cli.errors import CommandError
from api.cli.output import Format, TextFormat, print_csv, print_json, print_table
from api.cli.server_database import server_database

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke the API keys of this machine's server.")
_HEADERS = ("id", "name", "created", "revoked")


class _Key(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what the key is for.")], format_: TextFormat = "text"
) -> None:
    """Create a key and print it; it cannot be shown again. Once there is a key, the server requires one."""
    from services import keys

    with server_database() as engine:
        key_id, key = keys.create(engine, name)
    if format_ == "json":
        print_json({"id": key_id, "name": name, "key": key})
    else:
        typer.echo(f"{key_id}, for {name}: clients find it in SEEDLEAF_API_KEY", err=True)
        print(key)


@app.command("list")
def list_(format_: Format = "table") -> None:
    """List all keys ever created, by name: the keys themselves are not stored."""
    from services import keys

    with server_database() as engine:
        listed = [_Key.model_validate(key) for key in keys.every(engine)]
    if format_ == "json":
        print_json(listed)
    elif format_ == "csv":
        print_csv([key.model_dump(mode="json") for key in listed])
    else:
        print_table(_HEADERS, [_row(key) for key in listed], left=frozenset(_HEADERS))


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A key's id, or a name to revoke all keys of that name.")],
    format_: TextFormat = "text",
) -> None:
    """Revoke a key; a running server rejects it within two seconds."""
    from services import keys
    from services.errors import NotFoundError

    with server_database() as engine:
        try:
            revoked = keys.revoke(engine, key)
        except NotFoundError as error:
            raise CommandError(f"{error} (`seedleaf key list`)") from error
    if format_ == "json":
        print_json({"revoked": revoked})
    else:
        print(f"revoked {', '.join(revoked)}")


def _row(key: _Key) -> tuple[str, ...]:
    return (
        key.id,
        key.name,
        f"{key.created_at:%Y-%m-%d %H:%M}",
        f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "",
    )
