"""``seedleaf key``: API keys. The commands write to the server's database, so only its owner can create keys."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict

from api.cli.errors import CommandError
from api.cli.output import Format, TextFormat, print_csv, print_json, print_table
from api.cli.server_database import server_database
from services.records.keys import KeyScope

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke the API keys of this machine's server.")
_HEADERS = ("id", "name", "scope", "created", "expires", "revoked")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36_500)


class _Key(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    scope: KeyScope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def _lifetime(text: str) -> timedelta:
    """``30d`` and the like; typer.BadParameter for anything else."""
    match = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    lifetime = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < lifetime <= _LONGEST:
        raise typer.BadParameter(f"{text!r} is no lifetime: write 90m, 12h, 30d or 8w, up to 100 years")
    return lifetime


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what the key is for.")],
    scope: Annotated[
        KeyScope,
        typer.Option(help="read: look and check; write: also create, change and predict; admin: also delete."),
    ] = KeyScope.ADMIN,
    expires: Annotated[
        timedelta | None,
        typer.Option(parser=_lifetime, metavar="TIME", help="When it expires, for example 12h or 30d; never without."),
    ] = None,
    format_: TextFormat = "text",
) -> None:
    """Create a key and print it; it cannot be shown again. Once there is a key, the server requires one."""
    from services import keys

    with server_database() as engine:
        key_id, key = keys.create(engine, name, scope=scope, lifetime=expires)
        made = next(_Key.model_validate(one) for one in keys.every(engine) if one.id == key_id)
    if format_ == "json":
        print_json({**made.model_dump(mode="json", include={"id", "name", "scope", "expires_at"}), "key": key})
    else:
        until = f", until {_time(made.expires_at)} UTC" if made.expires_at else ""
        typer.echo(f"{key_id}, for {name}, scope {scope}{until}: clients find it in SEEDLEAF_API_KEY", err=True)
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
        key.scope,
        _time(key.created_at),
        _time(key.expires_at) or "never",
        _time(key.revoked_at),
    )


def _time(at: datetime | None) -> str:
    """In UTC; empty for None."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
